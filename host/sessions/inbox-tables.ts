/** The rows of inbound.db, with their SQL. Synchronous; the caller holds the transaction. */
import type Database from 'better-sqlite3';
import { limitTo } from '../../shared/bound-limit.ts';
import type { MessageId, SessionId, TraceId, UserId } from '../../shared/ids.ts';
import type { InboundKind } from '../../shared/messages.ts';

export interface NewInboundRow {
  id: MessageId;
  kind: InboundKind;
  timestamp: number;
  processAfter: number | null;
  trigger: boolean;
  onWake: boolean;
  channelType: string | null;
  platformId: string | null;
  threadId: string | null;
  senderId: UserId | null;
  sourceSessionId: SessionId | null;
  inReplyTo: string | null;
  hop: number;
  traceId: TraceId;
  /** JSON of `InboundContent`. */
  content: string;
}

/** A row that is not done yet. */
export interface OpenInbound {
  id: MessageId;
  seq: number;
  kind: InboundKind;
  timestamp: number;
  tries: number;
  trigger: boolean;
  processAfter: number | null;
  channelType: string | null;
  platformId: string | null;
  threadId: string | null;
  senderId: string | null;
  /** The session that wrote it, for a message of another agent. */
  sourceSessionId: SessionId | null;
  traceId: TraceId;
  content: string;
}

/** What an answer to an inbound row goes on from. */
export interface InboundLink {
  sourceSessionId: SessionId | null;
  /** For a message of another agent: the message of this session that it answers. */
  inReplyTo: MessageId | null;
  hop: number;
  timestamp: number;
}

/** Where an inbound row came from. */
export interface InboundRoute {
  channelType: string | null;
  platformId: string | null;
  threadId: string | null;
  traceId: TraceId;
}

/** What waits in an inbox; times are epoch ms. */
export interface Work {
  due: number;
  /** When the oldest due row fell due. */
  dueSince: number | null;
  newestAt: number | null;
  nextDueAt: number | null;
  open: number;
  /** Of the due rows, those that only a container started after they were written takes; and the newest of them. */
  dueFresh: number;
  newestFreshAt: number | null;
}

export const DELIVERY_STATES = ['queued', 'sending', 'delivered', 'failed', 'refused', 'unknown'] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

export interface DeliveryRow {
  messageOutId: string;
  seq: number;
  state: DeliveryState;
  attempts: number;
  nextAttemptAt: number | null;
  idempotencyKey: string;
  platformMessageId: string | null;
  reason: string | null;
  updatedAt: number;
}

const DELIVERY_COLUMNS = `message_out_id AS messageOutId, seq, state, attempts, next_attempt_at AS nextAttemptAt,
  idempotency_key AS idempotencyKey, platform_message_id AS platformMessageId, reason, updated_at AS updatedAt`;

const OPEN_COLUMNS = `id, seq, kind, timestamp, tries, trigger, process_after, channel_type, platform_id, thread_id,
  sender_id, source_session_id, trace_id, content`;

const LINK_COLUMNS = 'source_session_id AS sourceSessionId, in_reply_to AS inReplyTo, hop, timestamp';

interface OpenRow {
  id: string;
  seq: number;
  kind: InboundKind;
  timestamp: number;
  tries: number;
  trigger: number;
  process_after: number | null;
  channel_type: string | null;
  platform_id: string | null;
  thread_id: string | null;
  sender_id: string | null;
  source_session_id: string | null;
  trace_id: string;
  content: string;
}

export class InboxTables {
  readonly #db: Database.Database;
  readonly #statements = new Map<string, Database.Statement>();
  /** Highest sequence number seen in either file; null until asked. */
  #highestSeq: number | null = null;
  /** The highest that the container showed; given by whoever reads outbound.db. */
  #containerSeq = 0;
  /** Rows were queued that the runner has not been rung for. */
  #hasNews = false;

  constructor(db: Database.Database) {
    this.#db = db;
    // Fails here, not later, when the file is no database or lacks the tables.
    this.#prepare('SELECT 1 FROM messages_in, deliveries LIMIT 1').get();
  }

  transaction(work: () => void): void {
    this.#db.transaction(work).immediate();
  }

  /** Several questions about one state. */
  reading<T>(work: () => T): T {
    return this.#db.transaction(work).deferred();
  }

  /** After a rolled-back transaction: what was cached may not be so. */
  forget(): void {
    this.#highestSeq = null;
    this.#hasNews = false;
  }

  /** A tool of the runner waits for what this transaction says of its row. */
  noteNews(): void {
    this.#hasNews = true;
  }

  /** Whether the runner should hear of what was written since the last call. */
  takeNews(): boolean {
    const hasNews = this.#hasNews;
    this.#hasNews = false;
    return hasNews;
  }

  /**
   * Appends in order; an id that is there already is left as it is. Returns how many were new. What is for a fresh
   * container alone gets the time of this commit: the runtime compares it with the starts of containers.
   */
  append(rows: readonly NewInboundRow[]): number {
    let added = 0;
    for (const row of rows) {
      const seq = this.#nextSeq();
      const made = this.#prepare(
        `INSERT INTO messages_in (id, seq, kind, timestamp, status, process_after, trigger, on_wake, channel_type,
           platform_id, thread_id, sender_id, source_session_id, in_reply_to, hop, trace_id, content)
         VALUES (?, ?, ?, ?, 'pending', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
      ).run(
        row.id,
        seq,
        row.kind,
        row.onWake ? Math.max(row.timestamp, Date.now()) : row.timestamp,
        row.processAfter,
        row.trigger ? 1 : 0,
        row.onWake ? 1 : 0,
        row.channelType,
        row.platformId,
        row.threadId,
        row.senderId,
        row.sourceSessionId,
        row.inReplyTo,
        row.hop,
        row.traceId,
        row.content,
      );
      if (made.changes === 0) continue;
      this.#highestSeq = seq;
      this.#hasNews = true;
      added++;
    }
    return added;
  }

  #nextSeq(): number {
    const highest = this.highestSeq();
    return highest + 2 - (highest % 2);
  }

  /** The highest sequence number that the host has seen, of either side. */
  highestSeq(): number {
    this.#highestSeq ??= Number(
      this.#prepare(
        'SELECT max(coalesce((SELECT max(seq) FROM messages_in), 0), coalesce((SELECT max(seq) FROM deliveries), 0))',
      )
        .pluck()
        .get(),
    );
    return Math.max(this.#highestSeq, this.#containerSeq);
  }

  /** The container's highest sequence number, so that the host's next is above it. */
  noteContainerSeq(seq: number): void {
    if (seq > this.#containerSeq) this.#containerSeq = seq;
  }

  /** Rows that are not done, oldest first; with `dueBy` only those that are due then: what waits must not fill the window. */
  listOpen(limit: number, dueBy: number = Number.MAX_SAFE_INTEGER): OpenInbound[] {
    // The rows come from our own file; the shape is the one selected.
    const rows = this.#prepare(
      `SELECT ${OPEN_COLUMNS} FROM messages_in
       WHERE status = 'pending' AND coalesce(process_after, 0) <= ? ORDER BY seq ${limitTo('?')}`,
    ).all(dueBy, limit) as OpenRow[];
    return rows.map(toOpen);
  }

  getStatus(id: string): 'pending' | 'done' | 'failed' | null {
    // The column's CHECK names these three.
    const status = this.#prepare('SELECT status FROM messages_in WHERE id = ?').pluck().get(id) as
      | 'pending'
      | 'done'
      | 'failed'
      | undefined;
    return status ?? null;
  }

  /** A row whatever its status; null when this session has none with this id. */
  getRoute(id: string): InboundRoute | null {
    // The shape is the one selected.
    const row = this.#prepare(
      `SELECT channel_type AS channelType, platform_id AS platformId, thread_id AS threadId, trace_id AS traceId
       FROM messages_in WHERE id = ?`,
    ).get(id) as InboundRoute | undefined;
    return row ?? null;
  }

  /** What an answer to this row goes on from; null when this session has none with this id. */
  getLink(id: string): InboundLink | null {
    // The shape is the one selected.
    const link = this.#prepare(`SELECT ${LINK_COLUMNS} FROM messages_in WHERE id = ?`).get(id) as
      | InboundLink
      | undefined;
    return link ?? null;
  }

  /**
   * The message of another agent that was handed on most often: of those before `seq` that are not done, and
   * of the newest `rows` rows that came in since `since`. Null when there is none.
   */
  findFarthestPeer(seq: number, since: number, rows: number): InboundLink | null {
    // The shape is the one selected.
    const link = this.#prepare(
      `SELECT ${LINK_COLUMNS} FROM (
         SELECT * FROM (SELECT * FROM messages_in WHERE seq < @seq ORDER BY seq DESC LIMIT @rows) WHERE timestamp >= @since
         UNION ALL SELECT * FROM messages_in WHERE status = 'pending' AND seq < @seq)
       WHERE source_session_id IS NOT NULL AND kind = 'chat' ORDER BY hop DESC, timestamp DESC LIMIT 1`,
    ).get({ seq, since, rows }) as InboundLink | undefined;
    return link ?? null;
  }

  /** Rows from one place that are not done, counted up to `limit`. */
  countOpenFrom(channelType: string, platformId: string, limit: number): number {
    return Number(
      this.#prepare(
        `SELECT count(*) FROM (SELECT 1 FROM messages_in
         WHERE status = 'pending' AND kind = 'chat' AND channel_type = ? AND platform_id = ? LIMIT ?)`,
      )
        .pluck()
        .get(channelType, platformId, limit),
    );
  }

  /** The open trigger rows: accumulated context alone is no work. */
  work(now: number): Work {
    // The shape is the one selected.
    return this.#prepare(
      `SELECT count(*) FILTER (WHERE coalesce(process_after, 0) <= @now) AS due,
              min(max(timestamp, coalesce(process_after, 0))) FILTER (WHERE coalesce(process_after, 0) <= @now) AS dueSince,
              max(timestamp) AS newestAt,
              min(process_after) FILTER (WHERE process_after > @now) AS nextDueAt,
              count(*) AS open,
              count(*) FILTER (WHERE on_wake = 1 AND coalesce(process_after, 0) <= @now) AS dueFresh,
              max(timestamp) FILTER (WHERE on_wake = 1 AND coalesce(process_after, 0) <= @now) AS newestFreshAt
       FROM messages_in WHERE status = 'pending' AND trigger = 1`,
    ).get({ now }) as Work;
  }

  setStatus(id: string, status: 'done' | 'failed'): boolean {
    return (
      this.#prepare(`UPDATE messages_in SET status = ? WHERE id = ? AND status = 'pending'`).run(status, id).changes > 0
    );
  }

  requeue(id: string, tries: number, processAfter: number): void {
    this.#hasNews = true;
    this.#prepare(`UPDATE messages_in SET tries = ?, process_after = ? WHERE id = ? AND status = 'pending'`).run(
      tries,
      processAfter,
      id,
    );
  }

  putDelivery(row: DeliveryRow): void {
    this.#prepare(
      `INSERT INTO deliveries (message_out_id, seq, state, attempts, next_attempt_at, idempotency_key,
         platform_message_id, reason, updated_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (message_out_id) DO UPDATE SET state = excluded.state, attempts = excluded.attempts,
         next_attempt_at = excluded.next_attempt_at, platform_message_id = excluded.platform_message_id,
         reason = excluded.reason, updated_at = excluded.updated_at`,
    ).run(
      row.messageOutId,
      row.seq,
      row.state,
      row.attempts,
      row.nextAttemptAt,
      row.idempotencyKey,
      row.platformMessageId,
      row.reason,
      row.updatedAt,
    );
    this.noteContainerSeq(row.seq);
  }

  getDelivery(messageOutId: string): DeliveryRow | null {
    // The shape is the one selected.
    const row = this.#prepare(`SELECT ${DELIVERY_COLUMNS} FROM deliveries WHERE message_out_id = ?`).get(
      messageOutId,
    ) as DeliveryRow | undefined;
    return row ?? null;
  }

  /** Deliveries that are not at their end, oldest first; with `dueBy` without those put off beyond it and never tried. */
  listOpenDeliveries(limit: number, dueBy: number = Number.MAX_SAFE_INTEGER): DeliveryRow[] {
    // The shape is the one selected.
    return this.#prepare(
      `SELECT ${DELIVERY_COLUMNS} FROM deliveries WHERE state IN ('queued', 'sending')
         AND NOT (state = 'queued' AND attempts = 0 AND coalesce(next_attempt_at, 0) > ?) ORDER BY seq ${limitTo('?')}`,
    ).all(dueBy, limit) as DeliveryRow[];
  }

  /** Deliveries that came to their end, the newest rows first. */
  listEndedDeliveries(limit: number): DeliveryRow[] {
    // The shape is the one selected.
    return this.#prepare(
      `SELECT * FROM (SELECT ${DELIVERY_COLUMNS} FROM deliveries ORDER BY seq DESC LIMIT ?)
       WHERE state NOT IN ('queued', 'sending')`,
    ).all(limit) as DeliveryRow[];
  }

  /** When the next delivery that was put off and never tried falls due, null when none waits. */
  nextDeferred(now: number): number | null {
    const at = this.#prepare(
      // The first condition repeats the index's own, or every past delivery would be read.
      `SELECT min(next_attempt_at) FROM deliveries WHERE state IN ('queued', 'sending')
         AND state = 'queued' AND attempts = 0 AND next_attempt_at > ?`,
    )
      .pluck()
      .get(now);
    return typeof at === 'number' ? at : null;
  }

  hasOpenDeliveries(): boolean {
    return this.#prepare(`SELECT 1 FROM deliveries WHERE state IN ('queued', 'sending') LIMIT 1`).get() !== undefined;
  }

  /** Every outbound row up to here is in `deliveries`. */
  deliveryCursor(): number {
    return Number(this.#prepare('SELECT coalesce(max(seq), 0) FROM deliveries').pluck().get());
  }

  #prepare(sql: string): Database.Statement {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const made = this.#db.prepare(sql);
    this.#statements.set(sql, made);
    return made;
  }
}

function toOpen(row: OpenRow): OpenInbound {
  return {
    id: row.id as MessageId,
    seq: row.seq,
    kind: row.kind,
    timestamp: row.timestamp,
    tries: row.tries,
    trigger: row.trigger === 1,
    processAfter: row.process_after,
    channelType: row.channel_type,
    platformId: row.platform_id,
    threadId: row.thread_id,
    senderId: row.sender_id,
    sourceSessionId: row.source_session_id as SessionId | null,
    traceId: row.trace_id as TraceId,
    content: row.content,
  };
}
