/** Counts what a server prints, over a window of time. */
import { FLOOD_WINDOW_MS } from './limits.ts';

export class FloodGauge {
  readonly #max: number;
  #since = Number.NEGATIVE_INFINITY;
  #count = 0;

  constructor(maxPerWindow: number) {
    this.#max = maxPerWindow;
  }

  /** False when it is too much. `now` is a clock that does not go back, in ms. */
  add(count: number, now: number): boolean {
    if (now - this.#since > FLOOD_WINDOW_MS) {
      this.#since = now;
      this.#count = 0;
    }
    this.#count += count;
    return this.#count <= this.#max;
  }
}
