/** Sign-ins: one-time links and the cookies that they are exchanged for. Only hashes are kept. */
import { createHash, randomBytes } from 'node:crypto';
import type { UserId } from '../../shared/ids.ts';
import type { CentralDb } from './database.ts';

/** A link is for the next minutes of the person who asked for it. */
export const LINK_LIFE_MS = 15 * 60_000;
/** Sign-ins shown of one person, the newest. Higher: one answer is long. Lower: an old one is ended with all others alone. */
const MAX_LISTED = 100;
/** A cookie lasts this long from the sign-in. */
export const COOKIE_LIFE_MS = 90 * 24 * 3_600_000;

/** A browser that a person is signed in with. */
export interface SignIn {
  /** Names it; of no use as a cookie. */
  id: string;
  userId: UserId;
  createdAt: number;
  expiresAt: number;
}

export class LoginStore {
  readonly #db: CentralDb;
  readonly #findCookie;

  constructor(db: CentralDb) {
    this.#db = db;
    // Asked at every request, and of every open stream at each event.
    this.#findCookie = db.prepare<[string, number], { user_id: string }>(
      `SELECT user_id FROM logins WHERE token_hash = ? AND kind = 'cookie' AND expires_at > ?`,
    );
  }

  /** Returns the token: the only time it is known. */
  create(kind: 'link' | 'cookie', userId: UserId, now: number): { token: string; expiresAt: number } {
    const token = randomBytes(32).toString('base64url');
    const expiresAt = now + (kind === 'link' ? LINK_LIFE_MS : COOKIE_LIFE_MS);
    this.#db.prepare('DELETE FROM logins WHERE expires_at < ?').run(now);
    this.#db
      .prepare('INSERT INTO logins (token_hash, kind, user_id, created_at, expires_at) VALUES (?, ?, ?, ?, ?)')
      .run(hashToken(token), kind, userId, now, expiresAt);
    return { token, expiresAt };
  }

  /** Whose link this is, which stays as it is; null when it is unknown, used or expired. */
  findLink(token: string, now: number): UserId | null {
    const row = this.#db
      .prepare<[string, number], { user_id: string }>(
        `SELECT user_id FROM logins WHERE token_hash = ? AND kind = 'link' AND used_at IS NULL AND expires_at > ?`,
      )
      .get(hashToken(token), now);
    return row === undefined ? null : (row.user_id as UserId);
  }

  /** Uses a link up. Null when it is unknown, used or expired. */
  redeemLink(token: string, now: number): UserId | null {
    const row = this.#db
      .prepare<[number, string, number], { user_id: string }>(
        `UPDATE logins SET used_at = ? WHERE token_hash = ? AND kind = 'link' AND used_at IS NULL AND expires_at > ?
         RETURNING user_id`,
      )
      .get(now, hashToken(token), now);
    return row === undefined ? null : (row.user_id as UserId);
  }

  /** Whose cookie this is; null when it is unknown or expired. */
  findCookie(token: string, now: number): UserId | null {
    const row = this.#findCookie.get(hashToken(token), now);
    return row === undefined ? null : (row.user_id as UserId);
  }

  /** Where any of these identities of one person is signed in, the newest first. */
  listCookies(userIds: readonly string[], now: number): SignIn[] {
    return this.#db
      .prepare<[string, number], SignIn>(
        `SELECT substr(token_hash, 1, 16) AS id, user_id AS userId, created_at AS createdAt, expires_at AS expiresAt
         FROM logins WHERE user_id IN (SELECT value FROM json_each(?)) AND kind = 'cookie' AND expires_at > ?
         ORDER BY created_at DESC, token_hash LIMIT ${MAX_LISTED}`,
      )
      .all(JSON.stringify(userIds), now);
  }

  /** Signs these identities out everywhere, and ends their links; how many sign-ins that were. `except` is a cookie. */
  endAllOf(userIds: readonly string[], except: string | null): number {
    const ended = this.#db
      .prepare<[string, string], { kind: string }>(
        `DELETE FROM logins WHERE user_id IN (SELECT value FROM json_each(?)) AND token_hash <> ? RETURNING kind`,
      )
      .all(JSON.stringify(userIds), except === null ? '' : hashToken(except));
    return ended.filter(({ kind }) => kind === 'cookie').length;
  }

  /** How `listCookies` names the sign-in of this cookie. */
  static nameOf(token: string): string {
    return hashToken(token).slice(0, 16);
  }

  revoke(token: string): void {
    this.#db.prepare('DELETE FROM logins WHERE token_hash = ?').run(hashToken(token));
  }
}

function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
