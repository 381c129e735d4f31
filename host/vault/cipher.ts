/**
 * How a secret is sealed: AES-256-GCM. Pure but for fresh nonces.
 *
 * I1. A nonce is made for each sealing, 96 random bits: two secrets under one key never share one. (With 2^32
 *     sealings the odds of a collision are 2^-33; each takes a person.)
 * I2. The secret's name is authenticated with it: a row cannot take the place of another.
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { errorCode } from '../config/errors.ts';
import { SecretValue } from './secret-value.ts';

export const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const ALGORITHM = 'aes-256-gcm';
/** Of the form of sealed secrets; part of what is authenticated. */
const VERSION = 1;

export interface Sealed {
  keyId: string;
  nonce: Buffer;
  /** With the authentication tag behind it. */
  ciphertext: Buffer;
}

/** 32 bytes, and the fingerprint that names them: safe to show, useless for opening anything. */
export interface VaultKey {
  id: string;
  bytes: Buffer;
}

export function makeKey(): VaultKey {
  return toKey(randomBytes(KEY_BYTES));
}

/** Takes the bytes over. */
export function toKey(bytes: Buffer): VaultKey {
  if (bytes.length !== KEY_BYTES) throw new Error(`a key of ${bytes.length} bytes`);
  const id = createHmac('sha256', bytes).update('portolan vault key id').digest('hex').slice(0, 16);
  return { id, bytes };
}

/** A key as people keep it: 32 bytes in base64 (of either alphabet) or hex. Null: it is none. */
export function parseKey(text: string): VaultKey | null {
  const trimmed = text.trim();
  if (/^[0-9a-f]{64}$/i.test(trimmed)) return toKey(Buffer.from(trimmed, 'hex'));
  if (/^[A-Za-z0-9+/_-]{43}=?$/.test(trimmed)) return toKey(Buffer.from(trimmed, 'base64'));
  return null;
}

export function formatKey(key: VaultKey): string {
  return key.bytes.toString('base64');
}

export function seal(key: VaultKey, name: string, value: SecretValue): Sealed {
  // I1
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, key.bytes, nonce, { authTagLength: TAG_BYTES });
  // I2
  cipher.setAAD(authenticate(name));
  const ciphertext = Buffer.concat([cipher.update(value.bytes), cipher.final(), cipher.getAuthTag()]);
  return { keyId: key.id, nonce, ciphertext };
}

/** Null: it was sealed with another key, under another name, or changed since. */
export function unseal(key: VaultKey, name: string, { keyId, nonce, ciphertext }: Sealed): SecretValue | null {
  if (keyId !== key.id || nonce.length !== NONCE_BYTES || ciphertext.length < TAG_BYTES) return null;
  const end = ciphertext.length - TAG_BYTES;
  const decipher = createDecipheriv(ALGORITHM, key.bytes, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(authenticate(name));
  decipher.setAuthTag(ciphertext.subarray(end));
  const opened = decipher.update(ciphertext.subarray(0, end));
  try {
    // The last of it is empty: this throws unless all of it is authentic, and for nothing else.
    decipher.final();
  } catch (error) {
    opened.fill(0);
    // What is not authentic has no code.
    if (errorCode(error) !== '') throw error;
    return null;
  }
  return SecretValue.ofBytes(opened);
}

function authenticate(name: string): Buffer {
  return Buffer.from(`portolan secret ${VERSION}\0${name}`, 'utf8');
}
