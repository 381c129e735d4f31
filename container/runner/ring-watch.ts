/** Waiting, inside a turn, for something that the host will write: each ring is a reason to look again. */
export class RingWatch {
  readonly #pending = new Set<{ look: () => void; giveUp: () => void }>();
  #isClosed = false;

  /** The host's doorbell rang, or a second passed. */
  ring(): void {
    for (const { look } of [...this.#pending]) look();
  }

  /** The turn is over: nobody waits any longer. */
  close(): void {
    this.#isClosed = true;
    for (const { giveUp } of [...this.#pending]) giveUp();
  }

  /**
   * Resolves with what `look` finds, now or at a later ring; null when `timeoutMs` passed or the turn ended.
   * Rejects with what `look` throws.
   */
  async watch<T>(look: () => T | null, timeoutMs: number): Promise<T | null> {
    const first = look();
    if (first !== null || this.#isClosed) return first;
    return await new Promise<T | null>((resolve, reject) => {
      const end = (settle: () => void) => {
        clearTimeout(timer);
        this.#pending.delete(waiter);
        settle();
      };
      const waiter = {
        look: () => {
          try {
            const found = look();
            if (found !== null) end(() => resolve(found));
          } catch (error) {
            end(() => reject(error));
          }
        },
        giveUp: () => end(() => resolve(null)),
      };
      const timer = setTimeout(waiter.giveUp, timeoutMs);
      this.#pending.add(waiter);
    });
  }
}
