/** Whether something can be a secret: it goes into a header of HTTP. Pure. */
import { localNameSchema } from '../../shared/protocol.ts';
import { MAX_PASSPHRASE_LENGTH, MAX_SECRET_BYTES, MIN_PASSPHRASE_LENGTH } from './limits.ts';
import type { SecretValue } from './secret-value.ts';

export interface Flaw {
  /** Says nothing of the value. */
  why: string;
  expected: string;
}

export function isSecretName(text: string): boolean {
  return localNameSchema.safeParse(text).success;
}

/** Before it is made a `SecretValue`: what Latin-1 cannot hold would be lost on the way. Null: it can be one. */
export function findTextFlaw(text: string): Flaw | null {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[^\x00-\xff]/.test(text))
    return { why: 'The value has signs that no header can carry.', expected: 'Latin letters, digits and signs' };
  return null;
}

/** Null: it can be one. */
export function findSecretFlaw(value: SecretValue): Flaw | null {
  const { bytes } = value;
  if (bytes.length === 0)
    return { why: 'The value is empty.', expected: 'the key or token, on stdin or at the prompt' };
  if (bytes.length > MAX_SECRET_BYTES) {
    return { why: 'The value is too long.', expected: `at most ${MAX_SECRET_BYTES} bytes` };
  }
  if (bytes.some((byte) => byte < 0x20 || (byte >= 0x7f && byte < 0xa0))) {
    return { why: 'The value has line breaks or other control characters.', expected: 'the key or token on one line' };
  }
  if (bytes[0] === 0x20 || bytes.at(-1) === 0x20) {
    return { why: 'The value begins or ends with a space.', expected: 'the key or token alone' };
  }
  return null;
}

/** Null: it can be a passphrase. */
export function findPassphraseFlaw(text: string): Flaw | null {
  if (text.length >= MIN_PASSPHRASE_LENGTH && text.length <= MAX_PASSPHRASE_LENGTH) return null;
  const expected = `${MIN_PASSPHRASE_LENGTH} to ${MAX_PASSPHRASE_LENGTH} characters, such as five words`;
  return { why: `The passphrase is too ${text.length < MIN_PASSPHRASE_LENGTH ? 'short' : 'long'}.`, expected };
}
