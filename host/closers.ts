/** Closes what was opened, in the opposite order; goes on when one fails, and throws the first failure at the end. */
export class Closers {
  readonly #closes: (() => void | Promise<void>)[] = [];

  add(close: () => void | Promise<void>): void {
    this.#closes.push(close);
  }

  /** Takes over the part: it is disposed of with the rest. */
  use<T extends Disposable | AsyncDisposable>(part: T): T {
    this.add(() =>
      Symbol.asyncDispose in part ? Promise.resolve(part[Symbol.asyncDispose]()) : part[Symbol.dispose](),
    );
    return part;
  }

  async closeAll(): Promise<void> {
    const failures: unknown[] = [];
    for (let close = this.#closes.pop(); close !== undefined; close = this.#closes.pop()) {
      try {
        await close();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
