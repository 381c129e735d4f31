/**
 * What one turn knows: the messages it answers and what it has sent so far.
 *
 * I1. What an earlier, crashed try of the same messages already sent is not sent again. Each such row
 *     stands in for one equal send of this try, so an agent that says "ping" twice still says it twice.
 * I2. A final block does not repeat what a tool already sent in this turn.
 * I3. After the turn nothing is sent in its name: a tool that comes too late is told so.
 */
import { makeId } from '../../shared/ids.ts';
import type { Draft, InboundMessage, SentRow } from './message.ts';
import type { Outbox } from './outbox.ts';
import { isSame } from './replies.ts';

/** A tool wanted to send after the turn that it was called in (I3). */
export class TurnOverError extends Error {
  override readonly name = 'TurnOverError';
  readonly retryable = false;
}

export class TurnScope {
  readonly #outbox: Outbox;
  readonly #batch: InboundMessage[] = [];
  /** Rows of earlier tries that no send of this try has matched yet. */
  readonly #earlier: SentRow[] = [];
  /** The messages whose answers of earlier tries are known. */
  readonly #loaded = new Set<string>();
  /** Sent by tools in this turn, earlier tries' rows that stood in included. */
  readonly #sent: SentRow[] = [];
  /** Awaited by a tool: acknowledged with the turn, never shown, and nothing is in answer to them. */
  readonly #absorbed: InboundMessage[] = [];
  readonly #onSend: () => void;
  #isOver = false;

  constructor(outbox: Outbox, batch: readonly InboundMessage[], onSend: () => void) {
    this.#outbox = outbox;
    this.#onSend = onSend;
    this.add(batch);
  }

  /** By sequence number. */
  get batch(): readonly InboundMessage[] {
    return this.#batch;
  }

  get sent(): readonly SentRow[] {
    return this.#sent;
  }

  get absorbed(): readonly InboundMessage[] {
    return this.#absorbed;
  }

  absorb(message: InboundMessage): void {
    this.#absorbed.push(message);
  }

  /** Takes messages out that the provider is not to see. */
  remove(ids: ReadonlySet<string>): void {
    const kept = this.#batch.filter((message) => !ids.has(message.id));
    this.#batch.splice(0, this.#batch.length, ...kept);
  }

  close(): void {
    this.#isOver = true;
  }

  /** Messages that joined the running turn. */
  add(messages: readonly InboundMessage[]): void {
    this.#batch.push(...messages);
    for (const message of messages) {
      this.#loaded.add(message.id);
      this.#earlier.push(...this.#outbox.sentInReplyTo(message.id));
    }
  }

  /** The row of an earlier try that is this very send, if any; it is used up by this call (I1). */
  takeEarlier(draft: Draft): SentRow | null {
    if (this.#isOver) throw new TurnOverError();
    const index = this.#findEarlier(draft);
    const [row] = index === -1 ? [] : this.#earlier.splice(index, 1);
    if (row) this.#sent.push(row);
    return row ?? null;
  }

  /** Whether an earlier try made this very send, and no send of this try has stood for it yet. */
  hasEarlier(draft: Draft): boolean {
    return this.#findEarlier(draft) !== -1;
  }

  /** Of an answer to an older message, an earlier try is what was written since this batch came. */
  #loadEarlier(messageId: string | null): void {
    const firstSeq = this.#batch[0]?.seq;
    if (messageId === null || firstSeq === undefined || this.#loaded.has(messageId)) return;
    this.#loaded.add(messageId);
    const own = new Set(this.#sent.map(({ id }) => id));
    const rows = this.#outbox.sentInReplyTo(messageId).filter(({ id, seq }) => seq > firstSeq && !own.has(id));
    this.#earlier.push(...rows);
  }

  #findEarlier(draft: Draft): number {
    this.#loadEarlier(draft.inReplyTo);
    const isMatch = isSame(draft);
    const exact = this.#earlier.findIndex((row) => row.inReplyTo === draft.inReplyTo && isMatch(row));
    if (exact !== -1 || !this.#isInBatch(draft.inReplyTo)) return exact;
    // What came in since makes a newer message the answered one: the earlier try's row is in answer to an older.
    return this.#earlier.findIndex((row) => this.#isInBatch(row.inReplyTo) && isMatch(row));
  }

  /** Commits a tool's row now, unless an earlier try did. */
  send(draft: Draft, id: string = makeId('message')): SentRow {
    const earlier = this.takeEarlier(draft);
    if (earlier) return earlier;
    const row = this.#outbox.insert(draft, id);
    this.#sent.push(row);
    this.#onSend();
    return row;
  }

  /** Final drafts without what was already sent (I1, I2). Before `close`. */
  withoutRepeats(drafts: readonly Draft[]): Draft[] {
    const sent = [...this.#sent];
    return drafts.filter((draft) => {
      const isMatch = isSame(draft);
      const index = sent.findIndex(
        (row) => isMatch(row) && (row.inReplyTo === draft.inReplyTo || this.#isInBatch(row.inReplyTo)),
      );
      if (index !== -1) {
        sent.splice(index, 1);
        return false;
      }
      return this.takeEarlier(draft) === null;
    });
  }

  /** A message may have joined between the tool's send and the final block, which then answers that one. */
  #isInBatch(messageId: string | null): boolean {
    return this.#batch.some((message) => message.id === messageId);
  }
}
