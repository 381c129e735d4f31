/** Slows down who guesses the passphrase: one at a time, and a wait after each that was wrong. A restart forgives. */
import { FIRST_WAIT_MS, LONGEST_WAIT_MS } from './limits.ts';

export class Patience {
  #failures = 0;
  #untilMs = 0;
  #isBusy = false;

  /** When the next may be tried, epoch ms; null: now, and it has begun. */
  begin(now: number): number | null {
    if (this.#isBusy) return now + FIRST_WAIT_MS;
    if (now < this.#untilMs) return this.#untilMs;
    this.#isBusy = true;
    return null;
  }

  end(wasRight: boolean, now: number): void {
    this.#isBusy = false;
    this.#failures = wasRight ? 0 : this.#failures + 1;
    this.#untilMs = wasRight ? 0 : now + Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (this.#failures - 1));
  }

  /** After something else went wrong: nothing was tried. */
  abandon(): void {
    this.#isBusy = false;
  }

  get untilMs(): number {
    return this.#untilMs;
  }
}
