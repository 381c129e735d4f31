import type { RuntimeClock } from '../../../host/runtime/ports.ts';
import { type EpochMs, epochMs } from '../../../shared/ids.ts';

/** Time that a test moves. Timers run in order, each at its own time, and what they set off settles first. */
export class FakeClock implements RuntimeClock {
  #now: EpochMs;
  readonly #timers = new Set<{ atMs: EpochMs; call: () => void }>();

  constructor(startMs = 1_800_000_000_000) {
    this.#now = epochMs(startMs);
  }

  now(): EpochMs {
    return this.#now;
  }

  at(atMs: EpochMs, call: () => void): () => void {
    const timer = { atMs, call };
    this.#timers.add(timer);
    return () => {
      this.#timers.delete(timer);
    };
  }

  get pending(): number {
    return this.#timers.size;
  }

  /** The program whose timers these are has died. */
  forgetTimers(): void {
    this.#timers.clear();
  }

  /** The machine sleeps: time passes, and no timer fires until it is over. */
  sleep(ms: number): void {
    this.#now = epochMs(this.#now + ms);
  }

  async advance(ms: number): Promise<void> {
    const endMs = epochMs(this.#now + ms);
    await settle();
    for (let next = this.#next(endMs); next !== null; next = this.#next(endMs)) {
      this.#timers.delete(next);
      this.#now = epochMs(Math.max(this.#now, next.atMs));
      next.call();
      await settle();
    }
    this.#now = endMs;
  }

  #next(endMs: EpochMs) {
    let first: { atMs: EpochMs; call: () => void } | null = null;
    for (const timer of this.#timers) if (timer.atMs <= endMs && timer.atMs < (first?.atMs ?? Infinity)) first = timer;
    return first;
  }
}

/** Lets everything that waits for nothing but promises run. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}
