/**
 * Questions put to people, one row per message that shows one.
 *
 *   pending → answered | expired | withdrawn        withdrawn → pending: it is sent once more
 *
 * I1. A row leaves `pending` once; who comes second changes nothing (`end` tells whether it did).
 * I2. `is_told` and `is_shown` are 0 from the commit that ends a question until the agent that asked has its
 *     row and the chat shows the end: what a crash cut off is done at the next start.
 */
import { limitTo } from '../../shared/bound-limit.ts';
import type { ApprovalId, MessageId, MessagingGroupId, SessionId, UserId } from '../../shared/ids.ts';
import type { CentralDb } from './database.ts';

export type QuestionState = 'pending' | 'answered' | 'expired' | 'withdrawn';

export interface Question {
  /** The transcript's message that shows it. */
  messageId: MessageId;
  sessionId: SessionId;
  messagingGroupId: MessagingGroupId;
  threadId: string | null;
  /** Null: an agent asks. */
  approvalId: ApprovalId | null;
  title: string;
  question: string;
  options: string[];
  state: QuestionState;
  /** One of `options`. */
  answer: string | null;
  answeredBy: UserId | null;
  answeredByName: string | null;
  answeredAt: number | null;
  expiresAt: number;
  createdAt: number;
}

export type NewQuestion = Pick<
  Question,
  | 'messageId'
  | 'sessionId'
  | 'messagingGroupId'
  | 'threadId'
  | 'approvalId'
  | 'title'
  | 'question'
  | 'options'
  | 'expiresAt'
  | 'createdAt'
>;

export interface QuestionAnswer {
  answer: string;
  by: UserId;
  byName: string;
  /** Of the message that answered it, null when a button did. */
  clientId: string | null;
  at: number;
}

interface Row {
  message_id: string;
  session_id: string;
  messaging_group_id: string;
  thread_id: string;
  approval_id: string | null;
  title: string;
  question: string;
  options: string;
  state: QuestionState;
  answer: string | null;
  answered_by: string | null;
  answered_by_name: string | null;
  answered_at: number | null;
  expires_at: number;
  created_at: number;
}

/** Questions of an agent that ended and are known with their options, per session. Higher: agents fill the disk, and each new question counts through them. Lower: people see older ones as text alone. */
const KEPT_ENDED = 500;

export class QuestionStore {
  readonly #db: CentralDb;
  readonly #get;
  readonly #listOpenIn;
  readonly #byClient;

  constructor(db: CentralDb) {
    this.#db = db;
    this.#get = db.prepare<[string], Row>('SELECT * FROM pending_questions WHERE message_id = ?');
    this.#listOpenIn = db.prepare<[string, string, number], Row>(
      `SELECT * FROM pending_questions WHERE messaging_group_id = ? AND thread_id = ? AND state = 'pending'
       ORDER BY created_at DESC, rowid DESC ${limitTo('?')}`,
    );
    this.#byClient = db.prepare<[string, string], Row>(
      'SELECT * FROM pending_questions WHERE messaging_group_id = ? AND answer_client_id = ?',
    );
  }

  /** A decision and what goes with it, in one commit. */
  transaction<T>(work: () => T): T {
    return this.#db.transaction(work)();
  }

  /** Records it, or takes up a withdrawn one of the same session again. Any other row stays as it is. */
  open(question: NewQuestion): void {
    this.#db
      .prepare(
        `INSERT INTO pending_questions (message_id, session_id, messaging_group_id, thread_id, approval_id, title,
           question, options, expires_at, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (message_id) DO UPDATE SET state = 'pending', is_shown = 1, expires_at = excluded.expires_at
         WHERE state = 'withdrawn' AND session_id = excluded.session_id AND approval_id IS excluded.approval_id`,
      )
      .run(
        question.messageId,
        question.sessionId,
        question.messagingGroupId,
        question.threadId ?? '',
        question.approvalId,
        question.title,
        question.question,
        JSON.stringify(question.options),
        question.expiresAt,
        question.createdAt,
      );
    if (question.approvalId === null) this.#forgetEnded(question.sessionId);
  }

  /** Not what is still to be told or shown. The transcript keeps how they ended, as their text. */
  #forgetEnded(sessionId: SessionId): void {
    this.#db
      .prepare(
        `DELETE FROM pending_questions WHERE message_id IN (
           SELECT message_id FROM pending_questions
           WHERE session_id = ? AND approval_id IS NULL AND state <> 'pending' AND is_told = 1 AND is_shown = 1
           ORDER BY created_at DESC, rowid DESC LIMIT -1 OFFSET ${KEPT_ENDED})`,
      )
      .run(sessionId);
  }

  get(messageId: MessageId): Question | null {
    const row = this.#get.get(messageId);
    return row === undefined ? null : toQuestion(row);
  }

  /** Open questions of one chat and thread, newest first. */
  listOpenIn(messagingGroupId: MessagingGroupId, threadId: string | null, limit: number): Question[] {
    return this.#listOpenIn.all(messagingGroupId, threadId ?? '', limit).map(toQuestion);
  }

  /** The question that a message with this platform id answered, null when it answered none. */
  findByClient(messagingGroupId: MessagingGroupId, clientId: string): Question | null {
    const row = this.#byClient.get(messagingGroupId, clientId);
    return row === undefined ? null : toQuestion(row);
  }

  countOpen(sessionId: SessionId): number {
    return (
      this.#db
        .prepare<[string], { n: number }>(
          `SELECT count(*) AS n FROM pending_questions WHERE session_id = ? AND state = 'pending' AND approval_id IS NULL`,
        )
        .get(sessionId)?.n ?? 0
    );
  }

  /** Of an agent's, those that nobody answered and whose time ran out after `since`; KEPT_ENDED are known. */
  countExpired(sessionId: SessionId, since: number): number {
    return Number(
      this.#db
        .prepare(
          `SELECT count(*) FROM pending_questions
           WHERE session_id = ? AND state = 'expired' AND approval_id IS NULL AND expires_at > ?`,
        )
        .pluck()
        .get(sessionId, since),
    );
  }

  /** I1: whether it was still open. The agent that asked is to be told, unless nobody asked but the host. */
  answer(messageId: MessageId, { answer, by, byName, clientId, at }: QuestionAnswer): boolean {
    return (
      this.#db
        .prepare(
          `UPDATE pending_questions SET state = 'answered', answer = ?, answered_by = ?, answered_by_name = ?,
             answered_at = ?, answer_client_id = ?, is_shown = 0, is_told = (approval_id IS NOT NULL)
           WHERE message_id = ? AND state = 'pending'`,
        )
        .run(answer, by, byName, at, clientId, messageId).changes > 0
    );
  }

  /** I1: whether it was still open. A withdrawn one is told to nobody: its delivery was. */
  close(messageId: MessageId, state: 'expired' | 'withdrawn'): boolean {
    return (
      this.#db
        .prepare(
          `UPDATE pending_questions SET state = @state, is_shown = 0,
             is_told = (@state = 'withdrawn' OR approval_id IS NOT NULL)
           WHERE message_id = @messageId AND state = 'pending'`,
        )
        .run({ messageId, state }).changes > 0
    );
  }

  /** When the next question of an agent runs out, null when none is open. */
  nextExpiry(): number | null {
    const at = this.#db
      .prepare(`SELECT min(expires_at) FROM pending_questions WHERE state = 'pending' AND approval_id IS NULL`)
      .pluck()
      .get();
    return typeof at === 'number' ? at : null;
  }

  listExpired(now: number, limit: number): Question[] {
    return this.#db
      .prepare<[number, number], Row>(
        `SELECT * FROM pending_questions WHERE state = 'pending' AND approval_id IS NULL AND expires_at <= ?
         ORDER BY expires_at LIMIT ?`,
      )
      .all(now, limit)
      .map(toQuestion);
  }

  /** I2 */
  listUntold(limit: number): Question[] {
    return this.#db
      .prepare<[number], Row>('SELECT * FROM pending_questions WHERE is_told = 0 LIMIT ?')
      .all(limit)
      .map(toQuestion);
  }

  isUntold(messageId: MessageId): boolean {
    return this.#flag(messageId, 'is_told') === 0;
  }

  isUnshown(messageId: MessageId): boolean {
    return this.#flag(messageId, 'is_shown') === 0;
  }

  #flag(messageId: MessageId, column: 'is_told' | 'is_shown'): unknown {
    return this.#db.prepare(`SELECT ${column} FROM pending_questions WHERE message_id = ?`).pluck().get(messageId);
  }

  markTold(messageId: MessageId): void {
    this.#db.prepare('UPDATE pending_questions SET is_told = 1 WHERE message_id = ?').run(messageId);
  }

  /** I2 */
  listUnshown(limit: number): Question[] {
    return this.#db
      .prepare<[number], Row>('SELECT * FROM pending_questions WHERE is_shown = 0 LIMIT ?')
      .all(limit)
      .map(toQuestion);
  }

  markShown(messageId: MessageId, isShown: boolean): void {
    this.#db.prepare('UPDATE pending_questions SET is_shown = ? WHERE message_id = ?').run(isShown ? 1 : 0, messageId);
  }

  /** What an open card says has changed; its chat is still to show it (I2). */
  rewrite(messageId: MessageId, question: string): void {
    this.#db
      .prepare(`UPDATE pending_questions SET question = ?, is_shown = 0 WHERE message_id = ? AND state = 'pending'`)
      .run(question, messageId);
  }

  /** The cards that show an approval, newest first. */
  listCards(approvalId: ApprovalId): Question[] {
    return this.#db
      .prepare<[string], Row>(
        'SELECT * FROM pending_questions WHERE approval_id = ? ORDER BY created_at DESC, rowid DESC LIMIT 100',
      )
      .all(approvalId)
      .map(toQuestion);
  }

  /** Cards that stand open in a chat. */
  countOpenCards(messagingGroupId: MessagingGroupId, by: 'agents' | 'host'): number {
    return (
      this.#db
        .prepare<[string, number], { n: number }>(
          `SELECT count(*) AS n FROM pending_questions AS card JOIN pending_approvals AS approval
             ON approval.id = card.approval_id
           WHERE card.messaging_group_id = ? AND card.state = 'pending'
             AND (approval.requester_message_id IS NOT NULL) = ?`,
        )
        .get(messagingGroupId, by === 'agents' ? 1 : 0)?.n ?? 0
    );
  }

  /** Every card that is still open, oldest first. */
  listOpenCards(limit: number): Question[] {
    return this.#db
      .prepare<[number], Row>(
        `SELECT * FROM pending_questions WHERE approval_id IS NOT NULL AND state = 'pending' ORDER BY created_at LIMIT ?`,
      )
      .all(limit)
      .map(toQuestion);
  }
}

function toQuestion(row: Row): Question {
  return {
    messageId: row.message_id as MessageId,
    sessionId: row.session_id as SessionId,
    messagingGroupId: row.messaging_group_id as MessagingGroupId,
    threadId: row.thread_id === '' ? null : row.thread_id,
    approvalId: row.approval_id as ApprovalId | null,
    title: row.title,
    question: row.question,
    options: JSON.parse(row.options),
    state: row.state,
    answer: row.answer,
    answeredBy: row.answered_by as UserId | null,
    answeredByName: row.answered_by_name,
    answeredAt: row.answered_at,
    expiresAt: row.expires_at,
    createdAt: row.created_at,
  };
}
