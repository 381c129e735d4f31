/**
 * Reads server-sent events that pass by in pieces: the JSON of each one's data goes to a scanner, byte for byte, so
 * that no line is ever held, however long it is. Lines end in LF, CRLF or CR; comments and other fields are skipped.
 */
import type { JsonScanner } from './json-scan.ts';

const [LF, CR, COLON, SPACE] = [0x0a, 0x0d, 0x3a, 0x20];
const DATA = Buffer.from('data');

export class EventScanner {
  readonly #scanner: JsonScanner;
  /** `name`: in a field's name, so far that of data; `space`: behind its colon. */
  #state: 'name' | 'space' | 'data' | 'skip' = 'name';
  #nameBytes = 0;
  /** A LF that comes next belongs to the CR before it. */
  #wasCr = false;
  #hasData = false;
  #events = 0;

  constructor(scanner: JsonScanner) {
    this.#scanner = scanner;
  }

  /** Events with data that were begun. */
  get events(): number {
    return this.#events;
  }

  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      const byte = chunk[at] ?? 0;
      if (this.#wasCr && byte === LF) {
        this.#wasCr = false;
        at += 1;
      } else if (byte === LF || byte === CR) {
        this.#endLine();
        this.#wasCr = byte === CR;
        at += 1;
      } else {
        this.#wasCr = false;
        at = this.#readLine(chunk, at, byte);
      }
    }
  }

  #readLine(chunk: Buffer, at: number, byte: number): number {
    switch (this.#state) {
      case 'name':
        if (byte === COLON && this.#nameBytes === DATA.length) {
          this.#state = 'space';
          if (!this.#hasData) this.#events += 1;
          this.#hasData = true;
        } else if (byte === DATA[this.#nameBytes]) this.#nameBytes += 1;
        else this.#state = 'skip';
        return at + 1;
      case 'space':
        this.#state = 'data';
        return byte === SPACE ? at + 1 : at;
      case 'data': {
        const end = findLineEnd(chunk, at);
        this.#scanner.push(chunk.subarray(at, end));
        return end;
      }
      case 'skip':
        return findLineEnd(chunk, at);
    }
  }

  #endLine(): void {
    const isBlank = this.#state === 'name' && this.#nameBytes === 0;
    this.#state = 'name';
    this.#nameBytes = 0;
    if (!isBlank || !this.#hasData) return;
    this.#hasData = false;
    this.#scanner.reset();
  }
}

function findLineEnd(chunk: Buffer, from: number): number {
  let at = from;
  while (at < chunk.length && chunk[at] !== LF && chunk[at] !== CR) at += 1;
  return at;
}
