/**
 * What is asked of the transcript. Each answer holds all that was told before the question, which costs a commit
 * when something waits for one; only `peek` may be behind.
 */
import type { MessageId, MessagingGroupId, SessionId } from '../../shared/ids.ts';
import type { Sight } from '../access/console.ts';
import type { CentralDb } from './database.ts';
import type { TranscriptMessage } from './transcript.ts';
import { type MessageRow, toMessage } from './transcript-row.ts';

/** Messages of a chat among which somebody's last word is looked for. Higher: slower in busy chats. Lower: it is missed there. */
const LAST_WORDS = 100;
/** The host signs no question: such a one is the card of an approval. */
const CARDS_ABOUT = `AND (kind <> 'question' OR author_id IS NOT NULL OR EXISTS (
  SELECT 1 FROM pending_questions AS card JOIN pending_approvals AS approval ON approval.id = card.approval_id
  WHERE card.message_id = messages.id AND approval.agent_group_id IN (SELECT value FROM json_each(?))))`;
const COMMANDS_OF = 'AND (only_for IS NULL OR only_for IN (SELECT value FROM json_each(?)))';

/** A condition on rows of `messages`, and what it is asked with. Null: everything is seen. */
export function limitTo(sight: Sight | null): { sql: string; parameters: string[] } {
  if (sight === null) return { sql: '', parameters: [] };
  const { cardsAbout, commandsOf } = sight;
  return {
    sql: `${CARDS_ABOUT} ${COMMANDS_OF}`,
    parameters: [JSON.stringify(cardsAbout), JSON.stringify(commandsOf)],
  };
}

/** The asking half of `Transcript`. */
export abstract class TranscriptReads {
  readonly #db: CentralDb;
  readonly #get;

  constructor(db: CentralDb) {
    this.#db = db;
    this.#get = db.prepare<[string], MessageRow>('SELECT * FROM messages WHERE id = ?');
  }

  /** Commits everything told so far. Throws when the disk does. */
  abstract flush(): void;

  /** As committed. */
  protected row(id: MessageId): MessageRow | null {
    return this.#get.get(id) ?? null;
  }

  get(id: MessageId): TranscriptMessage | null {
    this.flush();
    return this.peek(id);
  }

  /** A message as committed: costs no commit, and may be a few milliseconds behind. */
  peek(id: MessageId): TranscriptMessage | null {
    const row = this.row(id);
    return row === null ? null : toMessage(row);
  }

  /**
   * One page of a session's conversation: its own messages, and what others sent into its chat.
   * Oldest first within the page; the newest page when neither bound is given. With `sight`, what
   * that lets be seen alone.
   */
  listForSession(
    session: { id: SessionId; messagingGroupId: MessagingGroupId | null },
    page: { before?: number; after?: number; limit: number; sight?: Sight | null },
  ): TranscriptMessage[] {
    this.flush();
    const forward = page.after !== undefined;
    const order = forward ? 'ASC' : 'DESC';
    const { sql, parameters: seen } = limitTo(page.sight ?? null);
    const bounds = `position > ? AND position < ? ${sql}`;
    const rows = this.#db
      .prepare<(string | number)[], MessageRow>(
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
        ...seen,
        page.limit,
        session.messagingGroupId ?? '',
        page.after ?? 0,
        page.before ?? Number.MAX_SAFE_INTEGER,
        ...seen,
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
      .prepare<[string, string, string], MessageRow>(
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
      .prepare<[number, number], MessageRow>('SELECT * FROM messages WHERE revision > ? ORDER BY revision LIMIT ?')
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
      .prepare<[number], MessageRow>(
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
      .prepare<[string, number], MessageRow>(
        `SELECT * FROM messages WHERE session_id = ? AND state IN ('queued', 'read', 'sending') ORDER BY position LIMIT ?`,
      )
      .all(sessionId, limit)
      .map(toMessage);
  }

  listReplies(id: MessageId): TranscriptMessage[] {
    this.flush();
    return this.#db
      .prepare<[string], MessageRow>('SELECT * FROM messages WHERE in_reply_to = ? ORDER BY position LIMIT 100')
      .all(id)
      .map(toMessage);
  }

  /** The newest message of a session's conversation, as `listForSession` shows it. */
  last(
    session: { id: SessionId; messagingGroupId: MessagingGroupId | null },
    sight: Sight | null = null,
  ): TranscriptMessage | null {
    return this.listForSession(session, { limit: 1, sight })[0] ?? null;
  }
}
