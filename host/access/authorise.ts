/**
 * May this agent group send there? The host's own answer, asked for every row at every attempt (I4).
 * The runner's routing is never the authority: the host resolves the destination name itself and
 * requires that the row agrees. Absence of anything refuses (I11).
 */
import { LOCAL_NAME } from '../../shared/protocol.ts';

/** What the row from outbound.db claims. */
export interface ClaimedRoute {
  destination: string | null;
  channelType: string | null;
  platformId: string | null;
  threadId: string | null;
}

/** What the host's tables say. */
export interface RouteFacts {
  /** The destination row of this agent group and this name, null when there is none. */
  destination: { targetType: 'channel' | 'agent'; targetId: string } | null;
  /** The messaging group that the destination names, null when it names none that exists. */
  chat: { id: string; channelType: string; platformId: string } | null;
  /** Whether a message came in through the claimed thread of that chat. */
  threadIsOfChat: boolean;
}

export type Authorisation = { kind: 'allow' } | { kind: 'refuse'; reason: RefusalReason };

export type RefusalReason =
  | 'no_destination_named'
  | 'unknown_destination'
  | 'not_a_channel'
  | 'chat_is_gone'
  | 'routing_disagrees'
  | 'thread_of_another_chat';

export function authoriseSend(claimed: ClaimedRoute, facts: RouteFacts): Authorisation {
  if (claimed.destination === null || !LOCAL_NAME.test(claimed.destination)) return refuse('no_destination_named');
  if (facts.destination === null) return refuse('unknown_destination');
  if (facts.destination.targetType !== 'channel') return refuse('not_a_channel');
  if (facts.chat === null || facts.chat.id !== facts.destination.targetId) return refuse('chat_is_gone');
  if (claimed.channelType !== facts.chat.channelType || claimed.platformId !== facts.chat.platformId) {
    return refuse('routing_disagrees');
  }
  if (claimed.threadId !== null && !facts.threadIsOfChat) return refuse('thread_of_another_chat');
  return { kind: 'allow' };
}

function refuse(reason: RefusalReason): Authorisation {
  return { kind: 'refuse', reason };
}

/** A refusal in words for a person or an agent. */
export function describeRefusal(reason: RefusalReason, destination: string | null): string {
  switch (reason) {
    case 'no_destination_named':
      return 'the message names no destination';
    case 'unknown_destination':
      return `this agent has no destination "${destination ?? ''}"`;
    case 'not_a_channel':
      return `"${destination ?? ''}" is an agent, and agents cannot be written to yet`;
    case 'chat_is_gone':
      return `the chat behind "${destination ?? ''}" no longer exists`;
    case 'routing_disagrees':
      return `the message's routing is not that of "${destination ?? ''}"`;
    case 'thread_of_another_chat':
      return `the thread does not belong to "${destination ?? ''}"`;
  }
}
