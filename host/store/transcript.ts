/**
 * The transcript: the host's own record of each message, for the API, the console and traces.
 *
 * I1. Rows are upserted by message id, so telling one twice changes nothing.
 * I2. `revision` rises with each change of any row: what changed since N is one index range, and a
 *     page that reconnects misses nothing and doubles nothing.
 *     It rises with time, not by one: what it is tells nobody how much others say. So does `position`.
 * I3. Changes gather and commit together (`flush`), one commit for a burst; `onFlush` hears the rows after.
 * I4. What the ledger is to say of a message is told with it, and stands in the same commit: told again after a
 *     crash, with a row that is there already, it is not said twice.
 * I5. What was told is never dropped. Memory is bounded by those who bring work: while `trouble` says why, they take none.
 *
 * The session databases stay the truth about work: a crash between theirs and this commit is mended
 * by telling the open rows again.
 */
import type { MessageId, MessagingGroupId, SessionId, TraceId, UserId } from '../../shared/ids.ts';
import type { Attachment } from '../../shared/messages.ts';
import type { Stamps } from '../../shared/trace.ts';
import { type Fault, toDiskFault } from '../config/errors.ts';
import { hostLog } from '../observe/logger.ts';
import type { CentralDb } from './database.ts';
import { Ledger, type LedgerEntry } from './ledger.ts';
import { planChange, type TranscriptChange } from './transcript-change.ts';
import { TranscriptReads } from './transcript-reads.ts';

export type TranscriptKind = 'chat' | 'task' | 'webhook' | 'system' | 'question' | 'request';
export type InboundState = 'queued' | 'read' | 'answered' | 'context' | 'failed' | 'refused' | 'dropped';
export type OutboundState = 'queued' | 'sending' | 'delivered' | 'failed' | 'refused' | 'unknown' | 'dropped';
export type MessageState = InboundState | OutboundState;

/** `gone`: this host's copy of it was removed to make room. */
export type TranscriptAttachment = Attachment & { gone?: boolean };

export interface TranscriptMessage {
  position: number;
  revision: number;
  id: MessageId;
  sessionId: SessionId;
  messagingGroupId: MessagingGroupId | null;
  threadId: string | null;
  direction: 'in' | 'out';
  kind: TranscriptKind;
  authorId: UserId | string | null;
  authorName: string;
  destination: string | null;
  text: string;
  attachments: TranscriptAttachment[];
  reactions: { emoji: string; by: string }[];
  inReplyTo: MessageId | null;
  state: MessageState;
  stateReason: string | null;
  platformMessageId: string | null;
  clientId: string | null;
  traceId: TraceId;
  stamps: Stamps;
  createdAt: number;
  editedAt: number | null;
  /** Whom alone it concerns: who typed this command, or is answered; null: whoever reads the conversation. */
  onlyFor: UserId | null;
}

export type NewTranscriptMessage = Omit<
  TranscriptMessage,
  'position' | 'revision' | 'reactions' | 'platformMessageId' | 'editedAt' | 'onlyFor'
> & {
  /** Known at once for what comes in; what goes out learns it when it is sent. */
  platformMessageId?: string | null;
  onlyFor?: UserId | null;
};

type Pending =
  | { kind: 'put'; message: NewTranscriptMessage; heard: Heard | null }
  | { kind: 'change'; id: MessageId; change: TranscriptChange }
  | { kind: 'record'; entry: LedgerEntry; at: number; unlessLast: string | null };

/** Why a message was put before its agent, for the ledger: the rest of the entry is the message's. */
export type Heard = Pick<LedgerEntry, 'actor' | 'detail'>;

/**
 * Longest that what was told waits for its commit, so that a quick round trip is one or two. Whoever ends a row
 * in a session's database flushes first: what is over there is told by nobody again after a crash.
 * Higher: news shows late. Lower: commits get in the way of those that messages wait for.
 */
const FLUSH_WITHIN_MS = 5;
/** Revisions that one millisecond has room for before they run ahead of time. Higher: they outgrow 15 digits sooner. Lower: a burst shows its size. */
const REVISIONS_PER_MS = 100;
/** Wait before a commit is tried again on a full disk. Higher: late news. Lower: busy work. */
const FLUSH_RETRY_MS = 1_000;
/**
 * Told, and not committed because the disk takes nothing: beyond it no new work is taken (I5). Higher: memory (64 KiB
 * each at worst), and each try to commit them holds the host up for longer. Lower: short trouble refuses messages.
 */
const MAX_UNCOMMITTED = 4_000;

/** Writes the transcript, and answers as `TranscriptReads` does. */
export class Transcript extends TranscriptReads {
  readonly #db: CentralDb;
  readonly #ledger: Ledger;
  readonly #now: () => number;
  readonly #insert;
  readonly #update;
  readonly #nameClient;
  readonly #touchSession;
  #revision: number;
  #pending: Pending[] = [];
  #flushScheduled = false;
  #retry: NodeJS.Timeout | null = null;
  /** Why the last commit was none; null: it was one. Said once. */
  #fault: Fault | null = null;
  #listeners = new Set<(messages: TranscriptMessage[]) => void>();
  #isClosed = false;

  constructor(db: CentralDb, now: () => number = Date.now) {
    super(db);
    this.#db = db;
    this.#now = now;
    this.#ledger = new Ledger(db);
    this.#revision =
      db.prepare<[], { revision: number }>('SELECT coalesce(max(revision), 0) AS revision FROM messages').get()
        ?.revision ?? 0;
    this.#insert = db.prepare(
      `INSERT INTO messages (position, id, revision, session_id, messaging_group_id, thread_id, direction, kind, author_id,
         author_name, destination, text, attachments, in_reply_to, state, state_reason, platform_message_id, client_id,
         trace_id, stamps, created_at, only_for)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    );
    this.#update = db.prepare(
      `UPDATE messages SET revision = ?, state = ?, state_reason = ?, platform_message_id = ?, stamps = ?, text = ?,
         edited_at = ?, reactions = ?, attachments = ? WHERE id = ?`,
    );
    this.#nameClient = db.prepare(
      `UPDATE OR IGNORE messages SET revision = ?, client_id = ?, platform_message_id = coalesce(platform_message_id, ?)
       WHERE id = ? AND client_id IS NULL`,
    );
    this.#touchSession = db.prepare('UPDATE sessions SET last_active_at = max(last_active_at, ?) WHERE id = ?');
  }

  /** The newest revision that is committed. */
  get revision(): number {
    return this.#revision;
  }

  /** Why no new work may be taken now, as whoever sent it is told; null: it may. What is under way goes on (I5). */
  get trouble(): Fault | null {
    return this.#pending.length < MAX_UNCOMMITTED ? null : this.#fault;
  }

  /**
   * Tells a message; it is committed with the next flush, at the latest after FLUSH_WITHIN_MS. `heard` is recorded
   * when the message is new (I4).
   */
  put(message: NewTranscriptMessage, heard: Heard | null = null): void {
    this.#enqueue({ kind: 'put', message, heard });
  }

  /**
   * Tells the ledger something of a message, in the commit of what is told of it around this (I4). `at` is epoch
   * ms. `unlessLast`, a beginning of kinds: not when the last entry of that kind about it is of this very kind.
   */
  record(entry: LedgerEntry, at: number, unlessLast: string | null = null): void {
    this.#enqueue({ kind: 'record', entry, at, unlessLast });
  }

  change(id: MessageId, change: TranscriptChange): void {
    this.#enqueue({ kind: 'change', id, change });
  }

  /** Commits what was told; what comes after is for the next host, which tells the open rows again. */
  close(): void {
    try {
      this.flush();
    } finally {
      this.#isClosed = true;
      this.#cancelRetry();
    }
  }

  #enqueue(pending: Pending): void {
    if (this.#isClosed) return;
    this.#pending.push(pending);
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    setTimeout(() => {
      if (this.#flushScheduled) this.flushOrRetry();
    }, FLUSH_WITHIN_MS);
  }

  /**
   * Commits what was told so far, at a moment that suits the caller. A full or failing disk must not end the host:
   * what was told then stays queued until it can be written. Not asked again before it is time.
   */
  flushOrRetry(): void {
    if (this.#retry !== null) return;
    try {
      this.flush();
    } catch (error) {
      if (toDiskFault(error) === null) throw error;
    }
  }

  #noteTrouble(error: unknown): void {
    const fault = toDiskFault(error);
    if (fault === null) return;
    if (this.#fault === null) hostLog.error({ err: fault }, 'messages cannot be written to the central database now');
    this.#fault = fault;
    this.#flushScheduled = true;
    this.#retry ??= setTimeout(() => {
      this.#retry = null;
      this.flushOrRetry();
    }, FLUSH_RETRY_MS).unref();
  }

  #cancelRetry(): void {
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#retry = null;
  }

  /** Commits everything told so far, then tells the listeners. Throws when the disk does; nothing is lost of the queue then. */
  flush(): void {
    this.#flushScheduled = false;
    const batch = this.#pending;
    if (batch.length === 0 || this.#isClosed) return;
    const touched = new Set<MessageId>();
    const before = this.#revision;
    try {
      this.#db.transaction(() => {
        for (const pending of batch) {
          if (pending.kind === 'put') this.#applyPut(pending.message, pending.heard, touched);
          else if (pending.kind === 'change') this.#applyChange(pending.id, pending.change, touched);
          else this.#applyRecord(pending);
        }
      })();
    } catch (error) {
      this.#revision = before;
      this.#noteTrouble(error);
      throw error;
    }
    this.#fault = null;
    this.#cancelRetry();
    this.#pending = this.#pending.slice(batch.length);
    this.#tell(touched);
  }

  /**
   * Commits messages together with what else the work changes in this database: all of it, or nothing and it throws
   * what the work or the disk did. What was told before is committed first.
   */
  commitWith(work: () => readonly NewTranscriptMessage[]): void {
    this.flush();
    const touched = new Set<MessageId>();
    const before = this.#revision;
    try {
      this.#db.transaction(() => {
        for (const message of work()) this.#applyPut(message, null, touched);
      })();
    } catch (error) {
      this.#revision = before;
      throw error;
    }
    this.#tell(touched);
  }

  #tell(touched: ReadonlySet<MessageId>): void {
    if (touched.size === 0 || this.#listeners.size === 0) return;
    const messages: TranscriptMessage[] = [];
    for (const id of touched) {
      const message = this.peek(id);
      if (message !== null) messages.push(message);
    }
    for (const listener of this.#listeners) listener(messages);
  }

  /** Hears the rows of each flush, after the commit. Returns the way to stop. */
  onFlush(listener: (messages: TranscriptMessage[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #applyRecord({ entry, at, unlessLast }: Extract<Pending, { kind: 'record' }>): void {
    const last =
      unlessLast === null || entry.messageId === null ? null : this.#ledger.lastAbout(entry.messageId, unlessLast);
    if (last?.kind !== entry.kind) this.#ledger.append(entry, at);
  }

  #applyPut(message: NewTranscriptMessage, heard: Heard | null, touched: Set<MessageId>): void {
    const revision = this.#nextRevision();
    const made = this.#insert.run(
      revision,
      message.id,
      revision,
      message.sessionId,
      message.messagingGroupId ?? '',
      message.threadId ?? '',
      message.direction,
      message.kind,
      message.authorId,
      message.authorName,
      message.destination,
      message.text,
      JSON.stringify(message.attachments),
      message.inReplyTo,
      message.state,
      message.stateReason,
      message.platformMessageId ?? null,
      message.clientId,
      message.traceId,
      JSON.stringify(message.stamps),
      message.createdAt,
      message.onlyFor ?? null,
    );
    if (made.changes === 0) {
      // Told again from inbound.db after a crash, which keeps neither id: the sender's repeat brings them.
      const { clientId, platformMessageId = null } = message;
      const named = clientId !== null && this.#nameClient.run(revision, clientId, platformMessageId, message.id);
      if (!named || named.changes === 0) return;
      this.#revision = revision;
      touched.add(message.id);
      return;
    }
    this.#revision = revision;
    touched.add(message.id);
    this.#touchSession.run(message.createdAt, message.sessionId);
    if (heard === null) return;
    const { id: messageId, sessionId, createdAt } = message;
    this.#ledger.append({ kind: 'message.heard', sessionId, messageId, ...heard }, createdAt);
  }

  #applyChange(id: MessageId, change: TranscriptChange, touched: Set<MessageId>): void {
    const row = this.row(id);
    const next = row === null ? null : planChange(row, change);
    if (next === null) return;
    this.#revision = this.#nextRevision();
    this.#update.run(
      this.#revision,
      next.state,
      next.state_reason,
      next.platform_message_id,
      next.stamps,
      next.text,
      next.edited_at,
      next.reactions,
      next.attachments,
      id,
    );
    touched.add(id);
  }

  /** I2 */
  #nextRevision(): number {
    return Math.max(this.#revision + 1, Math.floor(this.#now()) * REVISIONS_PER_MS);
  }
}
