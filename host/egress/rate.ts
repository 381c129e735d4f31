/** A bucket that time fills: so many at once, and so many per second after that. */
export class Rate {
  readonly #burst: number;
  readonly #perSecond: number;
  #credits: number;
  #at: number;

  /** Times are milliseconds of any one clock. */
  constructor(burst: number, perSecond: number, now: number) {
    this.#burst = burst;
    this.#perSecond = perSecond;
    this.#credits = burst;
    this.#at = now;
  }

  /** Whether one more may be; then it is spent. */
  spend(now: number): boolean {
    const grown = (Math.max(0, now - this.#at) * this.#perSecond) / 1_000;
    this.#credits = Math.min(this.#credits + grown, this.#burst);
    this.#at = now;
    if (this.#credits < 1) return false;
    this.#credits--;
    return true;
  }

  /** Until one more may be. */
  get waitMs(): number {
    return Math.max(0, Math.ceil(((1 - this.#credits) * 1_000) / this.#perSecond));
  }
}
