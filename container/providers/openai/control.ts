/** What the runner may do to a turn while it goes on: the shape that every turn of this provider has. */
import type { Prompt, ProviderEvent, ProviderTurn } from '../provider.ts';

export class Control {
  readonly #abort = new AbortController();
  #pushed: Prompt[] = [];
  #isOpen = true;

  /** Aborted by an interruption, and at the end. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  push(prompt: Prompt): boolean {
    if (!this.#isOpen) return false;
    this.#pushed.push(prompt);
    return true;
  }

  /** What was pushed since the last look. */
  take(): Prompt[] {
    const taken = this.#pushed;
    this.#pushed = [];
    return taken;
  }

  /** No more pushes are taken. */
  close(): void {
    this.#isOpen = false;
  }

  interrupt(): void {
    this.#isOpen = false;
    this.#abort.abort();
  }
}

export function makeTurn(run: (control: Control) => AsyncGenerator<ProviderEvent>): ProviderTurn {
  const control = new Control();
  return {
    async *[Symbol.asyncIterator]() {
      if (control.signal.aborted) return;
      try {
        yield* run(control);
      } finally {
        // Whatever still runs in the turn's name ends with it.
        control.interrupt();
      }
    },
    push: (prompt) => control.push(prompt),
    interrupt: () => control.interrupt(),
    end: () => control.close(),
  };
}
