/**
 * Takes a secret out of what a server sends back, as it streams past, without changing a length. A server that
 * echoes requests must not hand the credential that was added to the container (I7).
 *
 * It finds the secret as it is, in Base64 (also within more that was encoded with it), percent-encoded, and escaped
 * as JSON and HTML are: what echoes do. A server that means to tell it otherwise has it, and nobody can stop it.
 */
import { MIN_REDACTED_BYTES } from './limits.ts';

/** Where a service's header has its secret. */
const PLACE = /\{(?:base64:([^{}]*))?\}/;

/** All that would give the credential away. `template` is the service's `headerValue`. */
export function secretsOf(value: string, template: string): string[] {
  const found = new Set([value]);
  const place = PLACE.exec(template);
  if (place !== null) {
    const [before, after] = [template.slice(0, place.index), template.slice(place.index + place[0].length)];
    const isFilled = value.startsWith(before) && value.endsWith(after);
    const inner = isFilled ? value.slice(before.length, value.length - after.length) : value;
    found.add(inner);
    if (place[1] !== undefined) addDecoded(found, inner, place[1].length);
  }
  const [, scheme = '', rest = ''] = /^([A-Za-z][\w-]*) +(.+)$/.exec(value) ?? [];
  if (rest !== '') found.add(rest);
  if (scheme.toLowerCase() === 'basic') {
    const user = Buffer.from(rest, 'base64').indexOf(':');
    addDecoded(found, rest, user + 1);
  }
  // Of the whole header only what is in it must not be found in another form.
  const parts = found.size === 1 ? [value] : [...found].filter((text) => text !== value);
  return [...new Set([value, ...parts.flatMap(spellings)])].filter((text) => text !== '');
}

/** What was encoded, and the secret in it, behind so many signs. */
function addDecoded(found: Set<string>, encoded: string, from: number): void {
  const decoded = Buffer.from(encoded, 'base64').toString('latin1');
  found.add(decoded).add(decoded.slice(from));
}

/** What no escaping changes: most secrets are of these alone. */
const PLAIN = /^[A-Za-z0-9._-]*$/;

/** The bytes that a server may write for it, as Latin-1. */
function spellings(secret: string): string[] {
  const bytes = Buffer.from(secret, 'latin1');
  // Without what pads it, and in both alphabets.
  const whole = [bytes.toString('base64').replace(/=+$/, ''), bytes.toString('base64url')];
  const within = [0, 1, 2].map((shift) => encodeWithin(bytes, shift));
  const encoded = [...whole, ...within, ...within.map(toUrlAlphabet)].filter(isLong);
  const inText = encoded.flatMap((text) => [text, encodeURIComponent(text), text.replaceAll('/', '\\/')]);
  if (PLAIN.test(secret)) return [secret, ...inText];
  const written = [secret, ...escapesOf(secret)];
  return [...written, ...written.map((text) => Buffer.from(text, 'utf8').toString('latin1')), ...inText];
}

/** Its Base64 where it stands so many bytes behind a multiple of three, as far as that depends on nothing else. */
function encodeWithin(bytes: Buffer, shift: number): string {
  const text = Buffer.concat([Buffer.alloc(shift), bytes])
    .toString('base64')
    .replace(/=+$/, '');
  const end = (shift + bytes.length) % 3 === 0 ? text.length : text.length - 1;
  return text.slice(shift === 0 ? 0 : shift + 1, end);
}

/** Shorter ones stand in much that has nothing to do with it. */
function isLong(text: string): boolean {
  return text.length >= MIN_REDACTED_BYTES;
}

function toUrlAlphabet(text: string): string {
  return text.replaceAll('+', '-').replaceAll('/', '_');
}

const HTML: Readonly<Record<string, readonly string[]>> = {
  '&': ['&amp;'],
  '<': ['&lt;'],
  '>': ['&gt;'],
  '"': ['&quot;', '&#34;'],
  "'": ['&#39;', '&#x27;'],
};

function escapesOf(text: string): string[] {
  const percent = encodeURIComponent(text);
  const strict = percent.replace(/[!'()*~]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
  const lower = [percent, strict].map((one) => one.replace(/%[0-9A-F]{2}/g, (sign) => sign.toLowerCase()));
  const json = JSON.stringify(text).slice(1, -1);
  const code = (sign: string) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`;
  const html = (at: number) => text.replace(/[&<>"']/g, (sign) => HTML[sign]?.[at] ?? HTML[sign]?.[0] ?? sign);
  return [
    ...[percent, strict, ...lower, strict.replaceAll('%20', '+')],
    ...[
      json,
      json.replaceAll('/', '\\/'),
      json.replace(/[<>&]/g, code),
      json.replace(/[<>&']/g, code),
      json.replace(/[^\x20-\x7e]/g, code),
    ],
    ...[html(0), html(1)],
  ];
}

/** In a header. */
export function redactText(text: string, secrets: readonly string[]): string {
  return secrets.reduce((cleaned, secret) => cleaned.replaceAll(secret, '*'.repeat(secret.length)), text);
}

/**
 * In a body. Holds back the end of what came only when a secret may begin there, and then less than its length.
 * `push` gives what may go on, `end` the rest.
 */
export class Redactor {
  readonly #needles: readonly Buffer[];
  /** What is held back: as it came, and as it will go. */
  #raw: Buffer = Buffer.alloc(0);
  #clean: Buffer = Buffer.alloc(0);

  constructor(secrets: readonly string[]) {
    this.#needles = secrets
      .map((secret) => Buffer.from(secret, 'latin1'))
      .filter((needle) => needle.length >= MIN_REDACTED_BYTES);
  }

  push(chunk: Buffer): Buffer {
    const raw = this.#raw.length === 0 ? chunk : Buffer.concat([this.#raw, chunk]);
    let clean = this.#raw.length === 0 ? chunk : Buffer.concat([this.#clean, chunk]);
    for (const needle of this.#needles) {
      for (let at = raw.indexOf(needle); at >= 0; at = raw.indexOf(needle, at + 1)) {
        // The chunk is another's: it is changed in a copy.
        if (clean === chunk) clean = Buffer.from(chunk);
        clean.fill('*', at, at + needle.length);
      }
    }
    const cut = raw.length - this.#lengthOfBeginning(raw);
    this.#raw = raw.subarray(cut);
    this.#clean = clean.subarray(cut);
    return clean.subarray(0, cut);
  }

  end(): Buffer {
    const rest = this.#clean;
    this.#raw = this.#clean = Buffer.alloc(0);
    return rest;
  }

  /** Of the longest end that is the beginning of a secret. */
  #lengthOfBeginning(raw: Buffer): number {
    let longest = 0;
    for (const needle of this.#needles) {
      const first = needle[0] ?? 0;
      const from = Math.max(0, raw.length - needle.length + 1);
      for (let at = raw.indexOf(first, from); at >= 0; at = raw.indexOf(first, at + 1)) {
        const length = raw.length - at;
        if (length <= longest) break;
        if (raw.compare(needle, 0, length, at) === 0) longest = length;
      }
    }
    return longest;
  }
}
