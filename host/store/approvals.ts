/**
 * Decisions that the host needs of an admin.
 *
 *   pending → approved → applied | failed
 *           → rejected
 *           → expired
 *
 * I1. A row leaves `pending` once; who comes second changes nothing.
 * I2. `outcome` is null from that commit until what follows from it is done: a crash in between is mended at
 *     the next start.
 * I3. One row per action and subject is pending.
 */
import { randomBytes } from 'node:crypto';
import type { AgentGroupId, ApprovalId, SessionId, UserId } from '../../shared/ids.ts';
import type { CentralDb } from './database.ts';

export const APPROVAL_STATES = ['pending', 'approved', 'rejected', 'expired', 'applied', 'failed'] as const;
export type ApprovalState = (typeof APPROVAL_STATES)[number];

/** JSON without surprises: what is hashed is what is carried out. */
export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };

export interface ApprovalOption {
  text: string;
  approves: boolean;
}

export interface Approval {
  id: ApprovalId;
  action: string;
  subjectKey: string;
  /** SHA-256 of action and payload, in hex. */
  requestHash: string;
  payload: { [key: string]: JsonValue };
  /** Whose admins may decide; null: global admins and owners alone. */
  agentGroupId: AgentGroupId | null;
  requesterSessionId: SessionId | null;
  title: string;
  question: string;
  options: ApprovalOption[];
  state: ApprovalState;
  choice: string | null;
  decidedBy: UserId | null;
  decidedAt: number | null;
  outcome: string | null;
  expiresAt: number;
  createdAt: number;
}

export type NewApproval = Omit<Approval, 'state' | 'choice' | 'decidedBy' | 'decidedAt' | 'outcome'>;

/** Crockford's base 32: nothing that reads like another, nor spells a word. */
const CODE_SIGNS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const CODE_LENGTH = 4;

interface Row {
  id: string;
  action: string;
  subject_key: string;
  request_hash: string;
  payload: string;
  agent_group_id: string | null;
  requester_session_id: string | null;
  title: string;
  question: string;
  options: string;
  state: ApprovalState;
  choice: string | null;
  decided_by: string | null;
  decided_at: number | null;
  outcome: string | null;
  expires_at: number;
  created_at: number;
}

export class ApprovalStore {
  readonly #db: CentralDb;

  constructor(db: CentralDb) {
    this.#db = db;
  }

  insert(approval: NewApproval): void {
    this.#db
      .prepare(
        `INSERT INTO pending_approvals (id, code, action, subject_key, request_hash, payload, agent_group_id,
           requester_session_id, title, question, options, expires_at, created_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        approval.id,
        this.#freeCode(),
        approval.action,
        approval.subjectKey,
        approval.requestHash,
        JSON.stringify(approval.payload),
        approval.agentGroupId,
        approval.requesterSessionId,
        approval.title,
        approval.question,
        JSON.stringify(approval.options),
        approval.expiresAt,
        approval.createdAt,
      );
  }

  /** Unlike that of any other pending approval. */
  #freeCode(): string {
    const isTaken = this.#db.prepare<[string]>(`SELECT 1 FROM pending_approvals WHERE code = ? AND state = 'pending'`);
    for (;;) {
      const code = Array.from(randomBytes(CODE_LENGTH), (byte) => CODE_SIGNS[byte % CODE_SIGNS.length]).join('');
      if (isTaken.get(code) === undefined) return code;
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
    return this.#db
      .prepare<[string, string | null, number], Row>(
        'SELECT * FROM pending_approvals WHERE id < ? AND state = coalesce(?, state) ORDER BY id DESC LIMIT ?',
      )
      .all(before ?? '~', state, limit)
      .map(toApproval);
  }

  countPending(): number {
    return (
      this.#db.prepare<[], { n: number }>(`SELECT count(*) AS n FROM pending_approvals WHERE state = 'pending'`).get()
        ?.n ?? 0
    );
  }

  /** Pending without an open card: nobody was asked yet. Oldest first. */
  listUnasked(limit: number): Approval[] {
    return this.#db
      .prepare<[number], Row>(
        `SELECT * FROM pending_approvals AS approval WHERE state = 'pending' AND NOT EXISTS (
           SELECT 1 FROM pending_questions WHERE approval_id = approval.id AND state = 'pending')
         ORDER BY expires_at LIMIT ?`,
      )
      .all(limit)
      .map(toApproval);
  }

  /** I1: whether it was still pending. */
  decide(id: ApprovalId, state: 'approved' | 'rejected', choice: string, by: UserId, at: number): boolean {
    return (
      this.#db
        .prepare(
          `UPDATE pending_approvals SET state = ?, choice = ?, decided_by = ?, decided_at = ?
           WHERE id = ? AND state = 'pending'`,
        )
        .run(state, choice, by, at, id).changes > 0
    );
  }

  /** I1: whether it was still pending. */
  expire(id: ApprovalId): boolean {
    return (
      this.#db.prepare(`UPDATE pending_approvals SET state = 'expired' WHERE id = ? AND state = 'pending'`).run(id)
        .changes > 0
    );
  }

  /** I2: an approved one becomes `applied` or `failed`; the others keep their state. */
  finish(id: ApprovalId, result: 'done' | 'failed', outcome: string): boolean {
    return (
      this.#db
        .prepare(
          `UPDATE pending_approvals SET outcome = @outcome, state = CASE
             WHEN state <> 'approved' THEN state WHEN @result = 'done' THEN 'applied' ELSE 'failed' END
           WHERE id = @id AND state <> 'pending' AND outcome IS NULL`,
        )
        .run({ id, result, outcome }).changes > 0
    );
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

function toApproval(row: Row): Approval {
  return {
    id: row.id as ApprovalId,
    action: row.action,
    subjectKey: row.subject_key,
    requestHash: row.request_hash,
    payload: JSON.parse(row.payload),
    agentGroupId: row.agent_group_id as AgentGroupId | null,
    requesterSessionId: row.requester_session_id as SessionId | null,
    title: row.title,
    question: row.question,
    options: JSON.parse(row.options),
    state: row.state,
    choice: row.choice,
    decidedBy: row.decided_by as UserId | null,
    decidedAt: row.decided_at,
    outcome: row.outcome,
    expiresAt: row.expires_at,
    createdAt: row.created_at,
  };
}
