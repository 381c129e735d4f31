/**
 * Takes a secret out of what a server sends back, as it streams past, without changing a length. A server that
 * echoes requests must not hand the credential that was added to the container (I7).
 *
 * It finds the secret as it is, in Base64, percent-encoded and with escaped slashes: what echoes do. A server that
 * means to tell it otherwise has it, and nobody can stop it.
 */
import { MIN_REDACTED_BYTES } from './limits.ts';

/** All that would give the credential away. `template` is the service's `headerValue`. */
export function secretsOf(value: string, template: string): string[] {
  const found = new Set([value]);
  const [before = '', after = ''] = template.split('{}');
  if (template.includes('{}') && value.startsWith(before) && value.endsWith(after)) {
    found.add(value.slice(before.length, value.length - after.length));
  }
  const [, scheme = '', rest = ''] = /^([A-Za-z][\w-]*) +(.+)$/.exec(value) ?? [];
  if (rest !== '') found.add(rest);
  if (scheme.toLowerCase() === 'basic') {
    const decoded = Buffer.from(rest, 'base64').toString('latin1');
    found.add(decoded).add(decoded.slice(decoded.indexOf(':') + 1));
  }
  return [...new Set([...found].flatMap(spellings))].filter((text) => text !== '');
}

function spellings(secret: string): string[] {
  const bytes = Buffer.from(secret, 'latin1');
  // Without what pads it, and in both alphabets.
  const encoded = [bytes.toString('base64').replace(/=+$/, ''), bytes.toString('base64url')];
  return [secret, ...encoded].flatMap((text) => [text, encodeURIComponent(text), text.replaceAll('/', '\\/')]);
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
