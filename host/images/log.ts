/**
 * The log of one build: clean lines, numbered from 1, in a file and for those who follow it.
 *
 * I1. At most LOG_HEAD_BYTES of its begin and LOG_TAIL_BYTES of its end are kept, in memory and in the file; what
 *     is left out between them is said.
 * I2. Nobody who follows slows it down, and none costs memory: a reader asks for what comes after a number.
 */
import { appendFileSync, createWriteStream, existsSync, type WriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { toDiskFault } from '../config/errors.ts';
import { imagesLog } from '../observe/logger.ts';
import { LineCutter } from './clean-text.ts';
import { LOG_HEAD_BYTES, LOG_TAIL_BYTES } from './limits.ts';

export interface LogLine {
  number: number;
  text: string;
}

export class BuildLog {
  readonly #cutter = new LineCutter();
  readonly #file: WriteStream;
  readonly #head: string[] = [];
  /** The newest lines, oldest first from `#tailStart` on. */
  #tail: string[] = [];
  #tailStart = 0;
  #headBytes = 0;
  #tailBytes = 0;
  /** Lines that were dropped between head and tail. */
  #dropped = 0;
  #isEnded = false;
  #waiting: (() => void)[] = [];

  /** An older file of the same name is replaced; its folder is there (host/config/home.ts). */
  constructor(path: string) {
    this.#file = createWriteStream(path, { mode: 0o600 });
    // A full disk costs the file, not the build.
    this.#file.on('error', (error) => imagesLog.warn({ err: error }, 'the log of a build cannot be written'));
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Output as it comes, in pieces of any size. */
  write(text: string): void {
    this.#add(this.#cutter.push(text));
  }

  /** A line of the host's own, after whatever is unfinished. */
  note(line: string): void {
    this.#add([...this.#cutter.end(), line]);
  }

  /** Up to `count` of the last lines that say something. */
  last(count: number): string[] {
    const tail = this.#tail.slice(this.#tailStart);
    return [...this.#head, ...tail].filter((line) => line.trim() !== '').slice(-count);
  }

  /** Lines after `after`, up to `limit`; those that were left out are skipped. */
  read(after: number, limit: number): LogLine[] {
    const lines: LogLine[] = [];
    for (let number = after + 1; number <= this.#head.length && lines.length < limit; number++) {
      lines.push({ number, text: this.#head[number - 1] ?? '' });
    }
    const firstInTail = this.#head.length + this.#dropped + 1;
    const end = firstInTail + this.#tail.length - this.#tailStart;
    for (let number = Math.max(after + 1, firstInTail); number < end && lines.length < limit; number++) {
      lines.push({ number, text: this.#tail[this.#tailStart + number - firstInTail] ?? '' });
    }
    return lines;
  }

  /** Resolves when there is more to read, or it has ended. */
  changed(): Promise<void> {
    if (this.#isEnded) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Writes what is left and closes the file. Never rejects. */
  async end(): Promise<void> {
    this.#add(this.#cutter.end());
    this.#isEnded = true;
    if (this.#dropped > 0) this.#file.write(`… ${this.#dropped} lines are left out here …\n`);
    for (const line of this.#tail.slice(this.#tailStart)) this.#file.write(`${line}\n`);
    this.#file.end();
    this.#wake();
    // Its error has been told.
    await finished(this.#file).catch(() => undefined);
  }

  #add(lines: readonly string[]): void {
    if (lines.length === 0 || this.#isEnded) return;
    for (const line of lines) {
      const bytes = Buffer.byteLength(line) + 1;
      if (this.#tail.length === 0 && this.#headBytes + bytes <= LOG_HEAD_BYTES) {
        this.#head.push(line);
        this.#headBytes += bytes;
        this.#file.write(`${line}\n`);
      } else this.#addToTail(line, bytes);
    }
    this.#wake();
  }

  #addToTail(line: string, bytes: number): void {
    this.#tail.push(line);
    this.#tailBytes += bytes;
    while (this.#tailBytes > LOG_TAIL_BYTES) {
      this.#tailBytes -= Buffer.byteLength(this.#tail[this.#tailStart] ?? '') + 1;
      this.#tailStart++;
      this.#dropped++;
    }
    // Now and then, so that dropping a line costs next to nothing.
    if (this.#tailStart <= this.#tail.length / 2) return;
    this.#tail = this.#tail.slice(this.#tailStart);
    this.#tailStart = 0;
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

/** Of a build that an earlier host was in the middle of: its file says so, until it is built anew. No file: nothing to say. */
export function noteCutOff(path: string): void {
  try {
    if (existsSync(path))
      appendFileSync(path, '\nThe host stopped in the middle of this build. What is still needed is built anew.\n');
  } catch (error) {
    const fault = toDiskFault(error);
    if (fault === null) throw error;
    imagesLog.warn({ err: fault }, 'the log of a build cannot be written');
  }
}
