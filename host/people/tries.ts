/** How many wrong codes are taken: of one sender, and of all strangers together. In memory; a restart forgives. */
import type { UserId } from '../../shared/ids.ts';

/** Wrong codes of one sender within WINDOW_MS. Higher: more noise in the ledger. Lower: typing errors lock people out. */
export const MAX_TRIES = 5;
/** Wrong codes of all within WINDOW_MS that are looked at and recorded. Higher: a flood fills the ledger. Lower: noise hides an attack. */
export const MAX_TRIES_IN_ALL = 60;
export const TRIES_WINDOW_MS = 10 * 60_000;
/** Senders remembered. Higher: memory. Lower: many senders forget each other's tries; the bound on all holds. */
const MAX_SENDERS = 10_000;

interface Count {
  failures: number;
  since: number;
}

export class Tries {
  readonly #bySender = new Map<UserId, Count>();
  #all: Count = { failures: 0, since: 0 };

  /** Whether this sender has tried too often. */
  isSpent(sender: UserId, now: number): boolean {
    return isFull(this.#bySender.get(sender), MAX_TRIES, now);
  }

  /** Whether all together have. */
  isSpentByAll(now: number): boolean {
    return isFull(this.#all, MAX_TRIES_IN_ALL, now);
  }

  /** A wrong code. Whether it is one to record. */
  fail(sender: UserId, now: number): boolean {
    const isRecorded = !this.isSpentByAll(now);
    const known = this.#bySender.get(sender);
    if (known === undefined && this.#bySender.size >= MAX_SENDERS) {
      for (const oldest of this.#bySender.keys()) {
        this.#bySender.delete(oldest);
        break;
      }
    }
    this.#bySender.set(sender, add(known, now));
    this.#all = add(this.#all, now);
    return isRecorded;
  }
}

function isFull(count: Count | undefined, most: number, now: number): boolean {
  return count !== undefined && count.failures >= most && now - count.since < TRIES_WINDOW_MS;
}

function add(count: Count | undefined, now: number): Count {
  if (count === undefined || now - count.since >= TRIES_WINDOW_MS) return { failures: 1, since: now };
  return { failures: count.failures + 1, since: count.since };
}
