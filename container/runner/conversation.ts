/**
 * The running turn's talk with the provider: asks, hears events, and keeps the conversation's handle.
 *
 * I1. A continuation that leads nowhere is forgotten, and the same is asked once more in a fresh conversation.
 * I2. After an interruption nothing is waited for beyond INTERRUPT_GRACE_MS, whatever the provider does.
 * I3. Text of a turn that failed is no answer.
 */
import type { SessionFile } from '../../shared/protocol.ts';
import type { WorkspacePaths } from '../../shared/session-files.ts';
import type { Prompt, Provider, ProviderEvent, ProviderTurn, QueryInput } from '../providers/provider.ts';
import type { ToolBox } from '../tools/tool.ts';
import { assertNever } from './assert.ts';
import { describeError, log } from './log.ts';
import { isPassing, type TurnEnd } from './outbox.ts';
import type { ToolsInFlight } from './tools-in-flight.ts';

/** How long an interrupted provider may take to end. Higher: a stop kills before claims are given back. */
const INTERRUPT_GRACE_MS = 500;

const BEGINS_AFRESH =
  'Your earlier conversation could not be opened, so this is a fresh one: what was said before, you do not know. Say so where it matters.';

export type Answer =
  | { kind: 'answered'; text: string }
  | { kind: 'failed'; retryable: boolean; message: string; retryAfterMs?: number }
  | { kind: 'interrupted' };

type Heard = Answer | { kind: 'forgotten' };

export interface ConversationParts {
  provider: Provider;
  session: SessionFile;
  paths: WorkspacePaths;
  gateway: { port: number };
  tools: ToolBox;
  /** On whose behalf the model is called. */
  messageId: () => string | null;
  /** As it is at the time of each question. */
  addendum: () => string;
  inFlight: ToolsInFlight;
  /** Something came of it: the first is worth a time stamp. */
  onOutput: () => void;
}

export class Conversation {
  readonly #parts: ConversationParts;
  /** What earlier turns left; null in a fresh conversation. */
  #continuation: string | null;
  #newContinuation: string | null = null;
  #isForgotten = false;
  /** Of the provider's own tools, by name. */
  readonly #ownTools = new Map<string, Disposable>();
  #running: ProviderTurn | null = null;
  #isInterrupted = false;
  /** Resolves when an interrupted provider has had its time (I2). */
  readonly #abandoned: Promise<Answer>;
  #abandon: () => void = () => undefined;

  constructor(parts: ConversationParts, continuation: string | null) {
    this.#parts = parts;
    this.#continuation = continuation;
    this.#abandoned = new Promise((resolve) => {
      this.#abandon = () => resolve({ kind: 'interrupted' });
    });
  }

  /** What to keep of the conversation when the turn ends: undefined leaves what is kept, null removes it. */
  get change(): TurnEnd['continuation'] {
    const { provider } = this.#parts;
    if (this.#newContinuation === null) return this.#isForgotten ? null : undefined;
    if (this.#newContinuation === this.#continuation) return undefined;
    return { provider: provider.name, continuation: this.#newContinuation };
  }

  /** `whole` is all that the turn has to show, for a conversation that must begin afresh (I1). */
  async ask(prompt: Prompt, whole: () => Prompt): Promise<Answer> {
    const heard = await this.#run(() => this.#parts.provider.query(this.#input(prompt)));
    if (heard.kind !== 'forgotten') return heard;
    const shown = whole();
    const nudge = prompt.messages.length === 0 ? [prompt.text] : [];
    const again = { text: [BEGINS_AFRESH, shown.text, ...nudge].join('\n\n'), messages: shown.messages };
    return settle(await this.#run(() => this.#parts.provider.query(this.#input(again))));
  }

  /** Null when the provider has nothing to compact. */
  async compact(prompt: Prompt): Promise<Answer | null> {
    const { provider } = this.#parts;
    if (provider.compact === undefined || this.#continuation === null) return null;
    const heard = await this.#run(() => provider.compact?.(this.#input(prompt)) ?? null);
    return heard.kind === 'forgotten' ? null : heard;
  }

  /** False: too late, or not supported. */
  push(prompt: Prompt): boolean {
    return this.#running !== null && !this.#isInterrupted && this.#running.push(prompt);
  }

  get isRunning(): boolean {
    return this.#running !== null && !this.#isInterrupted;
  }

  interrupt(): void {
    if (this.#isInterrupted) return;
    this.#isInterrupted = true;
    this.#running?.interrupt();
    setTimeout(this.#abandon, INTERRUPT_GRACE_MS).unref();
  }

  #input(prompt: Prompt): QueryInput {
    const { session, paths, gateway, tools, messageId, addendum } = this.#parts;
    const continuation = this.#newContinuation ?? this.#continuation;
    return { prompt, addendum: addendum(), continuation, session, tools, paths, gateway, messageId: messageId() };
  }

  async #run(begin: () => ProviderTurn | null): Promise<Heard> {
    if (this.#isInterrupted) return { kind: 'interrupted' };
    const running = begin();
    if (running === null) return { kind: 'answered', text: '' };
    this.#running = running;
    try {
      const heard = await Promise.race([this.#listen(running), this.#abandoned]);
      return this.#isInterrupted ? { kind: 'interrupted' } : heard;
    } catch (error) {
      return this.#isInterrupted ? { kind: 'interrupted' } : this.#translate(error);
    } finally {
      this.#running = null;
    }
  }

  async #listen(running: ProviderTurn): Promise<Heard> {
    const results: string[] = [];
    let end: Heard | null = null;
    for await (const event of running) {
      if (this.#isInterrupted) continue;
      if (event.kind === 'result') results.push(event.text);
      end = this.#take(event, running) ?? end;
    }
    return end ?? { kind: 'answered', text: results.join('\n\n') };
  }

  #take(event: ProviderEvent, running: ProviderTurn): Heard | null {
    switch (event.kind) {
      case 'init':
        this.#newContinuation = event.continuation;
        return null;
      case 'progress':
        return null;
      case 'tool_start':
        this.#endTool(event.tool);
        this.#ownTools.set(event.tool, this.#parts.inFlight.begin(event.tool, event.timeoutMs));
        return null;
      case 'tool_end':
        this.#endTool(event.tool);
        return null;
      case 'text':
        this.#parts.onOutput();
        return null;
      case 'result':
        this.#parts.onOutput();
        running.end();
        return null;
      case 'continuation_invalid':
        log.warn('the conversation could not be continued', { provider: this.#parts.provider.name });
        this.#continuation = null;
        this.#newContinuation = null;
        this.#isForgotten = true;
        return { kind: 'forgotten' };
      case 'error':
        return {
          ...{ kind: 'failed', retryable: event.retryable, message: event.message },
          ...(event.retryAfterMs === undefined ? {} : { retryAfterMs: event.retryAfterMs }),
        };
      default:
        return assertNever(event);
    }
  }

  #endTool(tool: string): void {
    this.#ownTools.get(tool)?.[Symbol.dispose]();
    this.#ownTools.delete(tool);
  }

  /** What a provider throws is a fault of the world it talks to; a broken database of our own is not. */
  #translate(error: unknown): Answer {
    const isOwn = error instanceof Error && error.name === 'SqliteError' && !isPassing(error);
    if (isOwn) throw error;
    log.error('provider threw', { provider: this.#parts.provider.name, error: describeError(error) });
    return { kind: 'failed', retryable: true, message: 'something went wrong inside the agent' };
  }
}

/** A fresh conversation that leads nowhere, too. */
function settle(heard: Heard): Answer {
  if (heard.kind !== 'forgotten') return heard;
  return { kind: 'failed', retryable: false, message: 'its conversation cannot be opened, not even a fresh one' };
}
