/** How far a person has read a session. */
import type { SessionId, UserId } from '../../shared/ids.ts';
import type { CentralDb } from './database.ts';

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

  countUnread(userId: UserId, sessionId: SessionId): number {
    const mark = this.#db
      .prepare<[string, string], { position: number }>(
        'SELECT position FROM read_marks WHERE user_id = ? AND session_id = ?',
      )
      .get(userId, sessionId);
    return Number(
      this.#db
        .prepare(
          `SELECT count(*) FROM (SELECT 1 FROM messages WHERE session_id = ? AND position > ? AND direction = 'out'
             AND state = 'delivered' LIMIT ${MAX_COUNTED})`,
        )
        .pluck()
        .get(sessionId, mark?.position ?? 0),
    );
  }
}
