/**
 * Work that is tried again after a while, as long as its owner lives. An open retry keeps no process alive, and what
 * is open when the owner closes is dropped: the rows say what is left, and the next start takes them up.
 */
export class Retries implements Disposable {
  readonly #timers = new Set<NodeJS.Timeout>();
  #isClosed = false;

  /** Runs the work once, `waitMs` from now; never after this is disposed of. */
  after(waitMs: number, work: () => void): void {
    if (this.#isClosed) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, waitMs).unref();
    this.#timers.add(timer);
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }
}
