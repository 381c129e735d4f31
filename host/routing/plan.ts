/** Which agents hear a message, and in which session. Pure. */
import type { AgentGroupId, MessagingGroupId } from '../../shared/ids.ts';
import { assertNever } from '../config/errors.ts';
import type { UnknownSenderPolicy } from '../store/chats.ts';
import type { SessionKey } from '../store/sessions.ts';
import type { Wiring } from '../store/wirings.ts';

export interface WiringFacts {
  wiring: Wiring;
  /** The sender is an owner, an admin or a member of this agent group. */
  senderIsKnown: boolean;
  /** The wiring's pattern matches the text; meaningless with other engage modes. */
  patternMatches: boolean;
  /** The session this message belongs to was engaged by a mention before. Accumulated context does not count. */
  wasEngaged: boolean;
}

export interface RoutingFacts {
  chat: { id: MessagingGroupId; unknownSenderPolicy: UnknownSenderPolicy };
  threadId: string | null;
  isMention: boolean;
  wirings: readonly WiringFacts[];
}

export type Route =
  /** Wake the agent. `engages`: from now on a sticky wiring follows this conversation. */
  | { kind: 'engage'; agentGroupId: AgentGroupId; session: SessionKey; engages: boolean }
  /** Keep as context for the next time the agent is engaged. */
  | { kind: 'accumulate'; agentGroupId: AgentGroupId; session: SessionKey }
  | { kind: 'ignore'; agentGroupId: AgentGroupId; reason: IgnoreReason };

export type IgnoreReason = 'not_addressed' | 'unknown_sender' | 'sender_awaits_approval';

export function planRouting(facts: RoutingFacts): Route[] {
  return facts.wirings.map((wiring) => planRoute(facts, wiring));
}

function planRoute(facts: RoutingFacts, wiringFacts: WiringFacts): Route {
  const { wiring } = wiringFacts;
  const agentGroupId = wiring.agentGroupId;
  if (wiring.senderScope === 'known' && !wiringFacts.senderIsKnown) {
    const refused = planUnknownSender(facts.chat.unknownSenderPolicy);
    if (refused !== null) return { kind: 'ignore', agentGroupId, reason: refused };
  }
  const session = planSessionKey(wiring, facts.threadId);
  if (engages(facts, wiringFacts)) return { kind: 'engage', agentGroupId, session, engages: facts.isMention };
  if (wiring.ignoredMessagePolicy === 'accumulate') return { kind: 'accumulate', agentGroupId, session };
  return { kind: 'ignore', agentGroupId, reason: 'not_addressed' };
}

function planUnknownSender(policy: UnknownSenderPolicy): IgnoreReason | null {
  switch (policy) {
    case 'public':
      return null;
    case 'request_approval':
      return 'sender_awaits_approval';
    case 'strict':
      return 'unknown_sender';
    default:
      return assertNever(policy);
  }
}

function engages(facts: RoutingFacts, { wiring, patternMatches, wasEngaged }: WiringFacts): boolean {
  switch (wiring.engageMode) {
    case 'always':
      return true;
    case 'pattern':
      return patternMatches;
    case 'mention':
      return facts.isMention;
    case 'mention-sticky':
      return facts.isMention || wasEngaged;
    default:
      return assertNever(wiring.engageMode);
  }
}

/** The session a wiring's messages belong to, by its session mode. */
export function planSessionKey(
  wiring: Pick<Wiring, 'agentGroupId' | 'messagingGroupId' | 'sessionMode'>,
  threadId: string | null,
): SessionKey {
  const { agentGroupId, messagingGroupId } = wiring;
  switch (wiring.sessionMode) {
    case 'shared':
      return { agentGroupId, messagingGroupId, threadId: null };
    case 'per-thread':
      return { agentGroupId, messagingGroupId, threadId };
    case 'agent-shared':
      return { agentGroupId, messagingGroupId: null, threadId: null };
    default:
      return assertNever(wiring.sessionMode);
  }
}
