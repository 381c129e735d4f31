/** Cuts a stream of bytes into lines, of which none may be longer than a limit. */

/** The rest of a line that is too long is passed over, and what follows is read again. */
export class LineReader {
  readonly #maxBytes: number;
  readonly #onLine: (line: string) => void;
  readonly #onTooLong: () => void;
  #pieces: Buffer[] = [];
  #bytes = 0;
  #isTooLong = false;

  constructor(maxBytes: number, handlers: { onLine: (line: string) => void; onTooLong: () => void }) {
    this.#maxBytes = maxBytes;
    this.#onLine = handlers.onLine;
    this.#onTooLong = handlers.onTooLong;
  }

  add(chunk: Buffer): void {
    let from = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
      this.#take(chunk.subarray(from, end));
      this.#end();
      from = end + 1;
    }
    this.#take(chunk.subarray(from));
  }

  #take(piece: Buffer): void {
    if (piece.length === 0 || this.#isTooLong) return;
    this.#bytes += piece.length;
    this.#pieces.push(piece);
    if (this.#bytes <= this.#maxBytes) return;
    this.#isTooLong = true;
    this.#pieces = [];
    this.#onTooLong();
  }

  #end(): void {
    const line = this.#isTooLong ? '' : Buffer.concat(this.#pieces).toString('utf8');
    this.#pieces = [];
    this.#bytes = 0;
    this.#isTooLong = false;
    if (line.trim() !== '') this.#onLine(line);
  }
}
