/** One timer for all sessions: the next row that falls due, from the index. No session is looked at before its time. */
import { epochMs, type SessionId } from '../../shared/ids.ts';
import type { SessionStore } from '../store/sessions.ts';

/** Sessions woken by one firing. Higher: a burst of starts. Lower: late tasks when many fall due together. */
const MAX_DUE_AT_ONCE = 200;
/** Wait before rows that are due and could not be taken up are tried again. Also the finest grain of two firings. */
const STILL_DUE_MS = 20;
/** setTimeout counts in 32 bits. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export class DueTimer implements Disposable {
  readonly #sessions: SessionStore;
  readonly #onDue: (id: SessionId) => void;
  readonly #now: () => number;
  #timer: NodeJS.Timeout | null = null;
  #at = Number.POSITIVE_INFINITY;
  #isClosed = false;

  constructor(sessions: SessionStore, onDue: (id: SessionId) => void, now: () => number) {
    this.#sessions = sessions;
    this.#onDue = onDue;
    this.#now = now;
  }

  /** Notes when a session's next row falls due (null: none waits), and sets the timer if it is the earliest. */
  set(id: SessionId, at: number | null): void {
    this.#sessions.setNextDue(id, at);
    if (at !== null && at < this.#at) this.#arm(at);
  }

  /** At start: from the table. */
  start(): void {
    const next = this.#sessions.nextDue();
    if (next !== null) this.#arm(next.at);
  }

  #arm(at: number): void {
    if (this.#isClosed) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#at = at;
    this.#timer = setTimeout(() => this.#fire(), Math.min(Math.max(0, at - this.#now()), MAX_TIMER_MS));
  }

  #fire(): void {
    this.#timer = null;
    this.#at = Number.POSITIVE_INFINITY;
    const now = epochMs(this.#now());
    // Each sets its next time itself, once its work is marked open: a crash in between forgets nothing.
    for (const id of this.#sessions.listDue(now, MAX_DUE_AT_ONCE)) this.#onDue(id);
    const next = this.#sessions.nextDue();
    // What could not be looked at is still due: not at once again.
    if (next !== null) this.#arm(Math.max(next.at, now + STILL_DUE_MS));
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }
}
