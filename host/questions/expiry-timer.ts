/** One timer for the next expiry of many, from an index. Nothing is looked at before its time. */

/** setTimeout counts in 32 bits. */
const MAX_TIMER_MS = 2 ** 31 - 1;
/** Finest grain of two firings: what could not be ended is not tried in a busy loop. */
const GRAIN_MS = 50;

export interface ExpiryPorts {
  /** Epoch ms of the next expiry, null when nothing is open. */
  next(): number | null;
  /** Ends what is over. Must not throw. */
  expire(now: number): void;
  now(): number;
}

export class ExpiryTimer implements Disposable {
  readonly #ports: ExpiryPorts;
  #timer: NodeJS.Timeout | null = null;
  #at = Number.POSITIVE_INFINITY;
  #isClosed = false;

  constructor(ports: ExpiryPorts) {
    this.#ports = ports;
  }

  /** At start, and after the timer fired: from the index. */
  start(): void {
    const next = this.#ports.next();
    if (next !== null) this.#arm(next);
  }

  /** Something opened that ends at `at`. */
  note(at: number): void {
    if (at < this.#at) this.#arm(at);
  }

  #arm(at: number): void {
    if (this.#isClosed) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#at = at;
    this.#timer = setTimeout(() => this.#fire(), Math.min(Math.max(GRAIN_MS, at - this.#ports.now()), MAX_TIMER_MS));
  }

  #fire(): void {
    this.#timer = null;
    this.#at = Number.POSITIVE_INFINITY;
    this.#ports.expire(this.#ports.now());
    this.start();
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }
}
