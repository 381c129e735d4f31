/**
 * Reading outbound.db without trust (I2, I3). Runs in the reader process only: whatever this file does
 * to SQLite happens there, under a deadline.
 */
import { closeSync, readdirSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { limitTo } from '../../shared/bound-limit.ts';
import { MAX_CONTENT_BYTES, MAX_OUTBOUND_DB_BYTES } from '../../shared/limits.ts';
import { LOCK_LOOK_MS, pauseThread } from '../../shared/pause.ts';
import { RUNNER_STATE } from '../../shared/protocol.ts';
import { FILE_NAMES, READER_PRAGMAS } from '../../shared/session-files.ts';
import { OUTBOUND_SCHEMA, PROCESSING_NOTE_MAX_BYTES } from '../../shared/session-schema.ts';
import { errorCode } from '../config/errors.ts';
import { MAX_READ_BYTES } from '../config/limits.ts';
import type { OutboxSnapshot, RawOutbound, RawProcessing, ReadAnswer, ReadRequest } from './reader-protocol.ts';
import { openInside } from './safe-open.ts';

/** Wait for a container's commit, which takes under a millisecond. The process reads one file at a time. */
const BUSY_WAIT_MS = 20;
/** Databases kept open between reads. Higher: descriptors. Lower: each read opens anew (0.3 ms). */
const MAX_OPEN = 32;
const MAX_ID_LENGTH = 64;
const MAX_FIELD_LENGTH = 512;
const MAX_STATE_BYTES = 64 * 1024;

interface OpenOutbox {
  db: Database.Database;
  dev: number;
  ino: number;
  rows: Database.Statement;
  bySeq: Database.Statement;
  processing: Database.Statement;
  state: Database.Statement;
  schema: Database.Statement;
}

/** Another file twice within this is a violation. Higher: a person who releases a session twice is refused. Lower: who swaps it slowly is not noticed. */
const SWAPPED_AGAIN_MS = 30_000;
/** Folders whose file is remembered. Higher: memory. Lower: a swap goes unnoticed among many sessions. */
const MAX_REMEMBERED = 10_000;

export class OutboxFiles {
  readonly #open = new Map<string, OpenOutbox>();
  /** Which file each folder had, and when it was another the last time: setting aside makes a new one, now and then. */
  readonly #files = new Map<string, { dev: number; ino: number; changedAt: number | null }>();

  read(request: ReadRequest): ReadAnswer {
    const giveUpAt = performance.now() + BUSY_WAIT_MS;
    for (;;) {
      const answer = this.#tryRead(request);
      if (answer.kind !== 'busy' || performance.now() > giveUpAt) return answer;
      pauseThread(LOCK_LOOK_MS);
    }
  }

  #tryRead(request: ReadRequest): ReadAnswer {
    const { id } = request;
    try {
      const checked = this.#check(request);
      if (typeof checked === 'string') return { id, kind: 'violation', reason: checked };
      return { id, kind: 'snapshot', snapshot: readSnapshot(checked, request) };
    } catch (error) {
      const answer = classify(id, error);
      // A lock leaves the connection as good as it was.
      if (answer.kind !== 'busy') this.#forget(request.out);
      return answer;
    }
  }

  /** The open database, or why the file may not be opened. */
  #check(request: ReadRequest): OpenOutbox | string {
    const opened = openInside(request.out, [FILE_NAMES.outboundDb], MAX_OUTBOUND_DB_BYTES);
    if (opened.kind === 'refused') {
      this.#forget(request.out);
      return `outbound.db: ${opened.reason}`;
    }
    const { fd, stats } = opened;
    try {
      if (stats.uid !== request.ownerUid) return 'outbound.db: it belongs to another user';
      const known = this.#open.get(request.out);
      if (known !== undefined && known.dev === stats.dev && known.ino === stats.ino) return known;
      this.#forget(request.out);
      if (this.#isSwappedAgain(request.out, stats)) return 'outbound.db: it is replaced by other files again and again';
      return this.#openDatabase(request.out, stats);
    } finally {
      // SQLite drops a process's locks on a file when any descriptor of it closes. No read is under way here.
      closeSync(fd);
    }
  }

  #openDatabase(out: string, stats: Stats): OpenOutbox | string {
    const db = new Database(join(out, FILE_NAMES.outboundDb), {
      readonly: true,
      fileMustExist: true,
      timeout: 0,
    });
    // The path was opened anew: what SQLite holds must be the file that was checked.
    if (!sqliteHolds(stats)) {
      db.close();
      return 'outbound.db: it was replaced while it was opened';
    }
    try {
      for (const pragma of READER_PRAGMAS) db.pragma(pragma);
      const schema = db.prepare(SCHEMA_QUERY);
      const mismatch = compareSchema(schema);
      if (mismatch !== null) {
        db.close();
        return mismatch;
      }
      const outbox = { db, dev: stats.dev, ino: stats.ino, schema, ...prepareReads(db) };
      this.#open.set(out, outbox);
      this.#evict();
      return outbox;
    } catch (error) {
      db.close();
      throw error;
    }
  }

  #isSwappedAgain(out: string, { dev, ino }: Stats): boolean {
    const before = this.#files.get(out);
    if (before !== undefined && before.dev === dev && before.ino === ino) return false;
    if (this.#files.size >= MAX_REMEMBERED) this.#files.clear();
    const now = performance.now();
    const lastAt = before?.changedAt ?? null;
    const isAgain = lastAt !== null && now - lastAt < SWAPPED_AGAIN_MS;
    // Told once: the file that a person's release makes is the first of a new count.
    if (isAgain) this.#files.delete(out);
    else this.#files.set(out, { dev, ino, changedAt: before === undefined ? null : now });
    return isAgain;
  }

  #evict(): void {
    for (const out of this.#open.keys()) {
      if (this.#open.size <= MAX_OPEN) return;
      this.#forget(out);
    }
  }

  #forget(out: string): void {
    this.#open.get(out)?.db.close();
    this.#open.delete(out);
  }
}

function readSnapshot(outbox: OpenOutbox, request: ReadRequest): OutboxSnapshot {
  return outbox.db.transaction((): OutboxSnapshot => {
    const mismatch = compareSchema(outbox.schema);
    if (mismatch !== null) throw new SchemaMismatch(mismatch);
    const rows: RawOutbound[] = [];
    let bytes = 0;
    let fresh = 0;
    let more = false;
    for (const seq of request.seqs) {
      const row = outbox.bySeq.get({ maxBytes: MAX_CONTENT_BYTES, seq });
      if (row !== undefined) rows.push(clipRow(checkTypes<RawOutbound>(row, ROW_TYPES)));
    }
    for (const row of outbox.rows.iterate({
      maxBytes: MAX_CONTENT_BYTES,
      after: request.afterSeq,
      limit: request.limit + 1,
    })) {
      const raw = checkTypes<RawOutbound>(row, ROW_TYPES);
      bytes += raw.content?.length ?? 0;
      if (fresh >= request.limit || bytes > MAX_READ_BYTES) {
        more = true;
        break;
      }
      fresh++;
      rows.push(clipRow(raw));
    }
    const marks = outbox.processing.all({
      maxBytes: PROCESSING_NOTE_MAX_BYTES,
      ids: JSON.stringify(request.openIds),
      limit: request.openIds.length,
    });
    const processing = marks.map((mark) => checkTypes<RawProcessing>(mark, MARK_TYPES));
    return { rows, more, processing, runnerState: request.withState ? readState(outbox.state) : {} };
  })();
}

class SchemaMismatch extends Error {}

function prepareReads(db: Database.Database): Pick<OpenOutbox, 'rows' | 'bySeq' | 'processing' | 'state'> {
  const columns = `id, seq, in_reply_to AS inReplyTo, timestamp, deliver_after AS deliverAfter, kind, destination,
    channel_type AS channelType, platform_id AS platformId, thread_id AS threadId, trace_id AS traceId,
    CASE WHEN octet_length(content) <= @maxBytes THEN content END AS content`;
  return {
    rows: db.prepare(`SELECT ${columns} FROM messages_out WHERE seq > @after ORDER BY seq ${limitTo('@limit')}`),
    bySeq: db.prepare(`SELECT ${columns} FROM messages_out WHERE seq = @seq`),
    processing: db.prepare(
      `SELECT message_id AS messageId, state, changed_at AS changedAt,
              CASE WHEN octet_length(note) <= @maxBytes THEN note END AS note
       FROM processing WHERE message_id IN (SELECT value FROM json_each(@ids)) ${limitTo('@limit')}`,
    ),
    state: db.prepare(
      'SELECT key, CASE WHEN octet_length(value) <= @maxBytes THEN value END AS value FROM runner_state WHERE key = @key',
    ),
  };
}

function readState(statement: Database.Statement): Record<string, string> {
  const state: Record<string, string> = {};
  for (const key of [RUNNER_STATE.hello, RUNNER_STATE.idle, RUNNER_STATE.tool]) {
    const found = statement.get({ maxBytes: MAX_STATE_BYTES, key });
    if (found === undefined) continue;
    const { value } = checkTypes<{ value: string | null }>(found, { value: 'text?' });
    if (value !== null) state[key] = value;
  }
  return state;
}

type ColumnType = 'text' | 'text?' | 'number' | 'number?';

const ROW_TYPES: Record<keyof RawOutbound, ColumnType> = {
  ...{ id: 'text', seq: 'number', inReplyTo: 'text?', timestamp: 'number', deliverAfter: 'number?', kind: 'text' },
  ...{ destination: 'text?', channelType: 'text?', platformId: 'text?', threadId: 'text?', traceId: 'text?' },
  content: 'text?',
};
const MARK_TYPES: Record<keyof RawProcessing, ColumnType> = {
  ...{ messageId: 'text', state: 'text', changedAt: 'number', note: 'text?' },
};

/**
 * STRICT binds honest writers alone: a container can fill a loose table and then give it the contract's text
 * in sqlite_schema. What leaves here has the types that the rest of the host relies on.
 */
function checkTypes<Row>(row: unknown, types: Record<keyof Row, ColumnType>): Row {
  const values = new Map(Object.entries(row ?? {}));
  for (const [column, type] of Object.entries<ColumnType>(types)) {
    const value: unknown = values.get(column);
    if (value === null && type.endsWith('?')) continue;
    const wanted = type.startsWith('text') ? 'string' : 'number';
    if (typeof value !== wanted) throw new SchemaMismatch('outbound.db: a value is not of its column’s type');
  }
  return row as Row;
}

/** Long fields are cut to a length that no check accepts, so that they cost little on the way. */
function clipRow(row: RawOutbound): RawOutbound {
  const clip = (text: string | null) => (text === null ? null : text.slice(0, MAX_FIELD_LENGTH));
  return {
    ...row,
    id: row.id.slice(0, MAX_ID_LENGTH + 1),
    inReplyTo: clip(row.inReplyTo),
    destination: clip(row.destination),
    channelType: clip(row.channelType),
    platformId: clip(row.platformId),
    threadId: clip(row.threadId),
    traceId: clip(row.traceId),
  };
}

const SCHEMA_QUERY = `SELECT type || ' ' || name || ' ' || tbl_name || ' ' || coalesce(sql, '') AS entry FROM sqlite_schema`;

/** Every table and index of the contract, those included that SQLite makes for keys. */
const EXPECTED_SCHEMA = readExpectedSchema();

function readExpectedSchema(): ReadonlySet<string> {
  const db = new Database(':memory:');
  for (const sql of OUTBOUND_SCHEMA) db.exec(sql);
  const entries = db.prepare<[], string>(SCHEMA_QUERY).pluck().all();
  db.close();
  return new Set(entries);
}

/** Null when the database holds exactly the tables and indexes of the contract. */
function compareSchema(statement: Database.Statement): string | null {
  let seen = 0;
  for (const row of statement.iterate()) {
    const { entry } = row as { entry: unknown };
    if (typeof entry !== 'string' || !EXPECTED_SCHEMA.has(entry))
      return 'outbound.db: its schema is not the expected one';
    seen++;
  }
  return seen === EXPECTED_SCHEMA.size ? null : 'outbound.db: its schema is not the expected one';
}

/** Whether SQLite holds the checked file: two descriptors of this process name it, SQLite's and the check's. */
function sqliteHolds(stats: Stats): boolean {
  let holders = 0;
  for (const name of readdirSync('/proc/self/fd')) {
    const held = statIfOpen(`/proc/self/fd/${name}`);
    if (held !== null && held.dev === stats.dev && held.ino === stats.ino) holders++;
  }
  return holders >= 2;
}

function statIfOpen(link: string): Stats | null {
  try {
    return statSync(link);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}

function classify(id: number, error: unknown): ReadAnswer {
  if (error instanceof SchemaMismatch) return { id, kind: 'violation', reason: error.message };
  const code = errorCode(error);
  if (code.startsWith('SQLITE_BUSY') || code === 'SQLITE_LOCKED') return { id, kind: 'busy' };
  if (code === 'SQLITE_READONLY_ROLLBACK' || code === 'SQLITE_READONLY_RECOVERY') return { id, kind: 'hot-journal' };
  // A hot journal that cannot be opened read-only shows as this; so does a file that vanished in between.
  if (code === 'SQLITE_CANTOPEN' || code === 'SQLITE_READONLY_CANTLOCK') return { id, kind: 'hot-journal' };
  if (code.startsWith('SQLITE_')) return { id, kind: 'violation', reason: `outbound.db: ${code}` };
  throw error;
}
