/**
 * Decisions that the host needs of an admin.
 *
 *   pending → approved → applied | failed
 *           → rejected
 *           → expired
 *           → superseded      by another, or because nothing is left to decide
 *
 * I1. A row leaves `pending` once; who comes second changes nothing.
 * I2. `outcome` is null from that commit until what follows from it is done: a crash in between is mended at
 *     the next start.
 * I3. One row per action and subject is pending, and one per code.
 * I4. From the commit that sets `outcome` on, `approval_askers` says which agents are still to be told.
 */
import { randomBytes } from 'node:crypto';
import type { AgentGroupId, ApprovalId, MessageId, SessionId, UserId } from '../../shared/ids.ts';
import { type Row, toApproval } from './approval-row.ts';
import type { CentralDb } from './database.ts';

export const APPROVAL_STATES = [
  'pending',
  'approved',
  'rejected',
  'expired',
  'superseded',
  'applied',
  'failed',
] as const;
export type ApprovalState = (typeof APPROVAL_STATES)[number];

/** JSON without surprises: what is hashed is what is carried out. */
export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };

export interface ApprovalOption {
  text: string;
  approves: boolean;
}

export interface Approval {
  id: ApprovalId;
  /** What people type to name it; unlike that of any other that is pending. */
  code: string;
  action: string;
  subjectKey: string;
  /** SHA-256 of action and payload, in hex. */
  requestHash: string;
  payload: { [key: string]: JsonValue };
  /** What approving would do, compared with the time of asking; one line each. */
  consequence: string[];
  /** Whose admins may decide; null: global admins and owners alone. */
  agentGroupId: AgentGroupId | null;
  requesterSessionId: SessionId | null;
  /** The row of the agent that asked first; null: the host asks by itself. */
  requesterMessageId: MessageId | null;
  title: string;
  question: string;
  /** The agent's own words. */
  reason: string | null;
  options: ApprovalOption[];
  /** How many different people must approve. */
  quorum: number;
  state: ApprovalState;
  choice: string | null;
  /** Whose approval completed the quorum, or who rejected. */
  decidedBy: UserId | null;
  decidedAt: number | null;
  decisionNote: string | null;
  supersededBy: ApprovalId | null;
  outcome: string | null;
  isForFresh: boolean;
  /** When one more person is asked; null: everybody who can be was. */
  askNextAt: number | null;
  expiresAt: number;
  createdAt: number;
}

export type NewApproval = Omit<
  Approval,
  | 'code'
  | 'state'
  | 'choice'
  | 'decidedBy'
  | 'decidedAt'
  | 'decisionNote'
  | 'supersededBy'
  | 'outcome'
  | 'isForFresh'
  | 'askNextAt'
>;

export interface DecisionRow {
  state: 'approved' | 'rejected';
  choice: string;
  by: UserId;
  note: string | null;
  at: number;
}

/** Crockford's base 32: nothing that reads like another, nor spells a word. */
const CODE_SIGNS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const CODE_LENGTH = 4;
/** A code names nothing else for this long: what was typed for the one decides no other. Higher: codes run out. Lower: an old card is mistaken for a new one. */
const CODE_HOLDS_MS = 30 * 24 * 3_600_000;
/** Codes looked at before one that was of something lately is taken. Higher: a busy month makes requests slow. Lower: a code comes back too soon. */
const MAX_CODE_TRIES = 50;

export class ApprovalStore {
  readonly #db: CentralDb;
  readonly #makeCode: () => string;

  constructor(db: CentralDb, makeCode: () => string = makeRandomCode) {
    this.#db = db;
    this.#makeCode = makeCode;
  }

  insert(approval: NewApproval): string {
    const code = this.#freeCode(approval.createdAt);
    this.#db
      .prepare(
        `INSERT INTO pending_approvals (id, code, action, subject_key, request_hash, payload, consequence,
           agent_group_id, requester_session_id, requester_message_id, title, question, reason, options, quorum,
           expires_at, created_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        approval.id,
        code,
        approval.action,
        approval.subjectKey,
        approval.requestHash,
        JSON.stringify(approval.payload),
        JSON.stringify(approval.consequence),
        approval.agentGroupId,
        approval.requesterSessionId,
        approval.requesterMessageId,
        approval.title,
        approval.question,
        approval.reason,
        JSON.stringify(approval.options),
        approval.quorum,
        approval.expiresAt,
        approval.createdAt,
      );
    return code;
  }

  /** Unlike that of any other pending approval, and of those of late as long as there are such codes. */
  #freeCode(now: number): string {
    const lastUse = this.#db.prepare<[string], { isPending: number; at: number }>(
      `SELECT max(state = 'pending') AS isPending, max(created_at) AS at FROM pending_approvals WHERE code = ? GROUP BY code`,
    );
    for (let tries = 1; ; tries++) {
      const code = this.#makeCode();
      const last = lastUse.get(code);
      if (last === undefined) return code;
      const isOld = now - last.at > CODE_HOLDS_MS || tries >= MAX_CODE_TRIES;
      if (last.isPending === 0 && isOld) return code;
    }
  }

  get(id: ApprovalId): Approval | null {
    const row = this.#db.prepare<[string], Row>('SELECT * FROM pending_approvals WHERE id = ?').get(id);
    return row === undefined ? null : toApproval(row);
  }

  findPending(action: string, subjectKey: string): Approval | null {
    const row = this.#db
      .prepare<[string, string], Row>(
        `SELECT * FROM pending_approvals WHERE action = ? AND subject_key = ? AND state = 'pending'`,
      )
      .get(action, subjectKey);
    return row === undefined ? null : toApproval(row);
  }

  /** The newest rejection of this subject after `since`. */
  findRejected(action: string, subjectKey: string, since: number): Approval | null {
    const row = this.#db
      .prepare<[string, string, number], Row>(
        `SELECT * FROM pending_approvals WHERE action = ? AND subject_key = ? AND state = 'rejected' AND decided_at > ?
         ORDER BY decided_at DESC LIMIT 1`,
      )
      .get(action, subjectKey, since);
    return row === undefined ? null : toApproval(row);
  }

  /** Newest first, strictly before the one with this id; of one state when it is given. */
  list(limit: number, before: ApprovalId | null, state: ApprovalState | null): Approval[] {
    // Those that wait are few, and have an index: what is over is not walked to find them.
    const from = state === 'pending' ? `INDEXED BY pending_approvals_open WHERE state = 'pending' AND` : 'WHERE';
    return this.#db
      .prepare<[string, string | null, number], Row>(
        `SELECT * FROM pending_approvals ${from} id < ? AND state = coalesce(?, state) ORDER BY id DESC LIMIT ?`,
      )
      .all(before ?? '~', state, limit)
      .map(toApproval);
  }

  /** What waits because agents asked, or because the host did. */
  countPending(by: 'agents' | 'host'): number {
    return (
      this.#db
        .prepare<[number], { n: number }>(
          `SELECT count(*) AS n FROM pending_approvals WHERE state = 'pending' AND (requester_message_id IS NOT NULL) = ?`,
        )
        .get(by === 'agents' ? 1 : 0)?.n ?? 0
    );
  }

  /** Pending with fewer open cards than people who must approve: not enough were asked yet. Oldest first. */
  listUnasked(limit: number): Approval[] {
    return this.#db
      .prepare<[number], Row>(
        `SELECT * FROM pending_approvals AS approval WHERE state = 'pending' AND (
           SELECT count(*) FROM pending_questions WHERE approval_id = approval.id AND state = 'pending') < quorum
         ORDER BY expires_at LIMIT ?`,
      )
      .all(limit)
      .map(toApproval);
  }

  /** The one that people mean by this code: the one that waits, else the newest that had it. */
  findByCode(code: string): Approval | null {
    const row = this.#db
      .prepare<[string], Row>(
        `SELECT * FROM pending_approvals WHERE code = ? ORDER BY state = 'pending' DESC, created_at DESC LIMIT 1`,
      )
      .get(code);
    return row === undefined ? null : toApproval(row);
  }

  /** I1: whether it was still pending. */
  decide(id: ApprovalId, { state, choice, by, note, at }: DecisionRow): boolean {
    return (
      this.#db
        .prepare(
          `UPDATE pending_approvals SET state = ?, choice = ?, decided_by = ?, decided_at = ?, decision_note = ?,
             ask_next_at = NULL WHERE id = ? AND state = 'pending'`,
        )
        .run(state, choice, by, at, note, id).changes > 0
    );
  }

  /** I1: whether it was still pending. */
  expire(id: ApprovalId): boolean {
    return (
      this.#db
        .prepare(
          `UPDATE pending_approvals SET state = 'expired', ask_next_at = NULL WHERE id = ? AND state = 'pending'`,
        )
        .run(id).changes > 0
    );
  }

  /** I1: whether it was still pending. Nothing is left to decide; `why` is in words. What follows is still to be done. */
  supersede(id: ApprovalId, why: string): boolean {
    return (
      this.#db
        .prepare(
          `UPDATE pending_approvals SET state = 'superseded', decision_note = ?, ask_next_at = NULL
           WHERE id = ? AND state = 'pending'`,
        )
        .run(why, id).changes > 0
    );
  }

  /** In the commit that superseded it: another took its place, and nothing else follows. */
  nameSuccessor(id: ApprovalId, by: ApprovalId, outcome: string): void {
    this.#db
      .prepare(`UPDATE pending_approvals SET superseded_by = ?, outcome = ? WHERE id = ? AND state = 'superseded'`)
      .run(by, outcome, id);
  }

  /** I2: an approved one becomes `applied` or `failed`; the others keep their state. */
  finish(id: ApprovalId, result: 'done' | 'failed', outcome: string, isForFresh: boolean): boolean {
    return (
      this.#db
        .prepare(
          `UPDATE pending_approvals SET outcome = @outcome, is_for_fresh = @isForFresh, state = CASE
             WHEN state <> 'approved' THEN state WHEN @result = 'done' THEN 'applied' ELSE 'failed' END
           WHERE id = @id AND state <> 'pending' AND outcome IS NULL`,
        )
        .run({ id, result, outcome, isForFresh: isForFresh ? 1 : 0 }).changes > 0
    );
  }

  /** Those that wait need at least so many people from now on. Returns whose number rose. */
  raiseQuorum(action: string, quorum: number): ApprovalId[] {
    return this.#db
      .prepare<[number, string, number], { id: string }>(
        `UPDATE pending_approvals SET quorum = ? WHERE action = ? AND quorum < ? AND state = 'pending' RETURNING id`,
      )
      .all(quorum, action, quorum)
      .map((row) => row.id as ApprovalId);
  }

  setAskNext(id: ApprovalId, at: number | null): void {
    this.#db.prepare(`UPDATE pending_approvals SET ask_next_at = ? WHERE id = ? AND state = 'pending'`).run(at, id);
  }

  /** From an index, like `nextExpiry`. */
  nextAsk(): number | null {
    const at = this.#db
      .prepare('SELECT min(ask_next_at) FROM pending_approvals WHERE ask_next_at IS NOT NULL')
      .pluck()
      .get();
    return typeof at === 'number' ? at : null;
  }

  /** Whose next person is to be asked. */
  listAskNext(now: number, limit: number): Approval[] {
    return this.#db
      .prepare<[number, number], Row>(
        'SELECT * FROM pending_approvals WHERE ask_next_at <= ? ORDER BY ask_next_at LIMIT ?',
      )
      .all(now, limit)
      .map(toApproval);
  }

  /** What an agent asked for by this row of its own. */
  findByRequest(sessionId: SessionId, messageId: MessageId): Approval | null {
    const row = this.#db
      .prepare<[string, string], Row>(
        'SELECT * FROM pending_approvals WHERE requester_session_id = ? AND requester_message_id = ?',
      )
      .get(sessionId, messageId);
    return row === undefined ? null : toApproval(row);
  }

  /** What waits because an agent asked, and how much it asked since then; each from an index of its own. */
  countOf(agentGroupId: AgentGroupId, since: number): { pending: number; asked: number } {
    const own = 'IN (SELECT id FROM sessions WHERE agent_group_id = ?) AND requester_message_id IS NOT NULL';
    const count = (sql: string, ...values: (string | number)[]) =>
      Number(
        this.#db
          .prepare<(string | number)[]>(`SELECT count(*) FROM pending_approvals WHERE ${sql}`)
          .pluck()
          .get(...values),
      );
    return {
      pending: count(`state = 'pending' AND +requester_session_id ${own}`, agentGroupId),
      asked: count(`requester_session_id ${own} AND created_at > ?`, agentGroupId, since),
    };
  }

  /** What waits about an agent, or because it asked. */
  listPendingOf(agentGroupId: AgentGroupId): Approval[] {
    return this.#db
      .prepare<[string, string], Row>(
        `SELECT * FROM pending_approvals WHERE state = 'pending' AND (+agent_group_id = ?
           OR +requester_session_id IN (SELECT id FROM sessions WHERE agent_group_id = ?))`,
      )
      .all(agentGroupId, agentGroupId)
      .map(toApproval);
  }

  /** I2 */
  listUndone(limit: number): Approval[] {
    return this.#db
      .prepare<[number], Row>(
        `SELECT * FROM pending_approvals WHERE state <> 'pending' AND outcome IS NULL ORDER BY id LIMIT ?`,
      )
      .all(limit)
      .map(toApproval);
  }

  nextExpiry(): number | null {
    const at = this.#db.prepare(`SELECT min(expires_at) FROM pending_approvals WHERE state = 'pending'`).pluck().get();
    return typeof at === 'number' ? at : null;
  }

  listExpired(now: number, limit: number): Approval[] {
    return this.#db
      .prepare<[number, number], Row>(
        `SELECT * FROM pending_approvals WHERE state = 'pending' AND expires_at <= ? ORDER BY expires_at LIMIT ?`,
      )
      .all(now, limit)
      .map(toApproval);
  }
}

function makeRandomCode(): string {
  return Array.from(randomBytes(CODE_LENGTH), (byte) => CODE_SIGNS[byte % CODE_SIGNS.length]).join('');
}
