/**
 * A conversation on disk: `state/openai/<id>.jsonl`, one record a line.
 *
 * I1. A record is on disk before anything is done because of it, so that a killed turn is continued, not repeated.
 * I2. A last line that a kill cut short is taken off; every call has its result, if only "interrupted".
 * I3. The file is replaced as a whole or not at all (compaction).
 */
import {
  closeSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { MAX_TRANSCRIPT_BYTES } from './limits.ts';
import { callsOf, recordSchema, type TranscriptRecord } from './records.ts';

export type Opened =
  | { kind: 'open'; transcript: Transcript }
  | { kind: 'missing' }
  /** Not a transcript of this program, or a damaged one. */
  | { kind: 'unreadable' };

const ID = /^[A-Za-z0-9_-]{1,80}$/;
const INTERRUPTED = 'Interrupted: the container ended here. Look whether it was done before you do it again.';

export class Transcript {
  readonly id: string;
  readonly #path: string;
  #records: TranscriptRecord[];
  #sizeBytes: number;

  private constructor(path: string, id: string, records: TranscriptRecord[], sizeBytes: number) {
    this.#path = path;
    this.id = id;
    this.#records = records;
    this.#sizeBytes = sizeBytes;
  }

  static open(folder: string, id: string): Opened {
    if (!ID.test(id)) return { kind: 'unreadable' };
    const path = pathOf(folder, id);
    const read = readLines(path);
    if (read.kind !== 'read') return read;
    const transcript = new Transcript(path, id, read.records, read.sizeBytes);
    for (const record of closeCalls(read.records)) transcript.append(record); // I2
    return { kind: 'open', transcript };
  }

  /** Throws what the disk throws. Replaces an unreadable one of that id. */
  static create(folder: string, id: string): Transcript {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const transcript = new Transcript(pathOf(folder, id), id, [], 0);
    transcript.replace([]);
    return transcript;
  }

  get records(): readonly TranscriptRecord[] {
    return this.#records;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  append(record: TranscriptRecord): void {
    const line = Buffer.from(`${JSON.stringify(record)}\n`);
    const file = openSync(this.#path, 'a', 0o600);
    try {
      writeAll(file, line);
      fsyncSync(file); // I1
    } catch (error) {
      // A full disk may have taken half of the line: the next one must not stand behind it.
      ftruncateSync(file, this.#sizeBytes);
      throw error;
    } finally {
      closeSync(file);
    }
    this.#records.push(record);
    this.#sizeBytes += line.length;
  }

  /** A header is put before them. */
  replace(records: readonly TranscriptRecord[]): void {
    const all: TranscriptRecord[] = [{ kind: 'header', version: 1 }, ...records];
    const text = Buffer.from(all.map((record) => `${JSON.stringify(record)}\n`).join(''));
    const temporary = `${this.#path}.new`;
    const file = openSync(temporary, 'w', 0o600);
    try {
      writeAll(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, this.#path); // I3
    this.#records = all;
    this.#sizeBytes = text.length;
  }
}

function pathOf(folder: string, id: string): string {
  return join(folder, `${id}.jsonl`);
}

type Read = { kind: 'read'; records: TranscriptRecord[]; sizeBytes: number } | { kind: 'missing' | 'unreadable' };

function readLines(path: string): Read {
  let bytes: Buffer;
  try {
    const about = statSync(path);
    if (!about.isFile() || about.size > 2 * MAX_TRANSCRIPT_BYTES) return { kind: 'unreadable' };
    bytes = readFileSync(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return { kind: 'missing' };
    throw error;
  }
  const end = bytes.lastIndexOf(0x0a) + 1;
  const records: TranscriptRecord[] = [];
  for (const line of bytes.subarray(0, end).toString('utf8').split('\n').slice(0, -1)) {
    const record = parseLine(line);
    if (record === null) return { kind: 'unreadable' };
    records.push(record);
  }
  if (records[0]?.kind !== 'header') return { kind: 'unreadable' };
  if (end < bytes.length) truncate(path, end); // I2
  return { kind: 'read', records, sizeBytes: end };
}

function parseLine(line: string): TranscriptRecord | null {
  try {
    return recordSchema.safeParse(JSON.parse(line)).data ?? null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function closeCalls(records: readonly TranscriptRecord[]): TranscriptRecord[] {
  const open = new Map<string, string>();
  for (const record of records) {
    if (record.kind === 'assistant') for (const { id, name } of callsOf(record)) open.set(id, name);
    if (record.kind === 'result') open.delete(record.callId);
  }
  return [...open].map(([callId, name]) => ({
    kind: 'result',
    callId,
    name,
    isOk: false,
    text: INTERRUPTED,
    media: [],
  }));
}

function truncate(path: string, sizeBytes: number): void {
  const file = openSync(path, 'r+');
  try {
    ftruncateSync(file, sizeBytes);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function writeAll(file: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
}
