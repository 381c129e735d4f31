/** Approvals as the API shows them. */
import type { Approval as StoredApproval } from '../../store/approvals.ts';
import type { ApiParts } from './ports.ts';
import type { Approval, ApprovalDetail } from './schemas.ts';

/** Entries of the ledger about one approval. Higher: one that many may not decide is a long read. */
const MAX_HISTORY = 200;

type PresentParts = Pick<ApiParts, 'decisions' | 'users'>;

export function presentApproval(approval: StoredApproval, parts: PresentParts): Approval {
  const { id, code, action, payload, consequence, title, question, reason, options, quorum, state } = approval;
  const { choice, decidedBy, decidedAt, outcome, supersededBy, askNextAt, expiresAt, createdAt } = approval;
  const { decisions } = parts;
  const asked = decisions.whereAsked(id);
  const { requesterSessionId: sessionId, requesterMessageId } = approval;
  const asker = decisions.askerOf(approval);
  const names = { agentName: asker?.agentName ?? null, chatName: asker?.chatName ?? null };
  return {
    ...{ id, code, action, payload, consequence, title, question, reason, options, quorum, state, choice },
    ...{ decidedAt, outcome, supersededBy, askNextAt, expiresAt, createdAt },
    decidedBy: decidedBy === null ? null : presentPerson(decidedBy, parts),
    note: approval.decisionNote,
    agentId: approval.agentGroupId,
    requester: sessionId === null ? null : { sessionId, isAgent: requesterMessageId !== null, ...names },
    votes: decisions.listVotes(id).map(({ userId, choice: voted, votedAt }) => ({
      ...presentPerson(userId, parts),
      // What is over stands as it was counted, whatever its people may do by now.
      ...{ choice: voted, votedAt, counts: state !== 'pending' || decisions.mayDecide(id, userId) },
    })),
    asked: asked === null ? null : { chatId: asked.messagingGroupId, messageId: asked.messageId },
  };
}

export function presentApprovalDetail(
  approval: StoredApproval,
  parts: PresentParts & { ledger: Pick<ApiParts['ledger'], 'listAbout'> },
): ApprovalDetail {
  const history = parts.ledger.listAbout(approval.id, MAX_HISTORY).map(({ at, kind, actor, detail }) => ({
    ...{ at, kind, detail },
    // The column holds user ids in entries about approvals.
    by: actor === null ? null : presentPerson(actor as NonNullable<StoredApproval['decidedBy']>, parts),
  }));
  return { ...presentApproval(approval, parts), history };
}

function presentPerson(id: NonNullable<StoredApproval['decidedBy']>, { users }: PresentParts) {
  return { id, name: users.get(id)?.displayName ?? '' };
}
