/**
 * The vault's key closed with a passphrase: `vault.json`.
 *
 *   passphrase ─scrypt(salt)─▶ 32 bytes ─AES-256-GCM─▶ the key
 *
 * What it says of its own costs is authenticated, and bounded before it is used.
 */
import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto';
import { z } from 'zod';
import { errorCode } from '../config/errors.ts';
import { KEY_BYTES, toKey, type VaultKey } from './cipher.ts';
import { MAX_SCRYPT_N, MAX_SCRYPT_P, SCRYPT } from './limits.ts';
import type { SecretValue } from './secret-value.ts';

const base64 = (bytes: number) =>
  z
    .string()
    .max(200)
    .transform((text) => Buffer.from(text, 'base64'))
    .refine((buffer) => buffer.length === bytes);

const TAG_BYTES = 16;
const lockSchema = z.strictObject({
  version: z.literal(1),
  keyId: z.string().regex(/^[0-9a-f]{16}$/),
  kdf: z.strictObject({
    name: z.literal('scrypt'),
    N: z
      .number()
      .int()
      .min(SCRYPT.N)
      .max(MAX_SCRYPT_N)
      .refine((n) => Number.isInteger(Math.log2(n))),
    r: z.literal(SCRYPT.r),
    p: z.number().int().min(1).max(MAX_SCRYPT_P),
    salt: base64(32),
  }),
  nonce: base64(12),
  wrapped: base64(KEY_BYTES + TAG_BYTES),
});

/** What vault.json says. */
export type Lock = z.infer<typeof lockSchema>;

/** Null: it is none that this program wrote. */
export function parseLock(text: string): Lock | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return null;
  }
  return lockSchema.safeParse(value).data ?? null;
}

export function formatLock({ kdf, nonce, wrapped, ...rest }: Lock): string {
  const lock = {
    ...rest,
    kdf: { ...kdf, salt: kdf.salt.toString('base64') },
    nonce: nonce.toString('base64'),
    wrapped: wrapped.toString('base64'),
  };
  return `${JSON.stringify(lock, null, 2)}\n`;
}

/** Takes about half a second and 128 MiB, outside the event loop. */
export async function closeWithPassphrase(key: VaultKey, passphrase: SecretValue): Promise<Lock> {
  const kdf = { name: 'scrypt' as const, ...SCRYPT, salt: randomBytes(32) };
  const wrapping = await derive(passphrase, kdf);
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', wrapping, nonce);
  cipher.setAAD(authenticate(key.id, kdf));
  const wrapped = Buffer.concat([cipher.update(key.bytes), cipher.final(), cipher.getAuthTag()]);
  wrapping.fill(0);
  return { version: 1, keyId: key.id, kdf, nonce, wrapped };
}

/** Null: it is another passphrase, or the file was changed. */
export async function openWithPassphrase(lock: Lock, passphrase: SecretValue): Promise<VaultKey | null> {
  const wrapping = await derive(passphrase, lock.kdf);
  const decipher = createDecipheriv('aes-256-gcm', wrapping, lock.nonce);
  decipher.setAAD(authenticate(lock.keyId, lock.kdf));
  decipher.setAuthTag(lock.wrapped.subarray(KEY_BYTES));
  const opened = decipher.update(lock.wrapped.subarray(0, KEY_BYTES));
  try {
    decipher.final();
  } catch (error) {
    opened.fill(0);
    // What is not authentic has no code.
    if (errorCode(error) !== '') throw error;
    return null;
  } finally {
    wrapping.fill(0);
  }
  const key = toKey(opened);
  return key.id === lock.keyId ? key : null;
}

function derive(passphrase: SecretValue, { N, r, p, salt }: Lock['kdf']): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // Beside the 128·N·r bytes of its table, scrypt takes a little more.
    const maxmem = 128 * N * r * p + 32 * 1024 * 1024;
    scrypt(passphrase.bytes, salt, KEY_BYTES, { N, r, p, maxmem }, (error, derived) =>
      error === null ? resolve(derived) : reject(error),
    );
  });
}

function authenticate(keyId: string, { name, N, r, p, salt }: Lock['kdf']): Buffer {
  return Buffer.from(JSON.stringify(['portolan vault key 1', keyId, name, N, r, p, salt.toString('base64')]), 'utf8');
}
