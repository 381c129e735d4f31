/**
 * Codes that prove an identity: shown on one channel, typed on another. Only hashes are kept.
 *
 * I1. A code is used once: `use` says who came first.
 * I2. Who is shown a code of a kind has no other of that kind that still works.
 */
import { createHash, randomInt } from 'node:crypto';
import type { UserId } from '../../shared/ids.ts';
import type { CentralDb } from './database.ts';

/** Higher: a code seen over a shoulder works longer. Lower: the other device is not at hand in time. */
export const CODE_LIFE_MS = 10 * 60_000;
/** Crockford's base 32: nothing that reads like another, nor spells a word. */
const SIGNS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
/** 50 bits: with the tries that `host/people/tries.ts` allows, guessing takes longer than anybody lives. */
const CODE_LENGTH = 10;

export interface IdentityCode {
  kind: 'link' | 'confirm';
  /** Who was shown it. */
  userId: UserId;
  /** `confirm`: who must type it; null: whoever types it. */
  forUserId: UserId | null;
}

export class IdentityCodeStore {
  readonly #db: CentralDb;

  constructor(db: CentralDb) {
    this.#db = db;
  }

  /** Returns the code, as people type it: the only time it is known. */
  create({ kind, userId, forUserId }: IdentityCode, now: number): string {
    const code = Array.from({ length: CODE_LENGTH }, () => SIGNS[randomInt(SIGNS.length)]).join('');
    this.#db.prepare('DELETE FROM identity_codes WHERE expires_at <= ?').run(now);
    // I2
    this.#db.prepare('DELETE FROM identity_codes WHERE user_id = ? AND kind = ?').run(userId, kind);
    this.#db
      .prepare(
        `INSERT INTO identity_codes (code_hash, kind, user_id, for_user_id, created_at, expires_at)
         VALUES (?, ?, ?, ?, ?, ?)`,
      )
      .run(hashCode(code), kind, userId, forUserId, now, now + CODE_LIFE_MS);
    return `${code.slice(0, CODE_LENGTH / 2)}-${code.slice(CODE_LENGTH / 2)}`;
  }

  /** Null when it is unknown, used or expired. `code` in the form of `normaliseCode`. */
  find(code: string, now: number): IdentityCode | null {
    const row = this.#db
      .prepare<[string, number], { kind: IdentityCode['kind']; user_id: string; for_user_id: string | null }>(
        'SELECT kind, user_id, for_user_id FROM identity_codes WHERE code_hash = ? AND used_at IS NULL AND expires_at > ?',
      )
      .get(hashCode(code), now);
    if (row === undefined) return null;
    return { kind: row.kind, userId: row.user_id as UserId, forUserId: row.for_user_id as UserId | null };
  }

  /** I1: whether it was there to be used. */
  use(code: string, now: number): boolean {
    return (
      this.#db
        .prepare('UPDATE identity_codes SET used_at = ? WHERE code_hash = ? AND used_at IS NULL AND expires_at > ?')
        .run(now, hashCode(code), now).changes > 0
    );
  }

  /** What people were told of each other holds no longer: codes that these were shown, or that wait for them, end. */
  forget(userIds: readonly UserId[]): void {
    const forget = this.#db.prepare('DELETE FROM identity_codes WHERE user_id = @id OR for_user_id = @id');
    for (const id of userIds) forget.run({ id });
  }
}

/** As it is hashed; null when it cannot be a code. Forgives case, spaces, hyphens, and signs that are read wrongly. */
export function normaliseCode(text: string): string | null {
  if (text.length > 40) return null;
  const code = text
    .toUpperCase()
    .replace(/[\s\u2010-\u2015-]/g, '')
    .replace(/O/g, '0')
    .replace(/[IL]/g, '1');
  return code.length === CODE_LENGTH && [...code].every((sign) => SIGNS.includes(sign)) ? code : null;
}

function hashCode(code: string): string {
  return createHash('sha256').update(code).digest('hex');
}
