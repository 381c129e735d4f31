/** What a card says, from the tables as they stand now. */
import type { MessageId, SessionId, UserId } from '../../shared/ids.ts';
import { countsAsVoice } from '../access/answer.ts';
import type { AgentStore } from '../store/agents.ts';
import type { ApprovalVoices, AskerOrigin } from '../store/approval-voices.ts';
import type { Approval } from '../store/approvals.ts';
import type { ChatStore } from '../store/chats.ts';
import type { SessionStore } from '../store/sessions.ts';
import type { UserStore } from '../store/users.ts';
import { type CardFacts, formatCard } from './card-text.ts';
import { listDeciders } from './plan.ts';

export interface CardFactParts {
  agents: AgentStore;
  chats: ChatStore;
  sessions: SessionStore;
  users: UserStore;
  voices: ApprovalVoices;
}

/** What a card is made of, before or after it is recorded. */
export type Carded = Pick<
  Approval,
  | 'question'
  | 'reason'
  | 'consequence'
  | 'payload'
  | 'quorum'
  | 'agentGroupId'
  | 'requesterSessionId'
  | 'requesterMessageId'
>;

/** The body of its card. `approvedBy` are the names of those whose approvals count; null: it is over. */
export function makeCardText(
  parts: CardFactParts,
  approval: Carded,
  origin: AskerOrigin | null,
  approvedBy: readonly string[] | null,
): string {
  const asker = findAsker(parts, approval, origin);
  if (approvedBy === null) return formatCard({ ...approval, asker, progress: null });
  const { quorum, agentGroupId } = approval;
  const deciders = listDeciders({ holders: parts.users.listRoleHolders(agentGroupId), agentGroupId }).length;
  return formatCard({ ...approval, asker, progress: { quorum, approvedBy, deciders } });
}

/** Names of the people whose approvals count now. */
export function listApprovers(
  { users, voices }: Pick<CardFactParts, 'users' | 'voices'>,
  approval: Approval,
): string[] {
  const seen = new Set<string>();
  return voices.listVotes(approval.id).flatMap(({ personId, userId }) => {
    if (seen.has(personId) || !isVoice(users, approval, userId)) return [];
    seen.add(personId);
    return [users.get(userId)?.displayName || userId];
  });
}

function isVoice(users: UserStore, { quorum, agentGroupId, createdAt }: Approval, id: UserId): boolean {
  return countsAsVoice(quorum, users.rolesOf(id), users.rolesSince(id, createdAt), agentGroupId);
}

/** The agent that asks, and where it was asked; null: the host asks by itself. */
export function findAsker(
  { agents, chats, sessions }: CardFactParts,
  approval: { requesterSessionId: SessionId | null; requesterMessageId: MessageId | null } & Pick<
    Approval,
    'agentGroupId'
  >,
  origin: AskerOrigin | null,
): CardFacts['asker'] {
  if (approval.requesterMessageId === null) return null;
  const session = approval.requesterSessionId === null ? null : sessions.get(approval.requesterSessionId);
  const agentGroupId = session?.agentGroupId ?? approval.agentGroupId;
  const agent = agentGroupId === null ? null : (agents.get(agentGroupId) ?? agents.getArchived(agentGroupId));
  const chat =
    origin !== null
      ? chats.find(origin.channelType, origin.platformId)
      : session?.messagingGroupId == null
        ? null
        : chats.get(session.messagingGroupId);
  return {
    agentName: agent?.name ?? 'that is gone',
    chatName: chat?.name ?? null,
    channelType: chat?.channelType ?? null,
  };
}
