/**
 * Work that its owner began and nobody waits for. Whoever closes the owner waits here for the end of it: what goes on
 * after that finds the database closed, and ends the host with an error instead of an orderly stop.
 */
export class UnderWay implements AsyncDisposable {
  readonly #work = new Set<Promise<unknown>>();

  /** The same promise; remembered until it settles. Its rejection is the caller's. */
  add<T>(work: Promise<T>): Promise<T> {
    const settled: Promise<unknown> = work.then(forget, forget);
    this.#work.add(settled);
    const under = this.#work;
    function forget(): void {
      under.delete(settled);
    }
    return work;
  }

  /** Resolves when nothing is under way, what begins meanwhile included. Never rejects. */
  async [Symbol.asyncDispose](): Promise<void> {
    while (this.#work.size > 0) await Promise.all(this.#work);
  }
}
