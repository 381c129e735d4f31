/**
 * Work that its owner began and nobody waits for. Whoever closes the owner waits here for the end of it: what goes on
 * after that finds the database closed, and ends the host with an error instead of an orderly stop.
 */
export class UnderWay implements AsyncDisposable {
  readonly #work = new Set<Promise<void>>();

  /** What the work comes to; remembered until then. A rejection is the caller's: with none it is a bug, and ends the host. */
  add<T>(work: Promise<T>): Promise<T> {
    let end: () => void = () => undefined;
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    this.#work.add(ended);
    const forget = () => {
      this.#work.delete(ended);
      end();
    };
    return work.then(
      (result) => {
        forget();
        return result;
      },
      (error: unknown) => {
        forget();
        throw error;
      },
    );
  }

  /** Resolves when nothing is under way, what begins meanwhile included. Never rejects. */
  async [Symbol.asyncDispose](): Promise<void> {
    while (this.#work.size > 0) {
      await Promise.all(this.#work);
      // Whoever waited for it goes on first.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
