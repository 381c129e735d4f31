/** Results that fit: pure. */
import { MAX_RESULT_BYTES } from '../limits.ts';

/** Head and tail of what is too long; the middle is told by its size. */
export function boundText(text: string, maxBytes = MAX_RESULT_BYTES): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= maxBytes) return text;
  const half = Math.floor(maxBytes / 2);
  return joinEnds(bytes.subarray(0, half), bytes.subarray(bytes.length - half), bytes.length - 2 * half);
}

/** `left out` counts bytes. Characters that were cut in two go. */
export function joinEnds(head: Buffer, tail: Buffer, leftOutBytes: number): string {
  const before = head.toString('utf8').replace(/\ufffd+$/, '');
  const after = tail.toString('utf8').replace(/^\ufffd+/, '');
  return leftOutBytes > 0 ? `${before}\n… (${leftOutBytes} bytes left out) …\n${after}` : before + after;
}

/** Keeps the beginning and the end of a stream, whatever flows between. */
export class EndsBuffer {
  readonly #half: number;
  #head: Buffer[] = [];
  #headBytes = 0;
  #tail: Buffer[] = [];
  #tailBytes = 0;
  #totalBytes = 0;

  constructor(maxBytes = MAX_RESULT_BYTES) {
    this.#half = Math.floor(maxBytes / 2);
  }

  get totalBytes(): number {
    return this.#totalBytes;
  }

  add(chunk: Buffer): void {
    this.#totalBytes += chunk.length;
    const room = Math.max(0, this.#half - this.#headBytes);
    if (room > 0) {
      this.#head.push(Buffer.from(chunk.subarray(0, room)));
      this.#headBytes += Math.min(room, chunk.length);
    }
    const rest = chunk.subarray(room);
    if (rest.length === 0) return;
    this.#tail.push(Buffer.from(rest));
    this.#tailBytes += rest.length;
    // Not at each chunk: joining costs.
    if (this.#tailBytes > 4 * this.#half) this.#trim();
  }

  read(): string {
    this.#trim();
    const leftOut = this.#totalBytes - this.#headBytes - this.#tailBytes;
    return joinEnds(Buffer.concat(this.#head), Buffer.concat(this.#tail), leftOut);
  }

  #trim(): void {
    const all = Buffer.concat(this.#tail);
    const kept = all.subarray(Math.max(0, all.length - this.#half));
    this.#tail = [kept];
    this.#tailBytes = kept.length;
  }
}
