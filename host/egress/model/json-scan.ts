/**
 * Reads single values out of JSON that passes by in pieces, wherever those are cut, and holds nothing of it but the
 * key or value it is at: an answer of 100 MB costs as much memory as one of 100 bytes.
 *
 * I1. Only paths that were asked for are followed; below all others brackets are counted and strings skipped.
 * I2. A key is read as JSON means it, escapes included: `"mod\u0065l"` is `model`. And in any case, as some servers do.
 * I3. What is no JSON gives wrong values or none, never an error: whoever needs it to be JSON asks `isDone`.
 * I4. No byte costs much: what is no key, or has keys without end, is not read on (`isBroken`), and counts as text.
 */
import { MAX_KEYS, MAX_VALUE_BYTES } from './limits.ts';

export type Scalar = string | number | boolean | null;

/** A tree of the keys that lead to wanted values; `[]` stands for the places of a list. */
export interface WantedTree {
  children: Map<string, WantedTree>;
  /** The path as it was asked for, where a value is wanted. */
  path: string | null;
}

/** Of paths like `message.usage.input_tokens` or `output[].type`. */
export function wantPaths(paths: readonly string[]): WantedTree {
  const root: WantedTree = { children: new Map(), path: null };
  for (const path of paths) {
    let at = root;
    for (const key of path.replaceAll('[]', '.[]').split('.')) {
      const next = at.children.get(key) ?? { children: new Map(), path: null };
      at.children.set(key, next);
      at = next;
    }
    at.path = path;
  }
  return root;
}

export interface JsonSink {
  /** A wanted value; undefined: there is one, and it is a list, an object, too long or no JSON. */
  value(path: string, value: Scalar | undefined): void;
}

interface Frame {
  tree: WantedTree;
  isList: boolean;
  /** What the value that comes next belongs to; null: a key comes next. */
  key: string | null;
  /** Keys so far. */
  keys: number;
}

const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

export class JsonScanner {
  readonly #root: WantedTree;
  readonly #sink: JsonSink;
  #frames: Frame[] = [];
  /** Depth below the last frame, in what nobody asked for. */
  #skipped = 0;
  #state: 'between' | 'string' | 'literal' = 'between';
  /** The last byte of the string was a backslash that escapes the next. */
  #isEscaped = false;
  #stringBytes = 0;
  /** Bytes of a string that is text if no colon follows. */
  #maybeText = 0;
  /** Of the string or literal that is read now; null: nobody wants it. */
  #held: Buffer[] | null = null;
  #heldBytes = 0;
  #first: number | null = null;
  #isDone = false;
  #isBroken = false;
  #textBytes = 0;

  constructor(root: WantedTree, sink: JsonSink) {
    this.#root = root;
    this.#sink = sink;
  }

  /** The first byte that is no blank. */
  get firstByte(): number | null {
    return this.#first;
  }

  /** The outermost value has been closed. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** I4 */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** Bytes of all strings that were values, not keys, but for the outermost ones: ids and names. */
  get textBytes(): number {
    return this.#textBytes;
  }

  /** The next document begins; what was counted stays. */
  reset(): void {
    this.#frames = [];
    this.#skipped = 0;
    this.#state = 'between';
    this.#isEscaped = false;
    this.#maybeText = 0;
    this.#held = null;
    this.#first = null;
    this.#isDone = false;
    this.#isBroken = false;
  }

  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length && !this.#isBroken) {
      if (this.#state === 'string') at = this.#readString(chunk, at);
      else if (this.#state === 'literal') at = this.#readLiteral(chunk, at);
      else at = this.#readBetween(chunk, at);
    }
    this.#textBytes += Math.max(0, chunk.length - at);
  }

  #readBetween(chunk: Buffer, at: number): number {
    const byte = chunk[at] ?? 0;
    if (isBlank(byte)) return at + 1;
    this.#first ??= byte;
    // A string before a colon was a key.
    if (byte !== COLON) this.#textBytes += this.#maybeText;
    this.#maybeText = 0;
    switch (byte) {
      case QUOTE:
        this.#state = 'string';
        this.#stringBytes = 0;
        this.#hold(this.#isAtKey() || this.#wanted()?.path != null);
        return at + 1;
      case OPEN_OBJECT:
      case OPEN_LIST:
        this.#open(byte === OPEN_LIST);
        return at + 1;
      case CLOSE_OBJECT:
      case CLOSE_LIST:
        this.#close();
        return at + 1;
      case COMMA: {
        const frame = this.#frames.at(-1);
        if (this.#skipped === 0 && frame !== undefined && !frame.isList) frame.key = null;
        return at + 1;
      }
      case COLON:
        return at + 1;
      default:
        this.#state = 'literal';
        this.#hold(this.#wanted()?.path != null);
        return at;
    }
  }

  #open(isList: boolean): void {
    const wanted = this.#wanted();
    if (wanted?.path != null) this.#sink.value(wanted.path, undefined);
    if (wanted === null || wanted.children.size === 0) this.#skipped += 1;
    else this.#frames.push({ tree: wanted, isList, key: null, keys: 0 });
  }

  #close(): void {
    if (this.#skipped > 0) this.#skipped -= 1;
    else this.#frames.pop();
    if (this.#skipped === 0 && this.#frames.length === 0) this.#isDone = true;
  }

  #isAtKey(): boolean {
    const frame = this.#frames.at(-1);
    return this.#skipped === 0 && frame !== undefined && !frame.isList && frame.key === null;
  }

  /** What is wanted of the value that comes next; null: nothing. */
  #wanted(): WantedTree | null {
    if (this.#skipped > 0) return null;
    const frame = this.#frames.at(-1);
    if (frame === undefined) return this.#isDone ? null : this.#root;
    const key = frame.isList ? '[]' : frame.key;
    return key === null ? null : (frame.tree.children.get(key) ?? null);
  }

  #hold(isWanted: boolean): void {
    this.#held = isWanted ? [] : null;
    this.#heldBytes = 0;
  }

  #keep(chunk: Buffer, from: number, to: number): void {
    if (this.#held === null || from === to) return;
    this.#heldBytes += to - from;
    // A copy: the chunk is not ours to keep.
    if (this.#heldBytes <= MAX_VALUE_BYTES) this.#held.push(Buffer.from(chunk.subarray(from, to)));
  }

  /** Null: it was not held, or is too long. */
  #takeHeld(): string | null {
    const text =
      this.#held === null || this.#heldBytes > MAX_VALUE_BYTES ? null : Buffer.concat(this.#held).toString('utf8');
    this.#held = null;
    return text;
  }

  #readString(chunk: Buffer, from: number): number {
    let at = from;
    for (; at < chunk.length; at += 1) {
      const byte = chunk[at];
      if (this.#isEscaped) this.#isEscaped = false;
      else if (byte === BACKSLASH) this.#isEscaped = true;
      else if (byte === QUOTE) break;
    }
    this.#stringBytes += at - from;
    this.#keep(chunk, from, at);
    if (at < chunk.length) this.#endString();
    return at + 1;
  }

  #endString(): void {
    this.#state = 'between';
    const raw = this.#takeHeld();
    const frame = this.#frames.at(-1);
    if (frame !== undefined && this.#isAtKey()) {
      const key = raw === null ? '' : decode(raw);
      frame.keys += 1;
      if (key === null || frame.keys > MAX_KEYS) this.#isBroken = true;
      // Too long for any key that was asked for: a name that matches nothing.
      frame.key = key?.toLowerCase() ?? '';
      return;
    }
    // An API that streams its words as the outermost `delta`.
    const isText = this.#frames.length + this.#skipped >= 2 || frame?.key === 'delta';
    this.#maybeText = isText ? this.#stringBytes : 0;
    const path = this.#wanted()?.path ?? null;
    if (path !== null) this.#sink.value(path, raw === null ? undefined : (decode(raw) ?? undefined));
  }

  #readLiteral(chunk: Buffer, from: number): number {
    let at = from;
    while (at < chunk.length && !endsLiteral(chunk[at] ?? 0)) at += 1;
    this.#keep(chunk, from, at);
    if (at === chunk.length) return at;
    this.#state = 'between';
    const raw = this.#takeHeld();
    const path = this.#wanted()?.path ?? null;
    if (path !== null) this.#sink.value(path, raw === null ? undefined : readLiteral(raw));
    return at;
  }
}

function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function endsLiteral(byte: number): boolean {
  return (
    isBlank(byte) ||
    byte === COMMA ||
    byte === COLON ||
    byte === QUOTE ||
    byte === OPEN_LIST ||
    byte === CLOSE_LIST ||
    byte === OPEN_OBJECT ||
    byte === CLOSE_OBJECT
  );
}

/** What JSON has between quotation marks, and outside of them: asked first, because to catch an error takes long. */
const STRING = /^(?:[^\\\p{Cc}]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*$/u;
const LITERAL = /^(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)$/;

/** The text between two quotation marks; null: it is no JSON. I2 */
function decode(raw: string): string | null {
  if (!raw.includes('\\')) return raw;
  const value: unknown = STRING.test(raw) ? JSON.parse(`"${raw}"`) : null;
  return typeof value === 'string' ? value : null;
}

function readLiteral(raw: string): number | boolean | null | undefined {
  const value: unknown = LITERAL.test(raw) ? JSON.parse(raw) : undefined;
  return typeof value === 'number' || typeof value === 'boolean' || value === null ? value : undefined;
}
