/**
 * Reads inbound.db, which the host writes and this process cannot.
 *
 * I1. No statement and no transaction stays open between two calls: the host may freeze this process
 *     at any await.
 * I2. Work is found through the partial index of pending rows, so the cost does not grow with the past.
 * I3. The file may be locked, or wait for a roll-back that only the host can do. That is an answer
 *     (`unavailable`), not an error: the runner comes back later.
 */
import Database from 'better-sqlite3';
import { limitTo } from '../../shared/bound-limit.ts';
import { INBOUND_KINDS, type InboundKind, parseInboundContent } from '../../shared/messages.ts';
import { LOCK_LOOK_MS, pauseThread } from '../../shared/pause.ts';
import { READER_PRAGMAS } from '../../shared/session-files.ts';
import { log } from './log.ts';
import type { InboundMessage } from './message.ts';

/**
 * How long a read waits for the host's commit, blocking. Higher: a host that died with the lock held
 * stops heartbeats. Lower: more retries while the host commits.
 */
const LOCK_WAIT_MS = 20;

export type Read<T> = { kind: 'read'; value: T } | { kind: 'unavailable'; code: string };

/** The few columns that decide whether a row is taken. */
export interface Candidate {
  id: string;
  seq: number;
  kind: InboundKind;
  tries: number;
  isOnWake: boolean;
  processAfter: number | null;
  inReplyTo: string | null;
}

interface CandidateRow {
  id: string;
  seq: number;
  kind: string;
  tries: number;
  on_wake: number;
  process_after: number | null;
  in_reply_to: string | null;
}

const DELIVERY_STATES = ['queued', 'sending', 'delivered', 'failed', 'refused', 'unknown'] as const;

/** What the host made of a row of ours. */
export interface Delivery {
  state: (typeof DELIVERY_STATES)[number];
  /** In words, when it is not simply delivered. */
  reason: string | null;
}

interface MessageRow {
  id: string;
  seq: number;
  kind: string;
  timestamp: number;
  tries: number;
  trigger: number;
  channel_type: string | null;
  platform_id: string | null;
  thread_id: string | null;
  source_session_id: string | null;
  in_reply_to: string | null;
  trace_id: string;
  content: string;
}

const PENDING = `FROM messages_in INDEXED BY messages_in_pending WHERE status = 'pending'`;
const CANDIDATE = 'id, seq, kind, tries, on_wake, process_after, in_reply_to';
const MESSAGE = `id, seq, kind, timestamp, tries, trigger, channel_type, platform_id, thread_id,
  source_session_id, in_reply_to, trace_id, content`;

/** Exported for the test that looks at their query plans (I2). */
export const INBOX_SQL = {
  triggers: `SELECT ${CANDIDATE} ${PENDING} AND trigger = 1 AND seq > ? ORDER BY seq ${limitTo('?')}`,
  context: `SELECT ${CANDIDATE} ${PENDING} AND trigger = 0 AND seq < ? ORDER BY seq DESC ${limitTo('?')}`,
  nextDue: `SELECT min(process_after) AS due ${PENDING} AND trigger = 1 AND process_after > ?`,
  byId: `SELECT ${MESSAGE} FROM messages_in WHERE id = ?`,
  bySeq: `SELECT ${MESSAGE} FROM messages_in WHERE seq = ?`,
  lastSeq: 'SELECT max(seq) AS seq FROM messages_in',
  isPending: `SELECT 1 AS pending FROM messages_in WHERE id = ? AND status = 'pending'`,
  noticesOn: `SELECT ${MESSAGE} FROM messages_in WHERE seq > ? AND kind = 'system' AND in_reply_to = ? ORDER BY seq LIMIT 20`,
  delivery: 'SELECT state, reason FROM deliveries WHERE message_out_id = ?',
} as const;

/** What may be asked inside one `InboxReader.read`. */
export class InboxTables {
  readonly #triggers;
  readonly #context;
  readonly #nextDue;
  readonly #byId;
  readonly #bySeq;
  readonly #lastSeq;
  readonly #isPending;
  readonly #noticesOn;
  readonly #delivery;

  constructor(db: Database.Database) {
    this.#triggers = db.prepare<[number, number], CandidateRow>(INBOX_SQL.triggers);
    this.#context = db.prepare<[number, number], CandidateRow>(INBOX_SQL.context);
    this.#nextDue = db.prepare<[number], { due: number | null }>(INBOX_SQL.nextDue);
    this.#byId = db.prepare<[string], MessageRow>(INBOX_SQL.byId);
    this.#bySeq = db.prepare<[number], MessageRow>(INBOX_SQL.bySeq);
    this.#lastSeq = db.prepare<[], { seq: number | null }>(INBOX_SQL.lastSeq);
    this.#isPending = db.prepare<[string], { pending: number }>(INBOX_SQL.isPending);
    this.#noticesOn = db.prepare<[number, string], MessageRow>(INBOX_SQL.noticesOn);
    this.#delivery = db.prepare<[string], { state: string; reason: string | null }>(INBOX_SQL.delivery);
  }

  /** Pending rows that call for a turn, oldest first. */
  triggers(afterSeq: number, limit: number): Candidate[] {
    return this.#triggers.all(afterSeq, limit).map(toCandidate);
  }

  /** Pending rows that only ride along, newest first. */
  context(beforeSeq: number, limit: number): Candidate[] {
    return this.#context.all(beforeSeq, limit).map(toCandidate);
  }

  /** When the next pending trigger becomes due, epoch ms; null when none waits. */
  nextDue(now: number): number | null {
    return this.#nextDue.get(now)?.due ?? null;
  }

  byId(id: string): InboundMessage | null {
    const row = this.#byId.get(id);
    return row ? toMessage(row) : null;
  }

  bySeq(seq: number): InboundMessage | null {
    const row = this.#bySeq.get(seq);
    return row ? toMessage(row) : null;
  }

  lastSeq(): number {
    return this.#lastSeq.get()?.seq ?? 0;
  }

  /** Whether the host still counts this message as work. */
  isPending(id: string): boolean {
    return this.#isPending.get(id) !== undefined;
  }

  /** The host's notices about an own row, whatever became of them; the cost grows with what came after the row. */
  noticesOn(row: { id: string; seq: number }): InboundMessage[] {
    return this.#noticesOn.all(row.seq, row.id).map(toMessage);
  }

  /** Null while the host has not read the row. */
  delivery(messageId: string): Delivery | null {
    const row = this.#delivery.get(messageId);
    return row ? { state: parseDeliveryState(row.state), reason: row.reason } : null;
  }
}

export class InboxReader implements Disposable {
  readonly #path: string;
  #db: Database.Database | null = null;
  #tables: InboxTables | null = null;
  #lastCode = '';

  constructor(path: string) {
    this.#path = path;
  }

  /** Runs `work` in one read transaction, so that all of it sees the same state. */
  read<T>(work: (tables: InboxTables) => T): Read<T> {
    const giveUpAt = performance.now() + LOCK_WAIT_MS;
    for (;;) {
      const read = this.#tryRead(work);
      // The ring came with the end of the host's commit, a moment before it lets go of the lock.
      if (read.kind === 'read' || read.code !== 'SQLITE_BUSY' || performance.now() > giveUpAt) return this.#note(read);
      pauseThread(LOCK_LOOK_MS);
    }
  }

  #tryRead<T>(work: (tables: InboxTables) => T): Read<T> {
    try {
      const tables = this.#open();
      const value = this.#db?.transaction(() => work(tables)).deferred() as T;
      return { kind: 'read', value };
    } catch (error) {
      if (!(error instanceof Database.SqliteError)) throw error;
      // A connection that met another's unfinished commit may hold stale state: start afresh (I3).
      // A lock leaves an open connection as good as it was.
      if (error.code !== 'SQLITE_BUSY' || this.#tables === null) this[Symbol.dispose]();
      return { kind: 'unavailable', code: error.code };
    }
  }

  /** Says once what stands in the way, however often it is tried. */
  #note<T>(read: Read<T>): Read<T> {
    const code = read.kind === 'read' ? '' : read.code;
    if (code !== '' && code !== this.#lastCode) log.warn('inbound.db cannot be read now', { code });
    this.#lastCode = code;
    return read;
  }

  #open(): InboxTables {
    if (this.#tables) return this.#tables;
    this.#db = new Database(this.#path, { readonly: true, fileMustExist: true, timeout: 0 });
    for (const pragma of READER_PRAGMAS) this.#db.pragma(pragma);
    this.#tables = new InboxTables(this.#db);
    return this.#tables;
  }

  [Symbol.dispose](): void {
    this.#db?.close();
    this.#db = null;
    this.#tables = null;
  }
}

function toCandidate(row: CandidateRow): Candidate {
  return {
    id: row.id,
    seq: row.seq,
    kind: parseKind(row.kind),
    tries: row.tries,
    isOnWake: row.on_wake === 1,
    processAfter: row.process_after,
    inReplyTo: row.in_reply_to,
  };
}

function toMessage(row: MessageRow): InboundMessage {
  const content = parseInboundContent(row.content);
  if (!content.ok) log.warn('a message cannot be parsed', { messageId: row.id, problem: content.problem });
  return {
    id: row.id,
    seq: row.seq,
    kind: parseKind(row.kind),
    timestamp: row.timestamp,
    tries: row.tries,
    isTrigger: row.trigger === 1,
    channelType: row.channel_type,
    platformId: row.platform_id,
    threadId: row.thread_id,
    sourceSessionId: row.source_session_id,
    inReplyTo: row.in_reply_to,
    traceId: row.trace_id,
    content: content.ok
      ? content.value
      : { text: '(This message could not be read.)', senderName: '', attachments: [] },
  };
}

function parseKind(kind: string): InboundKind {
  const known = INBOUND_KINDS.find((name) => name === kind);
  if (!known) throw new Error(`messages_in.kind is checked by the table, yet holds ${kind}`);
  return known;
}

function parseDeliveryState(state: string): Delivery['state'] {
  const known = DELIVERY_STATES.find((name) => name === state);
  if (!known) throw new Error(`deliveries.state is checked by the table, yet holds ${state}`);
  return known;
}
