/** What may be asked of an admin, and what follows from the decision. */
import type { AgentGroupId, SessionId, UserId } from '../../shared/ids.ts';
import type { Approval, JsonValue } from '../store/approvals.ts';

/** Everything the host asks an admin about, one word each. */
export type ApprovalAction =
  /** Let a person talk to an agent. */
  | 'admit_sender'
  /** Wire a chat that nobody listens in to an agent. */
  | 'wire_chat'
  /** Let two agents go on that exchanged too much. */
  | 'resume_peers';

export interface ApprovalRequest {
  action: ApprovalAction;
  /** All that carrying it out needs: the approval holds for exactly this (I5). */
  payload: { [key: string]: JsonValue };
  /** What it is about; one approval per action and subject is open at a time. */
  subjectKey: string;
  /** Its admins are asked first and may decide; null: global admins and owners alone. */
  agentGroupId: AgentGroupId | null;
  /** Where it comes from, so that the card goes to the same channel if it can. */
  requesterSessionId: SessionId | null;
  title: string;
  question: string;
  options: readonly string[];
  /** Those of `options` that approve; the others reject. */
  approving: readonly string[];
  /** Epoch ms; 24 hours from now when absent. */
  expiresAt?: number;
}

/** How it ended: an admin chose, or nobody did in time. */
export type Decision = { kind: 'approved' | 'rejected'; choice: string; by: UserId } | { kind: 'expired' };

/**
 * Does what follows from a decision, and says in words what came of it. Runs again after a crash: it must be
 * idempotent. A Fault that is retryable is tried again; any other error makes the approval `failed`.
 */
export type ApprovalHandler = (approval: Approval, decision: Decision) => Promise<{ outcome: string }>;

export type ApprovalHandlers = Record<ApprovalAction, ApprovalHandler>;
