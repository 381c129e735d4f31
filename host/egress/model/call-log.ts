/**
 * Calls on their way to the disk: gathered, and committed together.
 *
 * I1. What was added counts at once: `pending` is part of every sum until it is committed.
 * I2. A full disk loses nothing of it; it is tried again, and when too much waits `isFull` says so: then no call may
 *     begin, for nobody could say what it cost.
 */
import type { MessageId } from '../../../shared/ids.ts';
import { toDiskFault } from '../../config/errors.ts';
import type { ModelCallRecord, ModelCallStore } from '../../store/model-calls.ts';
import {
  CALLS_KEPT_MS,
  FLUSH_RETRY_MS,
  FLUSH_WITHIN_MS,
  MAX_CALLS_KEPT,
  MAX_PENDING_CALLS,
  PRUNE_EVERY_MS,
  PRUNED_AT_ONCE,
} from './limits.ts';

export interface CallLogParts {
  calls: Pick<ModelCallStore, 'appendAll' | 'prune'>;
  /** Committed: what these messages cost has changed. */
  onCommitted: (messages: readonly MessageId[]) => void;
  now: () => number;
}

export class CallLog implements Disposable {
  readonly #parts: CallLogParts;
  #pending: ModelCallRecord[] = [];
  #timer: NodeJS.Timeout | null = null;
  #prunedAt = Number.NEGATIVE_INFINITY;

  constructor(parts: CallLogParts) {
    this.#parts = parts;
  }

  /** I1 */
  get pending(): readonly ModelCallRecord[] {
    return this.#pending;
  }

  /** I2 */
  get isFull(): boolean {
    return this.#pending.length >= MAX_PENDING_CALLS;
  }

  add(call: ModelCallRecord): void {
    this.#pending.push(call);
    this.#timer ??= setTimeout(() => this.flush(), FLUSH_WITHIN_MS).unref();
  }

  /** Commits what was added so far. A disk that refuses is asked again later. */
  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const batch = this.#pending;
    if (batch.length === 0) return;
    if (!unlessDiskFails(() => this.#parts.calls.appendAll(batch))) {
      this.#timer = setTimeout(() => this.flush(), FLUSH_RETRY_MS).unref();
      return;
    }
    this.#pending = [];
    // What was not removed now is with the next flush.
    unlessDiskFails(() => this.#prune());
    const messages = new Set(batch.flatMap(({ messageId }) => (messageId === null ? [] : [messageId])));
    if (messages.size > 0) this.#parts.onCommitted([...messages]);
  }

  #prune(): void {
    const now = this.#parts.now();
    if (now - this.#prunedAt < PRUNE_EVERY_MS) return;
    const removed = this.#parts.calls.prune(now - CALLS_KEPT_MS, MAX_CALLS_KEPT, PRUNED_AT_ONCE);
    // As long as there is more, with every flush.
    this.#prunedAt = removed < PRUNED_AT_ONCE ? now : this.#prunedAt;
  }

  [Symbol.dispose](): void {
    this.flush();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}

/** Whether it could be done. */
function unlessDiskFails(work: () => void): boolean {
  try {
    work();
    return true;
  } catch (error) {
    if (toDiskFault(error) === null) throw error;
    return false;
  }
}
