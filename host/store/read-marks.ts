/** How far a person has read a session. */
import type { MessagingGroupId, SessionId, UserId } from '../../shared/ids.ts';
import type { Sight } from '../access/console.ts';
import type { CentralDb } from './database.ts';
import { limitTo } from './transcript-reads.ts';

/** Unread messages are counted up to here; a badge says "99+" anyway. */
const MAX_COUNTED = 100;

export class ReadMarkStore {
  readonly #db: CentralDb;

  constructor(db: CentralDb) {
    this.#db = db;
  }

  /** A mark moves forward only. */
  set(userId: UserId, sessionId: SessionId, position: number): void {
    this.#db
      .prepare(
        `INSERT INTO read_marks (user_id, session_id, position) VALUES (?, ?, ?)
         ON CONFLICT DO UPDATE SET position = max(position, excluded.position)`,
      )
      .run(userId, sessionId, position);
  }

  /**
   * What arrived in the session's chat, whoever sent it; of a session without a chat, what it sent. With `sight`,
   * what that lets be seen alone.
   */
  countUnread(
    userId: UserId,
    session: { id: SessionId; messagingGroupId: MessagingGroupId | null },
    sight: Sight | null = null,
  ): number {
    const { sql, parameters: seen } = limitTo(sight);
    const mark = this.#db
      .prepare<[string, string], { position: number }>(
        'SELECT position FROM read_marks WHERE user_id = ? AND session_id = ?',
      )
      .get(userId, session.id);
    const [column, id] =
      session.messagingGroupId === null ? ['session_id', session.id] : ['messaging_group_id', session.messagingGroupId];
    return Number(
      this.#db
        .prepare(
          `SELECT count(*) FROM (SELECT 1 FROM messages WHERE ${column} = ? AND ${column} <> '' AND position > ?
             AND direction = 'out' AND state = 'delivered' ${sql} LIMIT ${MAX_COUNTED})`,
        )
        .pluck()
        .get(id, mark?.position ?? 0, ...seen),
    );
  }
}
