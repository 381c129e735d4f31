/**
 * The reply syntax: `<message to="name">…</message>` blocks in the final text of a turn.
 *
 * I1. Text outside blocks, and everything inside `<internal>`, is never part of a block.
 * I2. A tag inside code is text (see `code.ts`).
 * I3. A block that is not closed ends where the next one begins, or at the end of the text: words
 *     meant for one place never run on into another place's block.
 * I4. No input throws, and the time is linear in the length of the text.
 */
import { assertNever } from '../assert.ts';
import { findCode, type Region } from './code.ts';
import { decodeEntities, encodeAttribute, encodeCharacter } from './entities.ts';
import { findTags, isSpace, type Tag } from './tags.ts';

export interface Block {
  /** As written; empty when the tag names nobody. Whether it exists is for the chart to say. */
  to: string;
  /** As written in `reply_to`, or null. */
  replyTo: string | null;
  text: string;
}

export interface ParsedReply {
  blocks: Block[];
  /** What stood outside every block: for the log, and for one more question to the provider. */
  scratch: string;
  /** Whether anything was marked `<internal>`. */
  hasInternal: boolean;
}

/** Parses the final text of a turn. Never throws; linear time. */
export function parseReply(text: string): ParsedReply {
  const tags = findTags(text);
  const code = tags.length === 0 ? [] : findCode(text, tags);
  return new ReplyBuilder(text, code, outsideCode(tags, code)).build();
}

/** Writes a block that `parseReply` reads back exactly, whatever the text holds. */
export function formatBlock(block: Block): string {
  const replyTo = block.replyTo === null ? '' : ` reply_to="${encodeAttribute(block.replyTo)}"`;
  return `<message to="${encodeAttribute(block.to)}"${replyTo}>${encodeBody(block.text)}</message>`;
}

/** Backticks and tildes are encoded too: else text could look like code, where entities stay as they are. */
function encodeBody(text: string): string {
  const encoded = text.replace(/[&<>`~]/g, encodeCharacter);
  const encodeEdge = (edge: string) => edge.replace(/[\s\S]/g, (char) => `&#${char.charCodeAt(0)};`);
  const [start, end] = trimRange(encoded, 0, encoded.length);
  return encodeEdge(encoded.slice(0, start)) + encoded.slice(start, end) + encodeEdge(encoded.slice(end));
}

function outsideCode(tags: readonly Tag[], code: readonly Region[]): Tag[] {
  let index = 0;
  return tags.filter((tag) => {
    while (index < code.length && (code[index] as Region).end <= tag.start) index++;
    const region = code[index];
    return !region || tag.start < region.start;
  });
}

interface OpenBlock {
  pieces: Region[];
  /** How many pieces stood before the first block opened inside; null when none did. */
  piecesBeforeInner: number | null;
}

type Frame =
  | { kind: 'block'; block: OpenBlock }
  /** An incoming message that the agent repeats (`<message id=… from=…>`): plain text of what surrounds it. */
  | { kind: 'quoted'; block: OpenBlock | null };

class ReplyBuilder {
  readonly #text: string;
  readonly #code: readonly Region[];
  readonly #tags: readonly Tag[];
  readonly #stack: Frame[] = [];
  readonly #blocks: { to: string; replyTo: string | null; pieces: Region[] }[] = [];
  readonly #scratch: Region[] = [];
  #hasInternal = false;
  #at = 0;

  constructor(text: string, code: readonly Region[], tags: readonly Tag[]) {
    this.#text = text;
    this.#code = code;
    this.#tags = tags;
  }

  build(): ParsedReply {
    const internalEnds = matchInternals(this.#tags);
    for (let index = 0; index < this.#tags.length; index++) {
      const tag = this.#tags[index] as Tag;
      this.#takeUntil(tag.start);
      this.#at = tag.end;
      switch (tag.kind) {
        case 'open':
          this.#open(tag);
          break;
        case 'close':
          this.#close(tag);
          break;
        case 'internal-close':
          break;
        case 'internal-open':
          if (!tag.isSelfClosing) index = this.#skipInternal(index, internalEnds.get(index));
          break;
        default:
          assertNever(tag.kind);
      }
    }
    this.#takeUntil(this.#text.length);
    while (this.#stack.length > 0) this.#abandon(this.#stack.pop() as Frame);
    const blocks = this.#blocks.map(({ pieces, ...block }) => ({ ...block, text: this.#read(pieces) }));
    const scratch = this.#scratch.sort((a, b) => a.start - b.start).map((piece) => this.#slice(piece));
    return { blocks, scratch: scratch.join('').trim(), hasInternal: this.#hasInternal };
  }

  get #sink(): Region[] {
    return this.#stack.at(-1)?.block?.pieces ?? this.#scratch;
  }

  #takeUntil(end: number): void {
    if (end > this.#at) this.#sink.push({ start: this.#at, end });
    this.#at = Math.max(this.#at, end);
  }

  #open(tag: Tag): void {
    const to = tag.attributes.get('to');
    const around = this.#stack.at(-1)?.block ?? null;
    if (to === undefined && (tag.attributes.has('from') || tag.attributes.has('id'))) {
      this.#sink.push({ start: tag.start, end: tag.end });
      if (!tag.isSelfClosing) this.#stack.push({ kind: 'quoted', block: around });
      return;
    }
    if (around) around.piecesBeforeInner ??= around.pieces.length;
    const replyTo = tag.attributes.get('reply_to') ?? tag.attributes.get('replyto') ?? null;
    const block: OpenBlock = { pieces: [], piecesBeforeInner: null };
    this.#blocks.push({ to: (to ?? '').trim(), replyTo, pieces: block.pieces });
    if (!tag.isSelfClosing) this.#stack.push({ kind: 'block', block });
  }

  #close(tag: Tag): void {
    const frame = this.#stack.pop();
    if (frame?.kind === 'quoted') this.#sink.push({ start: tag.start, end: tag.end });
  }

  /** I3: without its closing tag, a block keeps only what stood before the next one. */
  #abandon(frame: Frame): void {
    if (frame.kind === 'quoted' || frame.block.piecesBeforeInner === null) return;
    for (const piece of frame.block.pieces.splice(frame.block.piecesBeforeInner)) this.#scratch.push(piece);
  }

  /** I1. Returns the index of the last tag that was passed over. */
  #skipInternal(openIndex: number, endIndex: number | undefined): number {
    this.#hasInternal = true;
    if (endIndex !== undefined) {
      this.#at = (this.#tags[endIndex] as Tag).end;
      return endIndex;
    }
    // Never closed. In a block it ends with the block; outside, everything to the end stays unsent.
    let index = openIndex + 1;
    if (this.#stack.length > 0) {
      while (index < this.#tags.length && this.#tags[index]?.kind !== 'close') index++;
    } else index = this.#tags.length;
    this.#at = this.#tags[index]?.start ?? this.#text.length;
    return index - 1;
  }

  /** Entities are decoded outside code only: in code, `&lt;` may be what the person asked about. */
  #read(pieces: readonly Region[]): string {
    const trimmed = trimPieces(this.#text, pieces);
    return trimmed.map((piece) => this.#decode(piece)).join('');
  }

  #decode(piece: Region): string {
    let result = '';
    let at = piece.start;
    for (let index = firstRegionFrom(this.#code, piece.start); index < this.#code.length; index++) {
      const region = this.#code[index] as Region;
      if (region.start >= piece.end) break;
      result += decodeEntities(this.#text.slice(at, Math.max(at, region.start)));
      const end = Math.min(region.end, piece.end);
      result += this.#text.slice(Math.max(at, region.start), end);
      at = end;
    }
    return result + decodeEntities(this.#text.slice(at, piece.end));
  }

  #slice(piece: Region): string {
    return this.#text.slice(piece.start, piece.end);
  }
}

/** Index of each opening `<internal>` to the index of its closing tag; those never closed are absent. */
function matchInternals(tags: readonly Tag[]): Map<number, number> {
  const ends = new Map<number, number>();
  const open: number[] = [];
  tags.forEach((tag, index) => {
    if (tag.kind === 'internal-open' && !tag.isSelfClosing) open.push(index);
    if (tag.kind !== 'internal-close') return;
    const opener = open.pop();
    if (opener !== undefined) ends.set(opener, index);
  });
  return ends;
}

function firstRegionFrom(regions: readonly Region[], position: number): number {
  let low = 0;
  let high = regions.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((regions[middle] as Region).end <= position) low = middle + 1;
    else high = middle;
  }
  return low;
}

function trimPieces(text: string, pieces: readonly Region[]): Region[] {
  const kept = pieces.filter((piece) => piece.end > piece.start);
  let from = 0;
  let to = kept.length;
  const isBlank = (piece: Region) => trimRange(text, piece.start, piece.end)[0] >= piece.end;
  while (from < to && isBlank(kept[from] as Region)) from++;
  while (to > from && isBlank(kept[to - 1] as Region)) to--;
  return kept.slice(from, to).map((piece, index, all) => {
    const [start, end] = trimRange(text, piece.start, piece.end);
    return { start: index === 0 ? start : piece.start, end: index === all.length - 1 ? end : piece.end };
  });
}

function trimRange(text: string, from: number, to: number): [number, number] {
  let start = from;
  let end = to;
  while (start < end && isSpace(text[start] as string)) start++;
  while (end > start && isSpace(text[end - 1] as string)) end--;
  return [start, end];
}
