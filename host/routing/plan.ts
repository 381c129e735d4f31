/** Which agents hear a message, and in which session. Pure. */
import type { AgentGroupId, MessagingGroupId } from '../../shared/ids.ts';
import { assertNever } from '../config/errors.ts';
import { planSessionKey } from '../sessions/session-key.ts';
import type { UnknownSenderPolicy } from '../store/chats.ts';
import type { SessionKey } from '../store/sessions.ts';
import type { Wiring } from '../store/wirings.ts';

export interface WiringFacts {
  wiring: Wiring;
  /** The sender is an owner, an admin or a member of this agent group. */
  senderIsKnown: boolean;
  /** The wiring's pattern matches the text; meaningless with other engage modes. */
  patternMatches: boolean;
  /** An admin said no to this sender for this agent, and that still holds. */
  isTurnedAway: boolean;
  /** Messages of this sender wait at this agent's gate already. */
  isWaiting: boolean;
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
  /** Keep until an admin has decided about the sender. */
  | { kind: 'hold'; agentGroupId: AgentGroupId }
  | { kind: 'ignore'; agentGroupId: AgentGroupId; reason: IgnoreReason };

export type IgnoreReason = 'not_addressed' | 'unknown_sender' | 'sender_turned_away';

export function planRouting(facts: RoutingFacts): Route[] {
  return facts.wirings.map((wiring) => planRoute(facts, wiring));
}

function planRoute(facts: RoutingFacts, wiringFacts: WiringFacts): Route {
  const { wiring } = wiringFacts;
  const heard = planHearing(facts, wiringFacts);
  if (wiring.senderScope === 'all' || wiringFacts.senderIsKnown) return heard;
  switch (facts.chat.unknownSenderPolicy) {
    case 'public':
      return heard;
    case 'request_approval':
      return planAdmission(heard, wiringFacts);
    case 'strict':
      return { kind: 'ignore', agentGroupId: wiring.agentGroupId, reason: 'unknown_sender' };
    default:
      return assertNever(facts.chat.unknownSenderPolicy);
  }
}

/** What becomes of the message when its sender may write. */
function planHearing(facts: RoutingFacts, wiringFacts: WiringFacts): Route {
  const { wiring } = wiringFacts;
  const agentGroupId = wiring.agentGroupId;
  const session = planSessionKey(wiring, facts.threadId);
  if (engages(facts, wiringFacts)) return { kind: 'engage', agentGroupId, session, engages: facts.isMention };
  if (wiring.ignoredMessagePolicy === 'accumulate') return { kind: 'accumulate', agentGroupId, session };
  return { kind: 'ignore', agentGroupId, reason: 'not_addressed' };
}

/** Only what would engage the agent asks an admin; what is merely overheard waits along, or is not for it. */
function planAdmission(heard: Route, { isTurnedAway, isWaiting }: WiringFacts): Route {
  const { agentGroupId } = heard;
  if (heard.kind === 'ignore') return heard;
  if (isTurnedAway) return { kind: 'ignore', agentGroupId, reason: 'sender_turned_away' };
  if (heard.kind === 'engage' || isWaiting) return { kind: 'hold', agentGroupId };
  return { kind: 'ignore', agentGroupId, reason: 'unknown_sender' };
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
