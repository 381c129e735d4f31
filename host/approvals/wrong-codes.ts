/** Bounds how often one person may name codes that are none: a code is no secret, but nobody shall try them all. */
import type { UserId } from '../../shared/ids.ts';

/** Wrong codes of one person within WINDOW_MS. Higher: codes can be tried out. Lower: typing errors lock an admin out. */
export const MAX_WRONG_CODES = 8;
const WINDOW_MS = 10 * 60_000;
/** People remembered. Higher: memory. Lower: many strangers together push each other out. */
const MAX_PEOPLE = 10_000;

export class WrongCodes {
  readonly #tries = new Map<UserId, { since: number; count: number }>();

  /** Whether this person named too many, and has to wait. */
  isOver(by: UserId, now: number): boolean {
    const tries = this.#tries.get(by);
    return tries !== undefined && now - tries.since < WINDOW_MS && tries.count >= MAX_WRONG_CODES;
  }

  /** One more; returns how many within the window. */
  note(by: UserId, now: number): number {
    const known = this.#tries.get(by);
    const tries = known === undefined || now - known.since >= WINDOW_MS ? { since: now, count: 0 } : known;
    tries.count += 1;
    // Who tried longest ago comes first, and is forgotten first.
    this.#tries.delete(by);
    this.#tries.set(by, tries);
    if (this.#tries.size > MAX_PEOPLE)
      for (const oldest of this.#tries.keys()) {
        this.#tries.delete(oldest);
        break;
      }
    return tries.count;
  }
}
