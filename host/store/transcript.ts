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
 *
 * The session databases stay the truth about work: a crash between theirs and this commit is mended
 * by telling the open rows again.
 */
import type { MessageId, MessagingGroupId, SessionId, TraceId, UserId } from '../../shared/ids.ts';
import type { Attachment } from '../../shared/messages.ts';
import type { Stamps } from '../../shared/trace.ts';
import { errorCode } from '../config/errors.ts';
import type { CentralDb } from './database.ts';
import { Ledger, type LedgerEntry } from './ledger.ts';

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
}

export type NewTranscriptMessage = Omit<
  TranscriptMessage,
  'position' | 'revision' | 'reactions' | 'platformMessageId' | 'editedAt'
> & {
  /** Known at once for what comes in; what goes out learns it when it is sent. */
  platformMessageId?: string | null;
};

/** What may change of a row later. `stamps` are merged, first stamp of a stage wins. */
export interface TranscriptChange {
  state?: MessageState;
  stateReason?: string | null;
  platformMessageId?: string | null;
  stamps?: Stamps;
  text?: string;
  editedAt?: number;
  reactions?: { emoji: string; by: string }[];
  attachments?: TranscriptAttachment[];
  /** Only a row of this session and direction may change: ids in a container's rows are input. */
  only?: { sessionId: SessionId; direction: 'in' | 'out' };
}

interface Row {
  position: number;
  id: string;
  revision: number;
  session_id: string;
  messaging_group_id: string;
  thread_id: string;
  direction: 'in' | 'out';
  kind: TranscriptKind;
  author_id: string | null;
  author_name: string;
  destination: string | null;
  text: string;
  attachments: string;
  reactions: string;
  in_reply_to: string | null;
  state: MessageState;
  state_reason: string | null;
  platform_message_id: string | null;
  client_id: string | null;
  trace_id: string;
  stamps: string;
  created_at: number;
  edited_at: number | null;
}

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
/** Messages of a chat among which somebody's last word is looked for. Higher: slower in busy chats. Lower: it is missed there. */
const LAST_WORDS = 100;
/** Revisions that one millisecond has room for before they run ahead of time. Higher: they outgrow 15 digits sooner. Lower: a burst shows its size. */
const REVISIONS_PER_MS = 100;
/** Wait before a commit is tried again on a full disk. Higher: late news. Lower: busy work. */
const FLUSH_RETRY_MS = 1_000;
/** The host signs no question: such a one is the card of an approval. */
export const CARDS_ABOUT = `AND (kind <> 'question' OR author_id IS NOT NULL OR EXISTS (
  SELECT 1 FROM pending_questions AS card JOIN pending_approvals AS approval ON approval.id = card.approval_id
  WHERE card.message_id = messages.id AND approval.agent_group_id IN (SELECT value FROM json_each(?))))`;

export class Transcript {
  readonly #db: CentralDb;
  readonly #ledger: Ledger;
  readonly #now: () => number;
  readonly #insert;
  readonly #update;
  readonly #nameClient;
  readonly #get;
  readonly #touchSession;
  #revision: number;
  #pending: Pending[] = [];
  #flushScheduled = false;
  #retry: NodeJS.Timeout | null = null;
  #listeners = new Set<(messages: TranscriptMessage[]) => void>();
  #isClosed = false;

  constructor(db: CentralDb, now: () => number = Date.now) {
    this.#db = db;
    this.#now = now;
    this.#ledger = new Ledger(db);
    this.#revision =
      db.prepare<[], { revision: number }>('SELECT coalesce(max(revision), 0) AS revision FROM messages').get()
        ?.revision ?? 0;
    this.#insert = db.prepare(
      `INSERT INTO messages (position, id, revision, session_id, messaging_group_id, thread_id, direction, kind, author_id,
         author_name, destination, text, attachments, in_reply_to, state, state_reason, platform_message_id, client_id,
         trace_id, stamps, created_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    );
    this.#update = db.prepare(
      `UPDATE messages SET revision = ?, state = ?, state_reason = ?, platform_message_id = ?, stamps = ?, text = ?,
         edited_at = ?, reactions = ?, attachments = ? WHERE id = ?`,
    );
    this.#nameClient = db.prepare(
      `UPDATE OR IGNORE messages SET revision = ?, client_id = ?, platform_message_id = coalesce(platform_message_id, ?)
       WHERE id = ? AND client_id IS NULL`,
    );
    this.#get = db.prepare<[string], Row>('SELECT * FROM messages WHERE id = ?');
    this.#touchSession = db.prepare('UPDATE sessions SET last_active_at = max(last_active_at, ?) WHERE id = ?');
  }

  /** The newest revision that is committed. */
  get revision(): number {
    return this.#revision;
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
    this.flush();
    this.#isClosed = true;
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
   * Commits what was told so far, at a moment that suits the caller. A full disk must not end the host: what
   * was told then stays queued until there is room.
   */
  flushOrRetry(): void {
    try {
      this.flush();
    } catch (error) {
      if (errorCode(error) !== 'SQLITE_FULL' && !errorCode(error).startsWith('SQLITE_IOERR')) throw error;
      this.#flushScheduled = true;
      this.#retry ??= setTimeout(() => {
        this.#retry = null;
        this.flushOrRetry();
      }, FLUSH_RETRY_MS).unref();
    }
  }

  /** Commits everything told so far, then tells the listeners. Throws when the disk does; nothing is lost of the queue then. */
  flush(): void {
    this.#flushScheduled = false;
    const batch = this.#pending;
    if (batch.length === 0 || this.#isClosed) return;
    const touched = new Set<string>();
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
      throw error;
    }
    this.#pending = this.#pending.slice(batch.length);
    this.#tell(touched);
  }

  /**
   * Commits messages together with what else the work changes in this database: all of it, or nothing and it throws
   * what the work or the disk did. What was told before is committed first.
   */
  commitWith(work: () => readonly NewTranscriptMessage[]): void {
    this.flush();
    const touched = new Set<string>();
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

  #tell(touched: ReadonlySet<string>): void {
    if (touched.size === 0 || this.#listeners.size === 0) return;
    const messages: TranscriptMessage[] = [];
    for (const id of touched) {
      const row = this.#get.get(id);
      if (row !== undefined) messages.push(toMessage(row));
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

  #applyPut(message: NewTranscriptMessage, heard: Heard | null, touched: Set<string>): void {
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

  #applyChange(id: MessageId, change: TranscriptChange, touched: Set<string>): void {
    const row = this.#get.get(id);
    if (row === undefined) return;
    const { only } = change;
    if (only !== undefined && (row.session_id !== only.sessionId || row.direction !== only.direction)) return;
    const stamps: Stamps = JSON.parse(row.stamps);
    // An agent may have read and answered a message before its delivery is settled.
    const isLate = change.state === 'delivered' && (row.state === 'read' || row.state === 'answered');
    const next = {
      state: isLate ? row.state : (change.state ?? row.state),
      state_reason: change.stateReason === undefined ? row.state_reason : change.stateReason,
      platform_message_id: change.platformMessageId === undefined ? row.platform_message_id : change.platformMessageId,
      stamps: JSON.stringify({ ...change.stamps, ...stamps }),
      text: change.text ?? row.text,
      edited_at: change.editedAt ?? row.edited_at,
      reactions: change.reactions === undefined ? row.reactions : JSON.stringify(change.reactions),
      attachments: change.attachments === undefined ? row.attachments : JSON.stringify(change.attachments),
    };
    const hasNewStamp = Object.keys(change.stamps ?? {}).some((stage) => !(stage in stamps));
    const { stamps: _same, ...shown } = next;
    // Told again (a claim at every doorbell): no revision, no commit, no news.
    if (!hasNewStamp && Object.entries(shown).every(([column, value]) => row[column as keyof Row] === value)) return;
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

  get(id: MessageId): TranscriptMessage | null {
    this.flush();
    const row = this.#get.get(id);
    return row === undefined ? null : toMessage(row);
  }

  /** A message as committed: costs no commit, and may be FLUSH_WITHIN_MS behind. */
  peek(id: MessageId): TranscriptMessage | null {
    const row = this.#get.get(id);
    return row === undefined ? null : toMessage(row);
  }

  /**
   * One page of a session's conversation: its own messages, and what others sent into its chat.
   * Oldest first within the page; the newest page when neither bound is given. With `cards`, of the approvals' cards
   * those about these agents alone.
   */
  listForSession(
    session: { id: SessionId; messagingGroupId: MessagingGroupId | null },
    page: { before?: number; after?: number; limit: number; cards?: readonly string[] | null },
  ): TranscriptMessage[] {
    this.flush();
    const forward = page.after !== undefined;
    const order = forward ? 'ASC' : 'DESC';
    const { cards = null } = page;
    const bounds = `position > ? AND position < ? ${cards === null ? '' : CARDS_ABOUT}`;
    const about = cards === null ? [] : [JSON.stringify(cards)];
    const rows = this.#db
      .prepare<(string | number)[], Row>(
        `SELECT * FROM (
           SELECT * FROM (SELECT * FROM messages WHERE session_id = ? AND ${bounds} ORDER BY position ${order} LIMIT ?)
           UNION
           SELECT * FROM (SELECT * FROM messages WHERE messaging_group_id = ? AND messaging_group_id <> ''
                          AND direction = 'out' AND ${bounds} ORDER BY position ${order} LIMIT ?)
         ) ORDER BY position ${order} LIMIT ?`,
      )
      .all(
        session.id,
        page.after ?? 0,
        page.before ?? Number.MAX_SAFE_INTEGER,
        ...about,
        page.limit,
        session.messagingGroupId ?? '',
        page.after ?? 0,
        page.before ?? Number.MAX_SAFE_INTEGER,
        ...about,
        page.limit,
        page.limit,
      );
    if (!forward) rows.reverse();
    return rows.map(toMessage);
  }

  /**
   * The message that a platform means by this id in this chat, null when there is none. Agents of one chat have
   * a row each of what a person wrote: the one of `sessionId` comes first.
   */
  findByPlatformId(
    messagingGroupId: MessagingGroupId,
    platformMessageId: string,
    sessionId: SessionId,
  ): TranscriptMessage | null {
    this.flush();
    const row = this.#db
      .prepare<[string, string, string], Row>(
        `SELECT * FROM messages WHERE messaging_group_id = ? AND platform_message_id = ?
         ORDER BY session_id = ? DESC, position LIMIT 1`,
      )
      .get(messagingGroupId, platformMessageId, sessionId);
    return row === undefined ? null : toMessage(row);
  }

  /** Messages changed after `revision`, in order of change. */
  listChangedSince(revision: number, limit: number): TranscriptMessage[] {
    this.flush();
    return this.#db
      .prepare<[number, number], Row>('SELECT * FROM messages WHERE revision > ? ORDER BY revision LIMIT ?')
      .all(revision, limit)
      .map(toMessage);
  }

  /** Whether a message came in through this thread of this chat. */
  knowsThread(messagingGroupId: MessagingGroupId, threadId: string): boolean {
    this.flush();
    return (
      this.#db
        .prepare(
          `SELECT 1 FROM messages WHERE messaging_group_id = ? AND thread_id = ? AND direction = 'in' AND thread_id <> '' LIMIT 1`,
        )
        .get(messagingGroupId, threadId) !== undefined
    );
  }

  /**
   * When an author last wrote or edited something in the place of a message since that came in, epoch ms; null
   * when nothing. Looks at what was last said there, not at all of it.
   */
  lastWordAfter(
    { messagingGroupId, threadId, position }: Pick<TranscriptMessage, 'messagingGroupId' | 'threadId' | 'position'>,
    authorId: string,
  ): number | null {
    this.flush();
    const at = this.#db
      .prepare(
        `SELECT max(max(created_at, coalesce(edited_at, 0))) FROM (
           SELECT created_at, edited_at, author_id, thread_id, direction, state FROM messages
           WHERE messaging_group_id = ? AND messaging_group_id <> '' AND position > ?
           ORDER BY position DESC LIMIT ${LAST_WORDS})
         WHERE direction = 'out' AND author_id = ? AND thread_id = ? AND state IN ('queued', 'sending', 'delivered')`,
      )
      .pluck()
      .get(messagingGroupId ?? '', position, authorId, threadId ?? '');
    return typeof at === 'number' ? at : null;
  }

  /** Notices of the host that are not at their end, oldest first. */
  listOpenNotices(limit: number): TranscriptMessage[] {
    this.flush();
    return this.#db
      .prepare<[number], Row>(
        `SELECT * FROM messages WHERE direction = 'out' AND kind = 'system' AND state IN ('queued', 'sending')
         ORDER BY position LIMIT ?`,
      )
      .all(limit)
      .map(toMessage);
  }

  /** Messages of a session whose state still moves, oldest first. */
  listUnsettled(sessionId: SessionId, limit: number): TranscriptMessage[] {
    this.flush();
    return this.#db
      .prepare<[string, number], Row>(
        `SELECT * FROM messages WHERE session_id = ? AND state IN ('queued', 'read', 'sending') ORDER BY position LIMIT ?`,
      )
      .all(sessionId, limit)
      .map(toMessage);
  }

  listReplies(id: MessageId): TranscriptMessage[] {
    this.flush();
    return this.#db
      .prepare<[string], Row>('SELECT * FROM messages WHERE in_reply_to = ? ORDER BY position LIMIT 100')
      .all(id)
      .map(toMessage);
  }

  /** The newest message of a session's conversation, as `listForSession` shows it. */
  last(
    session: { id: SessionId; messagingGroupId: MessagingGroupId | null },
    cards: readonly string[] | null = null,
  ): TranscriptMessage | null {
    return this.listForSession(session, { limit: 1, cards })[0] ?? null;
  }
}

function toMessage(row: Row): TranscriptMessage {
  return {
    position: row.position,
    revision: row.revision,
    id: row.id as MessageId,
    sessionId: row.session_id as SessionId,
    messagingGroupId: row.messaging_group_id === '' ? null : (row.messaging_group_id as MessagingGroupId),
    threadId: row.thread_id === '' ? null : row.thread_id,
    direction: row.direction,
    kind: row.kind,
    authorId: row.author_id,
    authorName: row.author_name,
    destination: row.destination,
    text: row.text,
    attachments: JSON.parse(row.attachments),
    reactions: JSON.parse(row.reactions),
    inReplyTo: row.in_reply_to === null ? null : (row.in_reply_to as MessageId),
    state: row.state,
    stateReason: row.state_reason,
    platformMessageId: row.platform_message_id,
    clientId: row.client_id,
    traceId: row.trace_id as TraceId,
    stamps: JSON.parse(row.stamps),
    createdAt: row.created_at,
    editedAt: row.edited_at,
  };
}
