/**
 * One turn: a claimed batch goes to the provider, and what comes back becomes rows.
 *
 * I1. Nothing is acknowledged before the turn that saw it ends; then all of it in one commit.
 * I2. Messages that joined the turn, and answers that a tool waited for, are acknowledged with it.
 * I3. A task whose own check says so is acknowledged without waking the provider; context that came with
 *     nothing else is given back unseen.
 */
import type { SessionFile } from '../../shared/protocol.ts';
import type { WorkspacePaths } from '../../shared/session-files.ts';
import { type Stamps, stampNow } from '../../shared/trace.ts';
import type { Prompt, Provider } from '../providers/provider.ts';
import { createToolBox } from '../tools/index.ts';
import type { ToolBox } from '../tools/tool.ts';
import { formatAddendum } from './addendum.ts';
import { parseReply } from './blocks/index.ts';
import type { LiveChart } from './chart.ts';
import { type Answer, Conversation } from './conversation.ts';
import { type CheckResult, formatPrompt } from './format.ts';
import type { InboxReader } from './inbox.ts';
import { log } from './log.ts';
import type { Draft, InboundMessage, SentRow } from './message.ts';
import type { Ack, Outbox, TurnEnd } from './outbox.ts';
import { runPrechecks } from './precheck.ts';
import {
  type PlannedReplies,
  planFailureNotes,
  planNudge,
  planReplies,
  planTurnEnd,
  type ReplyFacts,
} from './replies.ts';
import { reportServers } from './report-servers.ts';
import { RingWatch } from './ring-watch.ts';
import type { ServerTools } from './server-tools.ts';
import { ToolsInFlight } from './tools-in-flight.ts';
import { createToolContext } from './turn-context.ts';
import { TurnScope } from './turn-scope.ts';

export interface TurnParts {
  session: SessionFile;
  paths: WorkspacePaths;
  outFiles: string;
  provider: Provider;
  /** Where the gateway is reached, on 127.0.0.1. */
  gateway: { port: number };
  chart: LiveChart;
  inbox: InboxReader;
  outbox: Outbox;
  /** The agent's MCP servers. */
  servers: ServerTools;
  /** Where programs beside the runner call the running turn's tools; absent when there are none. */
  toolDoor?: { open(tools: ToolBox): void; close(): void };
}

/** What the runner commits when the turn is over; null after an interruption, when nothing is settled. */
export type TurnResult = Omit<TurnEnd, 'idleSince'> | null;

export class Turn {
  readonly #parts: TurnParts;
  readonly #scope: TurnScope;
  readonly #watch = new RingWatch();
  readonly #inFlight: ToolsInFlight;
  readonly #over = new AbortController();
  /** Tasks that were not shown, and what the checks of the others said. */
  readonly #quiet: InboundMessage[] = [];
  readonly #checks = new Map<string, CheckResult>();
  readonly tools: ToolBox;
  readonly #stamps: Stamps = {};
  readonly #claimedAt = new Map<string, number>();
  readonly #conversation: Conversation;
  #isInterrupted = false;

  constructor(parts: TurnParts, batch: readonly InboundMessage[]) {
    this.#parts = parts;
    this.#scope = new TurnScope(parts.outbox, batch, () => this.#noteOutput());
    this.#noteClaims(batch);
    this.#inFlight = new ToolsInFlight((tool) => parts.outbox.setTool(tool));
    this.tools = createToolBox(
      createToolContext(parts, {
        scope: this.#scope,
        watch: this.#watch,
        inFlight: this.#inFlight,
        facts: () => this.#facts(),
        signal: this.#over.signal,
      }),
      parts.servers,
    );
    this.#conversation = this.#converseWith(parts);
  }

  #converseWith(parts: TurnParts): Conversation {
    const { provider, session, paths, gateway, chart, servers, outbox } = parts;
    return new Conversation(
      {
        ...{ provider, session, paths, gateway, tools: this.tools, inFlight: this.#inFlight },
        messageId: () => this.#scope.batch.find((message) => message.isTrigger)?.id ?? null,
        addendum: () => formatAddendum(chart.read(), servers.problems()),
        onOutput: () => this.#noteOutput(),
      },
      outbox.continuation(provider.name),
    );
  }

  /** Runs the turn, and says what to commit. */
  async run(omittedCount: number): Promise<TurnResult> {
    try {
      if (!(await this.#precheck())) return this.#isInterrupted ? null : this.#planQuiet();
      return await this.#converse(omittedCount);
    } finally {
      // No tool may write once the end of the turn is being committed, and none goes on without it.
      this.#over.abort();
      this.#watch.close();
      this.#inFlight.close();
      this.#scope.close();
    }
  }

  get hasSentFiles(): boolean {
    return this.#scope.sent.some(({ body }) => body.kind === 'chat' && body.content.attachments.length > 0);
  }

  /** The host may have written something that a tool waits for. */
  ring(): void {
    this.#watch.ring();
  }

  /** False when nothing is left to show to the provider. */
  async #precheck(): Promise<boolean> {
    const { paths, session, gateway } = this.#parts;
    const declare = (timeoutMs: number) => this.#inFlight.begin('task_check', timeoutMs);
    const where = {
      agentFolder: paths.agent,
      homeFolder: paths.state,
      timezone: session.timezone,
      gatewayPort: gateway.port,
    };
    const results = await runPrechecks(this.#scope.batch, { ...where, declare, signal: this.#over.signal });
    if (this.#isInterrupted) return false;
    for (const { message, result } of results) {
      if (result.kind === 'quiet') this.#quiet.push(message);
      else this.#checks.set(message.id, result);
    }
    this.#scope.remove(new Set(this.#quiet.map(({ id }) => id)));
    return this.#scope.batch.some((message) => message.isTrigger);
  }

  #planQuiet(): NonNullable<TurnResult> {
    const released = this.#scope.batch.map(({ id }) => id);
    this.#scope.remove(new Set(released));
    return { ...this.#planEnd([], (common) => ({ ...common, state: 'done' })), released };
  }

  /** Asks, and asks once more if the answer would be lost. */
  async #converse(omittedCount: number): Promise<TurnResult> {
    await this.#parts.servers.begin(this.#over.signal);
    if (this.#isInterrupted) return null;
    reportServers(this.#parts);
    const first = await this.#ask(this.#format(this.#scope.batch, omittedCount));
    if (first.kind === 'interrupted') return null;
    if (first.kind === 'failed') return this.#planFailure(first);
    const planned = this.#plan(first.text);
    const nudge = planNudge(planned, this.#facts(), this.#visible());
    let second: PlannedReplies | null = null;
    if (nudge !== null) {
      log.info('asking the provider once more', { unknownNames: planned.unknown.length });
      const answer = await this.#ask({ text: nudge, messages: [] });
      if (answer.kind === 'interrupted') return null;
      if (answer.kind === 'answered') second = this.#plan(answer.text);
      else if (planned.drafts.length === 0) return this.#planFailure(answer);
    }
    const drafts = planTurnEnd(planned, second, this.#facts(), this.#visible());
    return this.#planEnd(this.#scope.withoutRepeats(drafts), (common) => ({ ...common, state: 'done' }));
  }

  /** Hands follow-ups to the running provider. False: they wait for the next turn. */
  push(messages: readonly InboundMessage[], omittedCount: number): boolean {
    if (!this.#conversation.isRunning) return false;
    if (!this.#conversation.push(this.#format(messages, omittedCount))) return false;
    this.#scope.add(messages);
    this.#noteClaims(messages);
    return true;
  }

  interrupt(): void {
    this.#isInterrupted = true;
    this.#over.abort();
    this.#conversation.interrupt();
    this.#watch.close();
  }

  async #ask(prompt: Prompt): Promise<Answer> {
    this.#stamps.provider_started ??= stampNow();
    return await this.#conversation.ask(prompt, () => this.#format(this.#scope.batch, 0));
  }

  #plan(text: string): PlannedReplies {
    const planned = planReplies(parseReply(text), this.#facts());
    if (planned.scratch !== '') log.info('text outside blocks is not sent', { chars: planned.scratch.length });
    return planned;
  }

  #planFailure({ kind: _failed, retryable, message, ...more }: Extract<Answer, { kind: 'failed' }>): TurnResult {
    log.warn('turn failed', { retryable, error: message });
    const drafts = retryable ? [] : planFailureNotes(this.#facts(), message);
    return this.#planEnd(drafts, (common) => ({ ...common, ...more, state: 'failed', error: message, retryable }));
  }

  #planEnd(
    drafts: readonly Draft[],
    makeAck: (common: { id: string; tries: number; stamps: Stamps }) => Ack,
  ): NonNullable<TurnResult> {
    if (drafts.length > 0) this.#noteOutput();
    const rowCommitted = stampNow();
    const describe = ({ id, tries }: InboundMessage) => {
      const claimed = this.#claimedAt.get(id);
      const stamps = { ...(claimed === undefined ? {} : { claimed }), ...this.#stamps, row_committed: rowCommitted };
      return { id, tries, stamps };
    };
    const acks: Ack[] = [...this.#scope.batch, ...this.#scope.absorbed].map((message) => makeAck(describe(message)));
    for (const message of this.#quiet) acks.push({ ...describe(message), state: 'done', isQuiet: true });
    return { drafts, acks, continuation: this.#conversation.change };
  }

  #format(messages: readonly InboundMessage[], omittedCount: number): Prompt {
    const { inbox, outbox, chart, session, paths } = this.#parts;
    return formatPrompt(messages, {
      chart: chart.read(),
      timezone: session.timezone,
      inFolder: paths.in,
      omittedCount,
      checkOf: (messageId) => this.#checks.get(messageId) ?? null,
      findSeq(messageId) {
        const received = inbox.read((tables) => tables.byId(messageId));
        return outbox.byId(messageId)?.seq ?? (received.kind === 'read' ? (received.value?.seq ?? null) : null);
      },
    });
  }

  /** What a tool sent and people can see as an answer: a request is none, nor is a question. */
  #visible(): SentRow[] {
    return this.#scope.sent.filter(({ body }) => body.kind !== 'request' && body.kind !== 'question');
  }

  #facts(): ReplyFacts {
    const { chart, session, inbox } = this.#parts;
    const { batch } = this.#scope;
    return {
      chart: chart.read(),
      batch,
      maxTextBytes: session.limits.maxTextBytes,
      findBySeq(seq) {
        const joined = batch.find((message) => message.seq === seq);
        if (joined) return joined;
        const read = inbox.read((tables) => tables.bySeq(seq));
        return read.kind === 'read' ? read.value : null;
      },
    };
  }

  #noteOutput(): void {
    this.#stamps.first_output ??= stampNow();
  }

  #noteClaims(messages: readonly InboundMessage[]): void {
    const now = stampNow();
    for (const message of messages) this.#claimedAt.set(message.id, now);
  }
}
