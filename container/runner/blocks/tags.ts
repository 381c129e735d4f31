/**
 * Finds the tags that the reply syntax knows, wherever they stand; code and nesting are judged later.
 *
 * I1. Linear time: every `<` is looked at once, and a tag is at most MAX_TAG_CHARS long, so a text
 *     made of half-open tags cannot make the scanner run to the end of the text for each of them.
 */
import { decodeEntities } from './entities.ts';

/** Longest tag. Higher: a flood of half-open tags costs more. Lower: a long name is taken for text. */
const MAX_TAG_CHARS = 1_024;

export type TagKind = 'open' | 'close' | 'internal-open' | 'internal-close';

export interface Tag {
  kind: TagKind;
  start: number;
  /** One past the `>`. */
  end: number;
  isSelfClosing: boolean;
  /** Names in lower case with `-` as `_`; entities in values are decoded. */
  attributes: ReadonlyMap<string, string>;
}

const NO_ATTRIBUTES: ReadonlyMap<string, string> = new Map();

/** All tags of the text in order, those inside code included. */
export function findTags(text: string): Tag[] {
  const tags: Tag[] = [];
  let at = text.indexOf('<');
  while (at !== -1) {
    const tag = readTag(text, at);
    if (tag) tags.push(tag);
    at = text.indexOf('<', tag ? tag.end : at + 1);
  }
  return tags;
}

function readTag(text: string, start: number): Tag | null {
  const isClose = text.charCodeAt(start + 1) === 0x2f;
  const nameStart = start + (isClose ? 2 : 1);
  const name = matchName(text, nameStart);
  if (!name) return null;
  const afterName = nameStart + name.length;
  if (isClose) {
    const end = skipSpace(text, afterName, start + MAX_TAG_CHARS);
    if (text[end] !== '>') return null;
    const kind = name === 'message' ? 'close' : 'internal-close';
    return { kind, start, end: end + 1, isSelfClosing: false, attributes: NO_ATTRIBUTES };
  }
  const rest = readAttributes(text, afterName, start + MAX_TAG_CHARS);
  if (!rest) return null;
  return { kind: name === 'message' ? 'open' : 'internal-open', start, ...rest };
}

/** The name must end there: `<messages>` is not `<message>`. */
function matchName(text: string, at: number): 'message' | 'internal' | null {
  for (const name of ['message', 'internal'] as const) {
    if (text.slice(at, at + name.length).toLowerCase() !== name) continue;
    const next = text[at + name.length];
    if (next === '>' || next === '/' || (next !== undefined && isSpace(next))) return name;
  }
  return null;
}

function readAttributes(
  text: string,
  from: number,
  limit: number,
): { end: number; isSelfClosing: boolean; attributes: Map<string, string> } | null {
  const attributes = new Map<string, string>();
  let at = from;
  while (at < limit) {
    at = skipSpace(text, at, limit);
    const char = text[at];
    if (char === undefined || char === '<') return null;
    if (char === '>') return { end: at + 1, isSelfClosing: false, attributes };
    if (char === '/') {
      const end = skipSpace(text, at + 1, limit);
      if (text[end] === '>') return { end: end + 1, isSelfClosing: true, attributes };
      at++;
      continue;
    }
    const nameEnd = scanWhile(text, at, limit, (c) => !isSpace(c) && !'=></'.includes(c));
    const name = text.slice(at, nameEnd).toLowerCase().replaceAll('-', '_');
    const equals = skipSpace(text, nameEnd, limit);
    if (text[equals] !== '=') {
      // A word without a value, or a stray "=": kept as an empty attribute and passed over.
      if (name) attributes.set(name, '');
      at = nameEnd === at ? at + 1 : nameEnd;
      continue;
    }
    const value = readValue(text, skipSpace(text, equals + 1, limit), limit);
    if (!value) return null;
    if (name && !attributes.has(name)) attributes.set(name, decodeEntities(value.raw));
    at = value.end;
  }
  return null;
}

function readValue(text: string, at: number, limit: number): { raw: string; end: number } | null {
  const quote = text[at];
  if (quote === '"' || quote === "'") {
    const end = scanWhile(text, at + 1, limit, (c) => c !== quote);
    return text[end] === quote ? { raw: text.slice(at + 1, end), end: end + 1 } : null;
  }
  const end = scanWhile(text, at, limit, (c) => !isSpace(c) && c !== '>' && c !== '<');
  // `<message to=a/>` closes itself; the slash is no part of the name.
  const cut = text[end] === '>' && text[end - 1] === '/' && end > at ? end - 1 : end;
  return { raw: text.slice(at, cut), end: cut };
}

function scanWhile(text: string, from: number, limit: number, test: (char: string) => boolean): number {
  let at = from;
  while (at < limit) {
    const char = text[at];
    if (char === undefined || !test(char)) break;
    at++;
  }
  return at;
}

function skipSpace(text: string, from: number, limit: number): number {
  return scanWhile(text, from, limit, isSpace);
}

export function isSpace(char: string): boolean {
  return char === ' ' || char === '\n' || char === '\t' || char === '\r' || char === '\f' || char === '\v';
}
