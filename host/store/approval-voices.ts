/**
 * Who has a voice in an approval: the agents that wait to hear how it ended, and the people who voted.
 *
 * I1. One vote per person: linked identities are one person.
 * I2. An asker is told once per session; `is_told` is 0 from the approval's end until its row is in the inbox.
 */
import type { ApprovalId, MessageId, SessionId, UserId } from '../../shared/ids.ts';
import type { CentralDb } from './database.ts';

/** Where the message that made an agent ask came from. */
export interface AskerOrigin {
  channelType: string;
  platformId: string;
  threadId: string | null;
}

export interface Asker {
  sessionId: SessionId;
  messageId: MessageId;
  origin: AskerOrigin | null;
}

export interface Vote {
  personId: string;
  userId: UserId;
  /** The text of an option. */
  choice: string;
  votedAt: number;
}

/** Rows that wait for one approval. Higher: an agent that asks the same in a loop fills the table. */
const MAX_ASKERS = 50;

export class ApprovalVoices {
  readonly #db: CentralDb;

  constructor(db: CentralDb) {
    this.#db = db;
  }

  /** In the commit of the request; past MAX_ASKERS it is left out. */
  addAsker(id: ApprovalId, { sessionId, messageId, origin }: Asker): void {
    this.#db
      .prepare(
        `INSERT INTO approval_askers (approval_id, session_id, message_id, origin)
         SELECT @id, @sessionId, @messageId, @origin
         WHERE (SELECT count(*) FROM approval_askers WHERE approval_id = @id) < ${MAX_ASKERS}
         ON CONFLICT DO NOTHING`,
      )
      .run({ id, sessionId, messageId, origin: origin === null ? null : JSON.stringify(origin) });
  }

  /** Whoever waited for one waits for the other. */
  copyAskers(from: ApprovalId, to: ApprovalId): void {
    this.#db
      .prepare(
        `INSERT INTO approval_askers (approval_id, session_id, message_id, origin)
         SELECT ?, session_id, message_id, origin FROM approval_askers WHERE approval_id = ? ON CONFLICT DO NOTHING`,
      )
      .run(to, from);
  }

  /** Where the first that asked was asked itself. */
  findOrigin(id: ApprovalId): AskerOrigin | null {
    const origin = this.#db
      .prepare('SELECT origin FROM approval_askers WHERE approval_id = ? ORDER BY rowid LIMIT 1')
      .pluck()
      .get(id);
    return typeof origin === 'string' ? JSON.parse(origin) : null;
  }

  /** The newest approval that this row asked for. */
  findAskedBy(sessionId: SessionId, messageId: MessageId): ApprovalId | null {
    const id = this.#db
      .prepare(
        `SELECT approval_id FROM approval_askers JOIN pending_approvals AS approval ON approval.id = approval_id
         WHERE session_id = ? AND message_id = ? ORDER BY approval.state = 'superseded', approval.created_at DESC LIMIT 1`,
      )
      .pluck()
      .get(sessionId, messageId);
    return typeof id === 'string' ? (id as ApprovalId) : null;
  }

  /** I2: in the commit that ends it. */
  markUntold(id: ApprovalId): void {
    this.#db.prepare('UPDATE approval_askers SET is_told = 0 WHERE approval_id = ?').run(id);
  }

  markTold(id: ApprovalId, sessionId: SessionId): void {
    this.#db
      .prepare('UPDATE approval_askers SET is_told = 1 WHERE approval_id = ? AND session_id = ?')
      .run(id, sessionId);
  }

  /** Approvals that are over and not told everywhere. */
  listUntoldApprovals(limit: number): ApprovalId[] {
    return this.#db
      .prepare<[number], { id: string }>(
        'SELECT DISTINCT approval_id AS id FROM approval_askers WHERE is_told = 0 LIMIT ?',
      )
      .all(limit)
      .map((row) => row.id as ApprovalId);
  }

  /** One per session: where it asked last. */
  listUntold(id: ApprovalId): Asker[] {
    const rows = this.#db
      .prepare<[string], { session_id: string; message_id: string; origin: string | null }>(
        'SELECT session_id, message_id, origin FROM approval_askers WHERE approval_id = ? AND is_told = 0 ORDER BY rowid',
      )
      .all(id);
    const last = new Map(rows.map((row) => [row.session_id, row]));
    return [...last.values()].map((row) => ({
      sessionId: row.session_id as SessionId,
      messageId: row.message_id as MessageId,
      origin: row.origin === null ? null : JSON.parse(row.origin),
    }));
  }

  /** I1: a person's newer vote takes the place of the older. */
  putVote(id: ApprovalId, { personId, userId, choice, votedAt }: Vote): void {
    this.#db
      .prepare(
        `INSERT INTO approval_votes (approval_id, person_id, user_id, choice, voted_at) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (approval_id, person_id) DO UPDATE SET user_id = excluded.user_id, choice = excluded.choice,
           voted_at = excluded.voted_at`,
      )
      .run(id, personId, userId, choice, votedAt);
  }

  /** Oldest first. The person is who the identity belongs to now: two that were linked meanwhile are one. */
  listVotes(id: ApprovalId): Vote[] {
    return this.#db
      .prepare<[string], { person_id: string; user_id: string; choice: string; voted_at: number }>(
        `SELECT coalesce(users.person_id, vote.user_id) AS person_id, vote.user_id, choice, voted_at
         FROM approval_votes AS vote LEFT JOIN users ON users.id = vote.user_id
         WHERE approval_id = ? ORDER BY voted_at, vote.user_id`,
      )
      .all(id)
      .map((row) => ({
        personId: row.person_id,
        userId: row.user_id as UserId,
        choice: row.choice,
        votedAt: row.voted_at,
      }));
  }
}
