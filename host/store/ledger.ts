/**
 * The ledger: append-only, each entry carries the hash of the one before.
 *
 *   hash = SHA-256( JSON [previousHash, position, at, kind, sessionId, messageId, actor, detail] )
 */
import { createHash } from 'node:crypto';
import type { MessageId, SessionId } from '../../shared/ids.ts';
import type { CentralDb } from './database.ts';

export interface LedgerEntry {
  kind: string;
  sessionId: SessionId | null;
  messageId: MessageId | string | null;
  actor: string | null;
  detail: Record<string, string | number | boolean | null>;
}

export interface LedgerRecord extends LedgerEntry {
  position: number;
  at: number;
}

const FIRST_HASH = '0'.repeat(64);

export class Ledger {
  readonly #db: CentralDb;

  constructor(db: CentralDb) {
    this.#db = db;
  }

  /** Writes in the caller's transaction when there is one, so that a decision and its record stand or fall together. */
  append(entry: LedgerEntry, now: number): void {
    this.#db.transaction(() => {
      const last = this.#db
        .prepare<[], { position: number; hash: string }>(
          'SELECT position, hash FROM ledger ORDER BY position DESC LIMIT 1',
        )
        .get() ?? { position: 0, hash: FIRST_HASH };
      const position = last.position + 1;
      const detail = JSON.stringify(entry.detail);
      const hash = hashEntry([
        last.hash,
        position,
        now,
        entry.kind,
        entry.sessionId,
        entry.messageId,
        entry.actor,
        detail,
      ]);
      this.#db
        .prepare(
          `INSERT INTO ledger (position, at, kind, session_id, message_id, actor, detail, previous_hash, hash)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        )
        .run(position, now, entry.kind, entry.sessionId, entry.messageId, entry.actor, detail, last.hash, hash);
    })();
  }

  /** Several entries in one commit. */
  appendAll(entries: readonly LedgerEntry[], now: number): void {
    this.#db.transaction(() => {
      for (const entry of entries) this.append(entry, now);
    })();
  }

  /** The first position whose hash does not follow, null when the whole chain holds. */
  findBreak(): number | null {
    let previous = FIRST_HASH;
    let expected = 1;
    for (const row of this.#db.prepare<[], LedgerRow>('SELECT * FROM ledger ORDER BY position').iterate()) {
      const hash = hashEntry([
        previous,
        row.position,
        row.at,
        row.kind,
        row.session_id,
        row.message_id,
        row.actor,
        row.detail,
      ]);
      if (row.position !== expected || row.previous_hash !== previous || row.hash !== hash) return row.position;
      previous = row.hash;
      expected++;
    }
    return null;
  }

  /** What agents were refused, newest first, before this position; from an index. */
  listRefusals(limit: number, before: number | null = null): LedgerRecord[] {
    return this.#db
      .prepare<[number, number], LedgerRow>(
        `SELECT * FROM ledger WHERE kind = 'delivery.refused' AND position < ? ORDER BY position DESC LIMIT ?`,
      )
      .all(before ?? Number.MAX_SAFE_INTEGER, limit)
      .map((row) => ({
        position: row.position,
        at: row.at,
        kind: row.kind,
        // The columns hold what `append` was given.
        sessionId: row.session_id as SessionId | null,
        messageId: row.message_id,
        actor: row.actor,
        detail: JSON.parse(row.detail),
      }));
  }

  countByMessage(messageId: string, kind: string): number {
    return (
      this.#db
        .prepare<[string, string], { n: number }>('SELECT count(*) AS n FROM ledger WHERE message_id = ? AND kind = ?')
        .get(messageId, kind)?.n ?? 0
    );
  }
}

interface LedgerRow {
  position: number;
  at: number;
  kind: string;
  session_id: string | null;
  message_id: string | null;
  actor: string | null;
  detail: string;
  previous_hash: string;
  hash: string;
}

function hashEntry(parts: (string | number | null)[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
