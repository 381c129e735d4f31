/**
 * The next time at which each session wants to be looked at: a heap, and one timer for its top.
 *
 * I1. A session has at most one time; a newer one replaces it. Times replaced stay in the heap until they
 *     surface, or until they outnumber the others.
 * I2. Costs nothing for sessions that wait for nothing.
 */
import { type EpochMs, epochMs, type SessionId } from '../../shared/ids.ts';
import type { RuntimeClock } from './ports.ts';

interface Wakeup {
  sessionId: SessionId;
  atMs: EpochMs;
}

/** Replaced entries tolerated beside the live ones. Higher: memory. Lower: the heap is rebuilt more often. */
const MAX_REPLACED = 256;

export class Wakeups {
  readonly #clock: RuntimeClock;
  readonly #onDue: (sessionId: SessionId) => void;
  #heap: Wakeup[] = [];
  readonly #current = new Map<SessionId, Wakeup>();
  #timer: { atMs: EpochMs; cancel: () => void } | null = null;

  constructor(clock: RuntimeClock, onDue: (sessionId: SessionId) => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  get size(): number {
    return this.#current.size;
  }

  set(sessionId: SessionId, atMs: EpochMs): void {
    const known = this.#current.get(sessionId);
    if (known?.atMs === atMs) return;
    const wakeup = { sessionId, atMs };
    this.#current.set(sessionId, wakeup);
    if (this.#heap.length > this.#current.size * 2 + MAX_REPLACED) this.#rebuild();
    else this.#push(wakeup);
    this.#arm();
  }

  has(sessionId: SessionId): boolean {
    return this.#current.has(sessionId);
  }

  /** As `set`, unless it is to be looked at sooner anyway. */
  setNotLater(sessionId: SessionId, atMs: EpochMs): void {
    const known = this.#current.get(sessionId);
    if (known === undefined || known.atMs > atMs) this.set(sessionId, atMs);
  }

  delete(sessionId: SessionId): void {
    this.#current.delete(sessionId);
    this.#arm();
  }

  close(): void {
    this.#current.clear();
    this.#heap = [];
    this.#timer?.cancel();
    this.#timer = null;
  }

  #arm(): void {
    this.#dropReplaced();
    const next = this.#heap[0];
    if (this.#timer !== null && this.#timer.atMs === next?.atMs) return;
    this.#timer?.cancel();
    this.#timer =
      next === undefined ? null : { atMs: next.atMs, cancel: this.#clock.at(next.atMs, () => this.#fire()) };
  }

  #fire(): void {
    this.#timer = null;
    const now = this.#clock.now();
    for (this.#dropReplaced(); ; this.#dropReplaced()) {
      const next = this.#heap[0];
      if (next === undefined || next.atMs > now) break;
      this.#pop();
      this.#current.delete(next.sessionId);
      this.#onDue(next.sessionId);
    }
    this.#arm();
  }

  #dropReplaced(): void {
    for (let top = this.#heap[0]; top !== undefined; top = this.#heap[0]) {
      if (this.#current.get(top.sessionId) === top) return;
      this.#pop();
    }
  }

  #rebuild(): void {
    // A sorted array is a heap.
    this.#heap = [...this.#current.values()].sort((a, b) => a.atMs - b.atMs);
  }

  #push(wakeup: Wakeup): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(wakeup);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || above.atMs <= wakeup.atMs) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = wakeup;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const [left, right] = [heap[2 * at + 1], heap[2 * at + 2]];
      if (left === undefined) break;
      const [child, index] = right !== undefined && right.atMs < left.atMs ? [right, 2 * at + 2] : [left, 2 * at + 1];
      if (child.atMs >= last.atMs) break;
      heap[at] = child;
      at = index;
    }
    heap[at] = last;
  }
}

/** setTimeout holds 31 bits; a longer wait is taken up again. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

export const systemClock: RuntimeClock = {
  now: () => epochMs(),
  at: (atMs, call) => {
    let timer: NodeJS.Timeout;
    const arm = () => {
      const leftMs = atMs - Date.now();
      timer = leftMs > MAX_TIMEOUT_MS ? setTimeout(arm, MAX_TIMEOUT_MS) : setTimeout(call, Math.max(leftMs, 0));
    };
    arm();
    return () => clearTimeout(timer);
  },
};
