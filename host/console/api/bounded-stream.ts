import { MAX_READER_BYTES } from './limits.ts';

const encoder = new TextEncoder();

/** A stream that holds what its reader has not taken, up to MAX_READER_BYTES; then the reader is cut. */
export class BoundedStream {
  readonly readable: ReadableStream<Uint8Array>;
  readonly #onGone: () => void;
  readonly #disconnect: () => void;
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #wanted = false;
  #idleBeats = 0;

  constructor(onGone: () => void, disconnect: () => void) {
    this.#onGone = onGone;
    this.#disconnect = disconnect;
    this.readable = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => this.#take(),
        cancel: () => this.#leave(),
      },
      // Nothing is buffered beside #waiting.
      { highWaterMark: 0 },
    );
  }

  write(text: string): void {
    if (this.#controller === null) return;
    const bytes = encoder.encode(text);
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#wanted) this.#take();
    else if (this.#waitingBytes > MAX_READER_BYTES) this.#cut();
  }

  /** A comment that keeps the connection alive; a reader that took nothing for two beats is cut. */
  beat(): void {
    this.#idleBeats = this.#waitingBytes > 0 ? this.#idleBeats + 1 : 0;
    if (this.#idleBeats > 2) this.#cut();
    else this.write(':\n\n');
  }

  end(): void {
    const controller = this.#controller;
    this.#controller = null;
    controller?.close();
  }

  #take(): void {
    if (this.#waiting.length === 0) {
      this.#wanted = true;
      return;
    }
    this.#wanted = false;
    this.#idleBeats = 0;
    const bytes = Buffer.concat(this.#waiting);
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#controller?.enqueue(bytes);
  }

  #cut(): void {
    this.#leave();
    this.#disconnect();
  }

  #leave(): void {
    this.#controller = null;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#onGone();
  }
}
