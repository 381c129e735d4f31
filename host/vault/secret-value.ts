/** A secret in memory, that says nothing of itself wherever it is printed, put into a string or made JSON. */
import { inspect } from 'node:util';

const HIDDEN = '[secret]';

export class SecretValue {
  readonly #bytes: Buffer;

  private constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Latin-1, as HTTP headers carry it. */
  static ofText(text: string): SecretValue {
    return new SecretValue(Buffer.from(text, 'latin1'));
  }

  /** Any text: it goes into no header. */
  static ofPassphrase(text: string): SecretValue {
    return new SecretValue(Buffer.from(text.normalize('NFC'), 'utf8'));
  }

  /** Takes the bytes over: `destroy` makes them zeros. */
  static ofBytes(bytes: Buffer): SecretValue {
    return new SecretValue(bytes);
  }

  /** The secret itself. Strings stay in memory until they are collected: for the moment of use alone. */
  reveal(): string {
    return this.#bytes.toString('latin1');
  }

  /** Not a copy. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  destroy(): void {
    this.#bytes.fill(0);
  }

  toString(): string {
    return HIDDEN;
  }

  toJSON(): string {
    return HIDDEN;
  }

  [inspect.custom](): string {
    return HIDDEN;
  }
}
