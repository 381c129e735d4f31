/**
 * Finds entries of the ledger, newest first.
 *
 * I1. One call reads a bounded stretch of the ledger, whatever is asked for and however long it is: a page may hold
 *     fewer entries than it could, none even, and still name where the next one goes on.
 * I2. What has an index (what an entry is about, its session, whose doing it was, its kind) is found through it.
 */
import type { CentralDb } from './database.ts';
import { afterPrefix, type LedgerRecord, type LedgerRow, toRecord } from './ledger.ts';

export interface LedgerQuery {
  /** A kind, or the beginning of several, which ends with a dot: `delivery.`. */
  kind?: string | undefined;
  sessionId?: string | undefined;
  /** Its own doings, its sessions', and what names it. */
  agentGroupId?: string | undefined;
  actor?: string | undefined;
  subject?: string | undefined;
  /** Epoch ms: from here, and before there. */
  since?: number | undefined;
  until?: number | undefined;
  /** Somewhere in an entry, whatever the case. */
  text?: string | undefined;
}

export interface LedgerPage {
  items: LedgerRecord[];
  /** Where the next page begins; null: there is nothing beyond. */
  next: number | null;
}

/** Entries looked at by one call. Higher: a search holds up messages. Lower: more calls for what is rare. Measured: 5,000 with free text take 6 ms. */
const WINDOW = 5_000;
/** Clocks are set back: how far an entry's time may be out of order and its place by time still be found. */
const CLOCK_SLACK_MS = 24 * 3_600_000;

export class LedgerSearch {
  readonly #db: CentralDb;
  readonly #at;

  constructor(db: CentralDb) {
    this.#db = db;
    this.#at = db.prepare<[number], { at: number }>('SELECT at FROM ledger WHERE position = ?');
  }

  /** Entries before a position, the newest first. */
  find(query: LedgerQuery, limit: number, before: number | null = null): LedgerPage {
    const [first, end] = this.#findBounds(query, before);
    const conditions = indexedConditions(query);
    const indexed = conditions.slice(0, 1);
    const other = [...conditions.slice(1), ...otherConditions(query)];
    const stretch = `SELECT * FROM ledger WHERE position >= ? AND position < ? ${join(indexed)}
      ORDER BY position DESC LIMIT ${WINDOW}`;
    const values = [first, end, ...valuesOf(indexed)];
    const rows = this.#db
      .prepare<(string | number)[], LedgerRow>(`SELECT * FROM (${stretch}) WHERE true ${join(other)} LIMIT ?`)
      .all(...values, ...valuesOf(other), limit + 1);
    if (rows.length > limit) {
      const items = rows.slice(0, limit).map(toRecord);
      return { items, next: items.at(-1)?.position ?? null };
    }
    const seen = this.#db
      .prepare<(string | number)[], { count: number; last: number | null }>(
        `SELECT count(*) AS count, min(position) AS last FROM (${stretch.replace('SELECT *', 'SELECT position')})`,
      )
      .get(...values);
    return { items: rows.map(toRecord), next: seen?.count === WINDOW ? seen.last : null };
  }

  /** Positions by time: the first that may be in it, and the first behind. */
  #findBounds({ since, until }: LedgerQuery, before: number | null): [number, number] {
    const newest = Number(this.#db.prepare('SELECT coalesce(max(position), 0) FROM ledger').pluck().get());
    const end = Math.min(before ?? newest + 1, newest + 1);
    return [
      since === undefined ? 1 : this.#firstFrom(since - CLOCK_SLACK_MS, newest),
      until === undefined ? end : Math.min(end, this.#firstFrom(until + CLOCK_SLACK_MS, newest)),
    ];
  }

  /** The first position whose time is not before this: positions have no gaps, and times rise but for the slack. */
  #firstFrom(at: number, newest: number): number {
    let [low, high] = [1, newest + 1];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const time = this.#at.get(middle)?.at;
      if (time !== undefined && time < at) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

type Condition = [sql: string, ...values: (string | number)[]];

/**
 * What has an index that ends in the position, the narrowest first. The first of them finds a stretch; the others
 * would have to walk past whatever does not meet it, without an end (I1).
 */
function indexedConditions({ kind, sessionId, actor, subject }: LedgerQuery): Condition[] {
  return [
    ...when(subject, (value): Condition => ['message_id = ?', value]),
    ...when(sessionId, (value): Condition => ['session_id = ?', value]),
    ...when(actor, (value): Condition => ['actor = ?', value]),
    ...when(kind?.endsWith('.') === false ? kind : undefined, (value): Condition => ['kind = ?', value]),
  ];
}

function otherConditions({ kind, agentGroupId, since, until, text }: LedgerQuery): Condition[] {
  return [
    ...when(
      kind?.endsWith('.') === true ? kind : undefined,
      (value): Condition => ['kind >= ? AND kind < ?', value, afterPrefix(value)],
    ),
    ...when(
      agentGroupId,
      (id): Condition => [
        `(actor = ? OR message_id = ? OR instr(detail, ?) > 0
        OR EXISTS (SELECT 1 FROM sessions WHERE id = session_id AND agent_group_id = ?))`,
        id,
        id,
        id,
        id,
      ],
    ),
    ...when(since, (at): Condition => ['at >= ?', at]),
    ...when(until, (at): Condition => ['at < ?', at]),
    ...when(
      text,
      (words): Condition => [
        `(instr(lower(kind || ' ' || coalesce(session_id, '') || ' ' || coalesce(message_id, '') || ' '
          || coalesce(actor, '')), lower(?)) > 0 OR instr(lower(detail), lower(?)) > 0)`,
        words,
        // As it stands in JSON.
        JSON.stringify(words).slice(1, -1),
      ],
    ),
  ];
}

function when<T extends string | number>(value: T | undefined, make: (value: T) => Condition): Condition[] {
  return value === undefined ? [] : [make(value)];
}

function join(conditions: readonly Condition[]): string {
  return conditions.map(([sql]) => `AND ${sql}`).join(' ');
}

function valuesOf(conditions: readonly Condition[]): (string | number)[] {
  return conditions.flatMap(([, ...values]) => values);
}
