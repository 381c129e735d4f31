/**
 * Reads a log file line by line, and goes on as it grows.
 *
 * I1. No line is lost or doubled when the file is rotated (another file takes its name: the old one is read
 *     to its end first) or truncated in place (it is read again from its start).
 * I2. A line is yielded when its newline is there, so that half-written ones are not torn.
 */
import { watch } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorCode } from '../../config/errors.ts';

export interface FollowOptions {
  follow: boolean;
  /** How many of the lines already there to yield first. */
  lastLines: number;
  signal: AbortSignal;
}

/** Beside the file watch: the price of a lost event, and all there is where watching is not possible. */
const POLL_MS = 500;
const CHUNK_BYTES = 64 * 1024;
/** How far back the last lines are looked for. Higher: slow on huge logs. Lower: fewer lines than asked. */
const MAX_TAIL_BYTES = 8 * 1024 * 1024;
/** Longest line kept; the rest of a longer one is dropped. */
const MAX_LINE_CHARACTERS = 1024 * 1024;
const NEWLINE = 0x0a;

/** Yields lines without their newline. Throws the system's error when the file cannot be opened at first. */
export async function* followLines(path: string, options: FollowOptions): AsyncGenerator<string> {
  const doorbell = new Doorbell(options.follow ? dirname(path) : null, options.signal);
  let file = await open(path, 'r');
  try {
    let position = await findTail(file, options.lastLines);
    let lines = new LineBuffer();
    for (;;) {
      for (;;) {
        const chunk = await readChunk(file, position);
        if (chunk.length === 0) break;
        position += chunk.length;
        yield* lines.push(chunk);
      }
      if (!options.follow) {
        yield* lines.end();
        return;
      }
      if (options.signal.aborted) return;
      const change = await findChange(path, file, position);
      if (change.kind === 'same') {
        await doorbell.wait();
        continue;
      }
      if (change.kind === 'grown') continue;
      yield* lines.end();
      lines = new LineBuffer();
      position = 0;
      if (change.kind === 'rotated') {
        await file.close();
        file = change.file;
      }
    }
  } finally {
    await file.close();
    doorbell.close();
  }
}

type FileChange = { kind: 'same' } | { kind: 'grown' } | { kind: 'truncated' } | { kind: 'rotated'; file: FileHandle };

async function findChange(path: string, file: FileHandle, position: number): Promise<FileChange> {
  const held = await file.stat();
  if (held.size < position) return { kind: 'truncated' };
  let named: Awaited<ReturnType<typeof stat>>;
  try {
    named = await stat(path);
  } catch (error) {
    // Between the two renames of a rotation nothing has the name.
    if (errorCode(error) === 'ENOENT') return { kind: 'same' };
    throw error;
  }
  if (named.ino === held.ino && named.dev === held.dev) {
    return named.size > position ? { kind: 'grown' } : { kind: 'same' };
  }
  // I1: the writer may have added to the old file after it was last read.
  if ((await file.stat()).size > position) return { kind: 'grown' };
  return { kind: 'rotated', file: await open(path, 'r') };
}

async function readChunk(file: FileHandle, position: number): Promise<Buffer> {
  const { bytesRead, buffer } = await file.read(Buffer.alloc(CHUNK_BYTES), 0, CHUNK_BYTES, position);
  return buffer.subarray(0, bytesRead);
}

/** Where the last `count` lines begin. */
async function findTail(file: FileHandle, count: number): Promise<number> {
  const { size } = await file.stat();
  const floor = Math.max(0, size - MAX_TAIL_BYTES);
  let newlines = 0;
  for (let end = size; end > floor; ) {
    const start = Math.max(floor, end - CHUNK_BYTES);
    const chunk = (await readChunk(file, start)).subarray(0, end - start);
    for (let at = chunk.length - 1; at >= 0; at--) {
      // The newline that ends the file ends the last line and starts none.
      if (chunk[at] !== NEWLINE || start + at === size - 1) continue;
      if (++newlines === count) return start + at + 1;
    }
    end = start;
  }
  return count === 0 ? size : floor;
}

class LineBuffer {
  readonly #decoder = new TextDecoder();
  #rest = '';

  *push(chunk: Buffer): Generator<string> {
    const parts = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split('\n');
    this.#rest = (parts.pop() ?? '').slice(0, MAX_LINE_CHARACTERS);
    yield* parts;
  }

  *end(): Generator<string> {
    if (this.#rest !== '') yield this.#rest;
    this.#rest = '';
  }
}

/** Wakes by file event or timer, whichever is first; carries nothing. */
class Doorbell {
  #ring: (() => void) | null = null;
  #rung = false;
  readonly #close: () => void;

  constructor(folder: string | null, signal: AbortSignal) {
    const ring = () => {
      this.#rung = true;
      this.#ring?.();
    };
    const watcher = folder === null ? null : tryWatch(folder, ring);
    signal.addEventListener('abort', ring);
    this.#close = () => {
      watcher?.close();
      signal.removeEventListener('abort', ring);
    };
  }

  async wait(): Promise<void> {
    if (!this.#rung) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.#ring = resolve;
        timer = setTimeout(resolve, POLL_MS);
      });
      clearTimeout(timer);
      this.#ring = null;
    }
    this.#rung = false;
  }

  close(): void {
    this.#close();
  }
}

const NO_WATCH = new Set(['EMFILE', 'ENOSPC', 'ENOSYS']);

function tryWatch(folder: string, onEvent: () => void): ReturnType<typeof watch> | null {
  try {
    // An error later (the folder was removed) leaves the timer, which finds out by itself.
    return watch(folder, onEvent).on('error', onEvent);
  } catch (error) {
    if (NO_WATCH.has(errorCode(error))) return null;
    throw error;
  }
}
