/** A row of `pending_approvals`, and the approval that it is. */
import type { AgentGroupId, ApprovalId, MessageId, SessionId, UserId } from '../../shared/ids.ts';
import type { Approval, ApprovalState } from './approvals.ts';

export interface Row {
  id: string;
  code: string;
  action: string;
  subject_key: string;
  request_hash: string;
  payload: string;
  consequence: string;
  agent_group_id: string | null;
  requester_session_id: string | null;
  requester_message_id: string | null;
  title: string;
  question: string;
  reason: string | null;
  options: string;
  quorum: number;
  state: ApprovalState;
  choice: string | null;
  decided_by: string | null;
  decided_at: number | null;
  decision_note: string | null;
  superseded_by: string | null;
  outcome: string | null;
  is_for_fresh: number;
  ask_next_at: number | null;
  expires_at: number;
  created_at: number;
}

export function toApproval(row: Row): Approval {
  return {
    id: row.id as ApprovalId,
    code: row.code,
    action: row.action,
    subjectKey: row.subject_key,
    requestHash: row.request_hash,
    payload: JSON.parse(row.payload),
    consequence: JSON.parse(row.consequence),
    agentGroupId: row.agent_group_id as AgentGroupId | null,
    requesterSessionId: row.requester_session_id as SessionId | null,
    requesterMessageId: row.requester_message_id as MessageId | null,
    title: row.title,
    question: row.question,
    reason: row.reason,
    options: JSON.parse(row.options),
    quorum: row.quorum,
    state: row.state,
    choice: row.choice,
    decidedBy: row.decided_by as UserId | null,
    decidedAt: row.decided_at,
    decisionNote: row.decision_note,
    supersededBy: row.superseded_by as ApprovalId | null,
    outcome: row.outcome,
    isForFresh: row.is_for_fresh === 1,
    askNextAt: row.ask_next_at,
    expiresAt: row.expires_at,
    createdAt: row.created_at,
  };
}
