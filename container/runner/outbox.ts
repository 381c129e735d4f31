/**
 * Writes outbound.db. This process is its only writer.
 *
 * I1. Every method is one transaction that has ended when it returns: nothing is open while the runner
 *     waits, so the host may freeze it.
 * I2. `finish` commits replies, acks, continuation and the idle mark together: what was said and that it
 *     was said cannot come apart.
 * I3. A `done` or `failed` row is final for the try that it records. The host offers a message again
 *     by raising its `tries`.
 * I4. A claim is written with the turn's first write, at the latest CLAIM_WITHIN_MS after it was made: a
 *     turn that is over sooner costs one commit, not two. The first batch of a process, and a message that
 *     was tried before, are claimed at once: what kills the runner quickly is counted at the second try.
 */
import Database from 'better-sqlite3';
import { z } from 'zod';
import { makeId } from '../../shared/ids.ts';
import { type OutboundKind, parseOutboundContent } from '../../shared/messages.ts';
import { RUNNER_STATE } from '../../shared/protocol.ts';
import { CONTAINER_BUSY_TIMEOUT_MS, WRITER_PRAGMAS } from '../../shared/session-files.ts';
import type { Stamps } from '../../shared/trace.ts';
import { describeError, log } from './log.ts';
import type { Draft, OutboundBody, SentRow } from './message.ts';

export type Ack =
  /** `isQuiet`: a task whose own check decided that nothing is to be done. */
  | { id: string; tries: number; state: 'done'; stamps: Stamps; isQuiet?: boolean }
  | {
      id: string;
      tries: number;
      state: 'failed';
      error: string;
      retryable: boolean;
      retryAfterMs?: number;
      stamps: Stamps;
    };

export interface TurnEnd {
  drafts: readonly Draft[];
  acks: readonly Ack[];
  /** Kept as it is when undefined; removed when null. */
  continuation: { provider: string; continuation: string } | null | undefined;
  /** Claimed, and given back unseen: they ride along with the next batch. */
  released?: readonly string[];
  /** Epoch ms when the runner has nothing more to do; null when it goes on. */
  idleSince: number | null;
}

interface Claimable {
  id: string;
  tries: number;
}

interface Claims {
  rows: Claimable[];
  omitted: Claimable[];
  at: number;
}

/** Higher: people see late that an agent works on their message. Lower: quick turns commit twice (0.7 ms each). */
const CLAIM_WITHIN_MS = 2;
/** Pause before a late claim that could not be written is tried again; the turn goes on meanwhile. */
const CLAIM_RETRY_MS = 500;
/** Longest error text in a note: the host shows it, and takes at most 500 characters. */
const MAX_ERROR_CHARS = 400;
/** Settled rows remembered. Higher: memory. Lower: more look-ups of the same rows. */
const MAX_REMEMBERED = 10_000;

const noteSchema = z.object({ tries: z.number().int() });
const continuationSchema = z.object({ provider: z.string(), continuation: z.string() });

interface OutRow {
  id: string;
  seq: number;
  in_reply_to: string | null;
  kind: OutboundKind;
  destination: string | null;
  channel_type: string | null;
  platform_id: string | null;
  thread_id: string | null;
  trace_id: string | null;
  content: string;
}

const COLUMNS = 'id, seq, in_reply_to, kind, destination, channel_type, platform_id, thread_id, trace_id, content';

/** SQL as text; the indexes are the primary keys, `seq`'s own, and messages_out_reply. */
function prepareStatements(db: Database.Database) {
  return {
    insert: db.prepare(
      `INSERT INTO messages_out (id, seq, in_reply_to, timestamp, kind, destination, channel_type, platform_id,
         thread_id, trace_id, content) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    lastSeq: db.prepare<[], { seq: number | null }>('SELECT max(seq) AS seq FROM messages_out'),
    byId: db.prepare<[string], OutRow>(`SELECT ${COLUMNS} FROM messages_out WHERE id = ?`),
    bySeq: db.prepare<[number], OutRow>(`SELECT ${COLUMNS} FROM messages_out WHERE seq = ?`),
    byReply: db.prepare<[string], OutRow>(`SELECT ${COLUMNS} FROM messages_out WHERE in_reply_to = ? ORDER BY seq`),
    mark: db.prepare('INSERT OR REPLACE INTO processing (message_id, state, changed_at, note) VALUES (?, ?, ?, ?)'),
    processing: db.prepare<[string], { state: string; note: string | null }>(
      'SELECT state, note FROM processing WHERE message_id = ?',
    ),
    release: db.prepare("DELETE FROM processing WHERE message_id = ? AND state = 'claimed'"),
    setState: db.prepare('INSERT OR REPLACE INTO runner_state (key, value, updated_at) VALUES (?, ?, ?)'),
    deleteState: db.prepare('DELETE FROM runner_state WHERE key = ?'),
    state: db.prepare<[string], { value: string }>('SELECT value FROM runner_state WHERE key = ?'),
  };
}

export class Outbox implements Disposable {
  readonly #db: Database.Database;
  readonly #sql;
  /** The highest sequence number of the host's side, as far as this side can see. */
  readonly #lastInboundSeq: () => number;
  readonly #bell: { ring(): void };
  readonly #claimed = new Set<string>();
  /** Try that is settled, by message; null when the note does not say which. */
  readonly #settled = new Map<string, number | null>();
  /** Made, and not written yet (I4). */
  #unwritten: Claims[] = [];
  #claimTimer: NodeJS.Timeout | null = null;
  #hasFinished = false;

  /** Opens read-write, which also rolls back what a killed predecessor left half-written. */
  constructor(path: string, lastInboundSeq: () => number, bell: { ring(): void }) {
    this.#db = new Database(path, { fileMustExist: true, timeout: CONTAINER_BUSY_TIMEOUT_MS });
    for (const pragma of WRITER_PRAGMAS) this.#db.pragma(pragma);
    this.#sql = prepareStatements(this.#db);
    this.#lastInboundSeq = lastInboundSeq;
    this.#bell = bell;
  }

  /** Says hello and clears what a predecessor left of its own state. */
  start(hello: { protocolVersion: number; provider: string; startedAt: number }, isIdle: boolean): void {
    this.#write(() => {
      this.#setState(RUNNER_STATE.hello, hello, hello.startedAt);
      this.#sql.deleteState.run(RUNNER_STATE.tool);
      this.#setIdle(isIdle ? hello.startedAt : null);
    });
  }

  /** Whether this try of the message is claimed by this process, or done or failed by any (I3). */
  isTaken(message: Claimable): boolean {
    if (this.#claimed.has(message.id)) return true;
    const tries = this.#settledTries(message.id);
    return tries === null || tries === message.tries;
  }

  /** Whether this message was brought to its end here, by any try. */
  isDone(messageId: string): boolean {
    return this.#sql.processing.get(messageId)?.state === 'done';
  }

  /** Takes a batch. `omitted` rows are settled without being shown to the provider. Throws only when it writes at once (I4). */
  claim(rows: readonly Claimable[], omitted: readonly Claimable[], now: number): void {
    const claims = { rows: [...rows], omitted: [...omitted], at: now };
    const mayWait = this.#hasFinished && rows.every((row) => row.tries === 0);
    if (mayWait) {
      this.#unwritten.push(claims);
      this.#claimTimer ??= setTimeout(() => this.#writeLateClaims(), CLAIM_WITHIN_MS);
    } else this.#write(() => this.#writeClaims(claims));
    for (const row of rows) this.#claimed.add(row.id);
    for (const row of omitted) this.#settle(row.id, row.tries);
  }

  /** Commits one row now: what a tool sends is sent even if the turn fails later. */
  insert(draft: Draft, id: string): SentRow {
    return this.#write(() => this.#insert(draft, id, this.#nextSeq()));
  }

  /** Ends a turn: replies, acks, continuation and idle mark in one commit (I2). */
  finish(end: TurnEnd): SentRow[] {
    const now = Date.now();
    const acked = new Set(end.acks.map((ack) => ack.id));
    const rows = this.#write(() => {
      const firstSeq = end.drafts.length > 0 ? this.#nextSeq() : 0;
      const inserted = end.drafts.map((draft, index) =>
        this.#insert(draft, makeId('message', now), firstSeq + 2 * index),
      );
      for (const ack of end.acks) this.#sql.mark.run(ack.id, ack.state, now, formatNote(ack));
      for (const id of end.released ?? []) this.#sql.release.run(id);
      if (end.continuation === null) this.#sql.deleteState.run(RUNNER_STATE.continuation);
      else if (end.continuation) this.#setState(RUNNER_STATE.continuation, end.continuation, now);
      this.#sql.deleteState.run(RUNNER_STATE.tool);
      this.#setIdle(end.idleSince);
      return inserted;
    }, acked);
    this.#hasFinished = true;
    for (const ack of end.acks) this.#settle(ack.id, ack.tries);
    for (const id of end.released ?? []) this.#claimed.delete(id);
    return rows;
  }

  markIdle(now: number): void {
    this.#write(() => this.#setIdle(now));
  }

  setTool(tool: { tool: string; startedAt: number; timeoutMs: number } | null): void {
    this.#write(() => {
      if (tool) this.#setState(RUNNER_STATE.tool, tool, tool.startedAt);
      else this.#sql.deleteState.run(RUNNER_STATE.tool);
    });
  }

  /** Gives claims back, so that a stop on request costs no try and no back-off. */
  releaseClaims(): void {
    if (this.#claimed.size === 0) return;
    this.#write(() => {
      for (const id of this.#claimed) this.#sql.release.run(id);
      this.#sql.deleteState.run(RUNNER_STATE.tool);
    });
    this.#claimed.clear();
  }

  /** The conversation's handle for this provider; another provider's is of no use to it. */
  continuation(provider: string): string | null {
    const row = this.#sql.state.get(RUNNER_STATE.continuation);
    if (!row) return null;
    const kept = continuationSchema.safeParse(JSON.parse(row.value));
    return kept.success && kept.data.provider === provider ? kept.data.continuation : null;
  }

  /** Rows already sent in answer to this message, by this try or an earlier one. */
  sentInReplyTo(messageId: string): SentRow[] {
    return this.#sql.byReply.all(messageId).flatMap((row) => toSentRow(row) ?? []);
  }

  byId(id: string): SentRow | null {
    const row = this.#sql.byId.get(id);
    return row ? toSentRow(row) : null;
  }

  bySeq(seq: number): SentRow | null {
    const row = this.#sql.bySeq.get(seq);
    return row ? toSentRow(row) : null;
  }

  #nextSeq(): number {
    return nextOddAbove(Math.max(this.#sql.lastSeq.get()?.seq ?? 0, this.#lastInboundSeq()));
  }

  #insert(draft: Draft, id: string, seq: number): SentRow {
    const { kind, content } = draft.body;
    const json = JSON.stringify(content);
    const { inReplyTo, destination, channelType, platformId, threadId, traceId } = draft;
    this.#sql.insert.run(
      ...[id, seq, inReplyTo, Date.now(), kind, destination, channelType, platformId, threadId, traceId, json],
    );
    return { ...draft, id, seq };
  }

  #settledTries(id: string): number | null | undefined {
    const known = this.#settled.get(id);
    if (known !== undefined) return known;
    const row = this.#sql.processing.get(id);
    // A claim of a predecessor that died is free to take.
    if (!row || row.state === 'claimed') return undefined;
    const tries = parseNoteTries(row.note);
    this.#settle(id, tries);
    return tries;
  }

  #settle(id: string, tries: number | null): void {
    if (this.#settled.size >= MAX_REMEMBERED) this.#settled.clear();
    this.#settled.set(id, tries);
    this.#claimed.delete(id);
  }

  #setIdle(since: number | null): void {
    if (since === null) this.#sql.deleteState.run(RUNNER_STATE.idle);
    else this.#setState(RUNNER_STATE.idle, { since }, since);
  }

  #setState(key: string, value: unknown, now: number): void {
    this.#sql.setState.run(key, JSON.stringify(value), now);
  }

  /**
   * Every write takes the claims along that were not written yet, so that none is overtaken by its own end;
   * those of messages that end with this very write are left out.
   */
  #write<T>(work: () => T, ended: ReadonlySet<string> = new Set()): T {
    const unwritten = this.#unwritten;
    const result = this.#db
      .transaction(() => {
        for (const { rows, omitted, at } of unwritten) {
          this.#writeClaims({ rows: rows.filter((row) => !ended.has(row.id)), omitted, at });
        }
        return work();
      })
      .immediate();
    this.#unwritten = [];
    if (this.#claimTimer) clearTimeout(this.#claimTimer);
    this.#claimTimer = null;
    this.#bell.ring();
    return result;
  }

  #writeClaims({ rows, omitted, at }: Claims): void {
    if (rows.length + omitted.length === 0) return;
    for (const row of rows) this.#sql.mark.run(row.id, 'claimed', at, JSON.stringify({ tries: row.tries }));
    for (const row of omitted) {
      this.#sql.mark.run(row.id, 'done', at, JSON.stringify({ tries: row.tries, omitted: true }));
    }
    this.#sql.deleteState.run(RUNNER_STATE.idle);
  }

  #writeLateClaims(): void {
    this.#claimTimer = null;
    try {
      this.#write(() => undefined);
    } catch (error) {
      if (!isPassing(error)) throw error;
      log.warn('cannot write a claim now', { error: describeError(error) });
      this.#claimTimer = setTimeout(() => this.#writeLateClaims(), CLAIM_RETRY_MS);
    }
  }

  [Symbol.dispose](): void {
    if (this.#claimTimer) clearTimeout(this.#claimTimer);
    this.#db.close();
  }
}

export function nextOddAbove(seq: number): number {
  return seq % 2 === 0 ? seq + 1 : seq + 2;
}

/** Whether a write may succeed a little later: the disk is full, or the host's reader holds the lock. */
export function isPassing(error: unknown): boolean {
  if (!(error instanceof Database.SqliteError)) return false;
  return error.code === 'SQLITE_FULL' || error.code.startsWith('SQLITE_BUSY') || error.code === 'SQLITE_IOERR_WRITE';
}

function formatNote(ack: Ack): string {
  const common = { tries: ack.tries, ...ack.stamps };
  if (ack.state === 'done') return JSON.stringify(ack.isQuiet ? { ...common, quiet: true } : common);
  const { retryable } = ack;
  const retryAfterMs = ack.retryAfterMs === undefined ? undefined : Math.ceil(ack.retryAfterMs);
  return JSON.stringify({ ...common, error: ack.error.slice(0, MAX_ERROR_CHARS), retryable, retryAfterMs });
}

function parseNoteTries(note: string | null): number | null {
  if (note === null) return null;
  try {
    const parsed = noteSchema.safeParse(JSON.parse(note));
    return parsed.success ? parsed.data.tries : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** Null for rows that the contract would refuse. */
function toSentRow(row: OutRow): SentRow | null {
  const parsed = parseOutboundContent(row.kind, row.content);
  if (!parsed.ok) return null;
  const body: OutboundBody = parsed.value;
  return {
    id: row.id,
    seq: row.seq,
    inReplyTo: row.in_reply_to,
    destination: row.destination,
    channelType: row.channel_type,
    platformId: row.platform_id,
    threadId: row.thread_id,
    traceId: row.trace_id,
    body,
  };
}
