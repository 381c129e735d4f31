/** Why an agent hears a message, for the ledger: by which wiring, and why its sender may write. Pure. */
import type { AgentGroupId, MessagingGroupId, UserId } from '../../shared/ids.ts';
import { assertNever } from '../config/errors.ts';
import type { Heard } from '../store/transcript.ts';
import type { RoleHolder } from '../store/users.ts';
import type { Wiring } from '../store/wirings.ts';

export interface HearingFacts {
  wiring: Pick<Wiring, 'id' | 'agentGroupId' | 'messagingGroupId' | 'engageMode' | 'senderScope'>;
  senderId: UserId;
  isMention: boolean;
  /** False: it is kept as context. */
  isEngaged: boolean;
  roles: readonly Pick<RoleHolder, 'role' | 'agentGroupId'>[];
  isKnown: boolean;
}

/** What made the agent listen up. */
export type HeardBy = 'always' | 'pattern' | 'mention' | 'followed' | 'context';
/** On what ground its sender may write: what they are to the agent, or whom the wiring or the chat lets in. */
export type SenderGround = 'owner' | 'admin' | 'member' | 'everybody' | 'public_chat';

export function describeHearing(facts: HearingFacts): Heard {
  const { wiring, senderId } = facts;
  const chat: MessagingGroupId = wiring.messagingGroupId;
  return { actor: senderId, detail: { wiring: wiring.id, chat, by: findRule(facts), sender: findGround(facts) } };
}

function findRule({ wiring, isMention, isEngaged }: HearingFacts): HeardBy {
  if (!isEngaged) return 'context';
  switch (wiring.engageMode) {
    case 'always':
    case 'pattern':
    case 'mention':
      return wiring.engageMode;
    case 'mention-sticky':
      return isMention ? 'mention' : 'followed';
    default:
      return assertNever(wiring.engageMode);
  }
}

function findGround({ wiring, roles, isKnown }: HearingFacts): SenderGround {
  const isOf = (id: AgentGroupId | null) => id === null || id === wiring.agentGroupId;
  const held = roles.filter(({ agentGroupId }) => isOf(agentGroupId)).map(({ role }) => role);
  if (held.includes('owner')) return 'owner';
  if (held.includes('admin')) return 'admin';
  if (isKnown) return 'member';
  return wiring.senderScope === 'all' ? 'everybody' : 'public_chat';
}
