/**
 * The ledger: append-only, each entry carries the hash of the one before.
 *
 *   hash = SHA-256( JSON [previousHash, position, at, kind, sessionId, subject, actor, detail] )
 *
 * I1. An entry is written in the transaction of the decision that it records: both stand, or neither does.
 * I2. Nothing is remembered of the chain between two entries: a transaction that is rolled back takes its entries
 *     with it, and the next one follows what is on the disk. The last entry is one look at the end of a b-tree.
 * I3. What is hashed is what is stored: text that UTF-8 cannot hold is made well-formed first.
 */
import { createHash } from 'node:crypto';
import type { MessageId, SessionId } from '../../shared/ids.ts';
import type { CentralDb } from './database.ts';

export interface LedgerEntry {
  /** `<what it is about>.<what happened>`. */
  kind: string;
  sessionId: SessionId | null;
  /** What it is about: the id of a message, approval, destination, wiring, chat, agent or person. */
  messageId: MessageId | string | null;
  /** Whose doing it was: a person's or an agent's id; null: the host's own. */
  actor: string | null;
  detail: LedgerDetail;
}

export type LedgerDetail = Record<string, string | number | boolean | null>;

export interface LedgerRecord extends LedgerEntry {
  position: number;
  /** Epoch ms. */
  at: number;
  hash: string;
}

/** Whose doing a change of the host's tables is; `because` goes into the entry's detail. */
export interface Cause {
  by: string | null;
  /** Epoch ms. */
  at: number;
  because?: LedgerDetail;
}

/** A change that nobody is known to have asked for. */
export function hostCause(at: number = Date.now()): Cause {
  return { by: null, at };
}

const FIRST_HASH = '0'.repeat(64);

/** The end of the chain, or of a part of it. Position 0: there is no entry. */
export interface LedgerLink {
  position: number;
  hash: string;
  /** Epoch ms; null before the first entry. */
  at: number | null;
}

export const LEDGER_START: LedgerLink = { position: 0, hash: FIRST_HASH, at: null };

export class Ledger {
  readonly #db: CentralDb;
  readonly #last;
  readonly #insert;
  readonly #lastAbout;
  readonly #appendAll: (entries: readonly LedgerEntry[], now: number) => void;

  constructor(db: CentralDb) {
    this.#db = db;
    this.#last = db.prepare<[], LedgerLink>('SELECT position, hash, at FROM ledger ORDER BY position DESC LIMIT 1');
    this.#insert = db.prepare(
      `INSERT INTO ledger (position, at, kind, session_id, message_id, actor, detail, previous_hash, hash)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#lastAbout = db.prepare<[string, string, string], LedgerRow>(
      'SELECT * FROM ledger WHERE message_id = ? AND kind >= ? AND kind < ? ORDER BY position DESC LIMIT 1',
    );
    this.#appendAll = db.transaction((entries: readonly LedgerEntry[], now: number) => {
      let last = this.head();
      for (const entry of entries) last = this.#write(entry, now, last);
    });
  }

  /** Writes in the caller's transaction when there is one (I1). `now` is epoch ms. */
  append(entry: LedgerEntry, now: number): void {
    if (this.#db.inTransaction) this.#write(entry, now, this.head());
    else this.#appendAll([entry], now);
  }

  /** Several entries in one commit. */
  appendAll(entries: readonly LedgerEntry[], now: number): void {
    this.#appendAll(entries, now);
  }

  /** The newest entry. */
  head(): LedgerLink {
    return this.#last.get() ?? LEDGER_START;
  }

  #write({ kind, sessionId, messageId, actor, detail }: LedgerEntry, now: number, last: LedgerLink): LedgerLink {
    const row: LedgerRow = {
      position: last.position + 1,
      at: Math.floor(now),
      kind: makeWellFormed(kind),
      session_id: sessionId,
      message_id: messageId === null ? null : makeWellFormed(messageId),
      actor: actor === null ? null : makeWellFormed(actor),
      // Escapes what is not well-formed by itself.
      detail: JSON.stringify(detail),
      previous_hash: last.hash,
      hash: '',
    };
    const hash = hashRow(row, last.hash);
    this.#insert.run(
      row.position,
      row.at,
      row.kind,
      row.session_id,
      row.message_id,
      row.actor,
      row.detail,
      last.hash,
      hash,
    );
    return { position: row.position, hash, at: row.at };
  }

  /** The newest entry about something whose kind begins with `prefix`. */
  lastAbout(subject: string, prefix: string): LedgerRecord | null {
    const row = this.#lastAbout.get(subject, prefix, afterPrefix(prefix));
    return row === undefined ? null : toRecord(row);
  }

  /** Entries about something, oldest first; the newest of them when there are more. */
  listAbout(subject: string, limit: number): LedgerRecord[] {
    return this.#db
      .prepare<[string, number], LedgerRow>('SELECT * FROM ledger WHERE message_id = ? ORDER BY position DESC LIMIT ?')
      .all(subject, limit)
      .reverse()
      .map(toRecord);
  }

  /** The oldest entry of a kind. */
  firstOf(kind: string): LedgerRecord | null {
    const row = this.#db
      .prepare<[string], LedgerRow>('SELECT * FROM ledger WHERE kind = ? ORDER BY position LIMIT 1')
      .get(kind);
    return row === undefined ? null : toRecord(row);
  }

  get(position: number): LedgerRecord | null {
    const row = this.#db.prepare<[number], LedgerRow>('SELECT * FROM ledger WHERE position = ?').get(position);
    return row === undefined ? null : toRecord(row);
  }

  /**
   * Checks at most `limit` entries after a link that holds. `brokenAt` is the first position that does not follow;
   * `isComplete`: there was nothing beyond.
   */
  verify(from: LedgerLink, limit: number): LedgerCheck {
    const rows = this.#db
      .prepare<[number, number], LedgerRow>('SELECT * FROM ledger WHERE position > ? ORDER BY position LIMIT ?')
      .all(from.position, limit);
    let link = from;
    for (const row of rows) {
      const follows = row.position === link.position + 1 && row.previous_hash === link.hash;
      if (!follows || row.hash !== hashRow(row, link.hash)) {
        return { to: link, brokenAt: link.position + 1, isComplete: false };
      }
      link = { position: row.position, hash: row.hash, at: row.at };
    }
    return { to: link, brokenAt: null, isComplete: rows.length < limit };
  }

  /** The first position whose hash does not follow, null when the whole chain holds. */
  findBreak(): number | null {
    let link = LEDGER_START;
    for (;;) {
      const { to, brokenAt, isComplete } = this.verify(link, VERIFIED_AT_ONCE);
      if (brokenAt !== null || isComplete) return brokenAt;
      link = to;
    }
  }

  /** What agents were refused, newest first, before this position; from an index. */
  listRefusals(limit: number, before: number | null = null): LedgerRecord[] {
    return this.#db
      .prepare<[number, number], LedgerRow>(
        `SELECT * FROM ledger WHERE kind = 'delivery.refused' AND position < ? ORDER BY position DESC LIMIT ?`,
      )
      .all(before ?? Number.MAX_SAFE_INTEGER, limit)
      .map(toRecord);
  }

  countByMessage(messageId: string, kind: string): number {
    return (
      this.#db
        // "+": the planner would rather walk all entries of the kind.
        .prepare<[string, string], { n: number }>('SELECT count(*) AS n FROM ledger WHERE message_id = ? AND +kind = ?')
        .get(messageId, kind)?.n ?? 0
    );
  }
}

export interface LedgerCheck {
  /** The last entry that follows. */
  to: LedgerLink;
  brokenAt: number | null;
  isComplete: boolean;
}

/** Entries that `findBreak` has in memory at once. Higher: memory. Lower: more statements. */
const VERIFIED_AT_ONCE = 1_000;

export interface LedgerRow {
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

export function toRecord(row: LedgerRow): LedgerRecord {
  return {
    position: row.position,
    at: row.at,
    kind: row.kind,
    // The columns hold what `append` was given.
    sessionId: row.session_id as SessionId | null,
    messageId: row.message_id,
    actor: row.actor,
    detail: JSON.parse(row.detail),
    hash: row.hash,
  };
}

/** Half of a surrogate pair cannot be stored as UTF-8. */
function makeWellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\u{fffd}');
}

function hashRow(row: LedgerRow, previous: string): string {
  const { position, at, kind, session_id, message_id, actor, detail } = row;
  return createHash('sha256')
    .update(JSON.stringify([previous, position, at, kind, session_id, message_id, actor, detail]))
    .digest('hex');
}

/** The first text after all that begin with this one, of kinds: they are ASCII. */
export function afterPrefix(prefix: string): string {
  return `${prefix}\u{7f}`;
}
