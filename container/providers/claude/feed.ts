/** What is said to the SDK, one message after the other; it reads on until the feed ends. */
import { randomUUID } from 'node:crypto';
import type { ContentBlock, SdkUserMessage } from './sdk.ts';

export class Feed implements AsyncIterable<SdkUserMessage> {
  readonly #messages: SdkUserMessage[] = [];
  #isEnded = false;
  #wake: () => void = () => undefined;

  /** Returns the id by which the SDK tells that it has taken it. `isCommand`: one of its own, as `/compact`. */
  add(content: ContentBlock[], isCommand = false): string {
    const uuid = randomUUID();
    this.#messages.push({
      ...{ type: 'user', message: { role: 'user', content }, parent_tool_use_id: null, session_id: '', uuid },
      ...(isCommand ? {} : { client_composed: true }),
    });
    this.#wake();
    return uuid;
  }

  end(): void {
    this.#isEnded = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<SdkUserMessage> {
    for (;;) {
      const next = this.#messages.shift();
      if (next !== undefined) yield next;
      else if (this.#isEnded) return;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }
}
