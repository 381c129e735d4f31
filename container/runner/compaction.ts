/**
 * Compacting: a turn of its own, in which the provider makes its conversation shorter, and says so. Nothing that is
 * said in it is parsed for blocks: its words go to the chat that the command came from, and nowhere else.
 */
import { type Stamps, stampNow } from '../../shared/trace.ts';
import type { Prompt } from '../providers/provider.ts';
import type { ToolBox } from '../tools/tool.ts';
import { formatAddendum } from './addendum.ts';
import { type Answer, Conversation } from './conversation.ts';
import { formatPrompt } from './format.ts';
import { log } from './log.ts';
import type { InboundMessage } from './message.ts';
import type { Ack } from './outbox.ts';
import { draftNote } from './replies.ts';
import { ToolsInFlight } from './tools-in-flight.ts';
import type { TurnParts, TurnResult } from './turn.ts';

const NO_TOOLS: ToolBox = {
  list: () => [],
  async call(name) {
    return { ok: false, text: `There is no tool ${name} while the conversation is compacted.` };
  },
};
const DONE = 'Compacted: I keep a summary of what we said.';
const NOTHING_YET = 'There is nothing to compact: this conversation has only begun.';

export class Compaction {
  readonly #parts: TurnParts;
  readonly #command: InboundMessage;
  readonly #conversation: Conversation;
  readonly #inFlight: ToolsInFlight;
  readonly #startedAt = stampNow();

  constructor(parts: TurnParts, command: InboundMessage) {
    const { provider, session, paths, gateway, chart, servers, outbox } = parts;
    this.#parts = parts;
    this.#command = command;
    this.#inFlight = new ToolsInFlight((tool) => outbox.setTool(tool));
    this.#conversation = new Conversation(
      {
        ...{ provider, session, paths, gateway, tools: NO_TOOLS, inFlight: this.#inFlight },
        messageId: () => command.id,
        addendum: () => formatAddendum(chart.read(), servers.problems()),
        onOutput: () => undefined,
      },
      outbox.continuation(provider.name),
    );
  }

  /** What to commit; null after an interruption, when nothing is settled. */
  async run(): Promise<TurnResult> {
    const { provider, outbox } = this.#parts;
    if (outbox.sentInReplyTo(this.#command.id).length > 0) return this.#plan({ kind: 'done' }, null);
    if (provider.compact === undefined) {
      return this.#plan(
        { kind: 'done' },
        `My provider, \`${provider.name}\`, keeps no long conversation: there is nothing to compact.`,
      );
    }
    try {
      const answer = await this.#conversation.compact(this.#prompt());
      if (answer === null) return this.#plan({ kind: 'done' }, NOTHING_YET);
      return this.#planAnswer(answer);
    } finally {
      this.#inFlight.close();
    }
  }

  interrupt(): void {
    this.#conversation.interrupt();
  }

  #planAnswer(answer: Answer): TurnResult {
    switch (answer.kind) {
      case 'interrupted':
        return null;
      case 'answered':
        log.info('conversation compacted');
        return this.#plan({ kind: 'done' }, answer.text.trim() || DONE);
      case 'failed': {
        log.warn('compacting failed', { retryable: answer.retryable, error: answer.message });
        const note = answer.retryable ? null : `(The conversation could not be compacted: ${answer.message})`;
        return this.#plan(answer, note);
      }
    }
  }

  #plan(end: { kind: 'done' } | Extract<Answer, { kind: 'failed' }>, note: string | null): NonNullable<TurnResult> {
    const { id, tries } = this.#command;
    const stamps: Stamps = { provider_started: this.#startedAt, row_committed: stampNow() };
    const drafts = note === null ? [] : [draftNote({ chart: this.#parts.chart.read() }, this.#command, note)];
    return {
      drafts,
      acks: [describeEnd({ id, tries, stamps }, end)],
      continuation: this.#conversation.change,
    };
  }

  /** The command as it was typed: what stands behind `/compact` may say what is to be kept. */
  #prompt(): Prompt {
    const { chart, session, paths } = this.#parts;
    return formatPrompt([this.#command], {
      chart: chart.read(),
      timezone: session.timezone,
      inFolder: paths.in,
      omittedCount: 0,
      checkOf: () => null,
      findSeq: () => null,
    });
  }
}

function describeEnd(
  common: { id: string; tries: number; stamps: Stamps },
  end: { kind: 'done' } | Extract<Answer, { kind: 'failed' }>,
): Ack {
  if (end.kind === 'done') return { ...common, state: 'done' };
  const { kind: _failed, message, ...more } = end;
  return { ...common, ...more, state: 'failed', error: message };
}
