/**
 * May this agent group send there? The host's own answer, asked for every row at every attempt (I4).
 * The runner's routing is never the authority: the host resolves the destination name itself and
 * requires that the row agrees. Absence of anything refuses (I11).
 */
import type { OutboundKind } from '../../shared/messages.ts';
import { AGENT_CHANNEL, LOCAL_NAME } from '../../shared/protocol.ts';

/** What the row from outbound.db claims. */
export interface ClaimedRoute {
  kind: OutboundKind;
  destination: string | null;
  channelType: string | null;
  platformId: string | null;
  threadId: string | null;
}

/** What the host's tables say. */
export interface RouteFacts {
  /** The agent group that sends. */
  agentGroupId: string;
  /** The destination row of this agent group and this name, null when there is none. */
  destination: { targetType: 'channel' | 'agent'; targetId: string } | null;
  /** The messaging group that the destination names, null when it names none that exists. */
  chat: { id: string; channelType: string; platformId: string } | null;
  /** Whether a message came in through the claimed thread of that chat. */
  threadIsOfChat: boolean;
  /** The agent group that the destination names, null when it names none, or one that is archived. */
  agent: { id: string } | null;
}

/** Why a row may go where it says: its name is that of a chat, of a chat whose thread it names, or of an agent. */
export type AllowRule = 'chat' | 'thread_of_chat' | 'agent';

export type Authorisation = { kind: 'allow'; rule: AllowRule } | { kind: 'refuse'; reason: RefusalReason };

export type RefusalReason =
  | 'no_destination_named'
  | 'unknown_destination'
  | 'chat_is_gone'
  | 'routing_disagrees'
  | 'thread_of_another_chat'
  | 'agent_is_gone'
  | 'own_agent'
  | 'chat_only';

export function authoriseSend(claimed: ClaimedRoute, facts: RouteFacts): Authorisation {
  if (claimed.destination === null || !LOCAL_NAME.test(claimed.destination)) return refuse('no_destination_named');
  if (facts.destination === null) return refuse('unknown_destination');
  switch (facts.destination.targetType) {
    case 'channel':
      return authoriseChannel(claimed, facts, facts.destination.targetId);
    case 'agent':
      return authoriseAgent(claimed, facts, facts.destination.targetId);
  }
}

function authoriseChannel(
  claimed: ClaimedRoute,
  { chat, threadIsOfChat }: RouteFacts,
  targetId: string,
): Authorisation {
  if (chat === null || chat.id !== targetId) return refuse('chat_is_gone');
  if (claimed.channelType !== chat.channelType || claimed.platformId !== chat.platformId) {
    return refuse('routing_disagrees');
  }
  if (claimed.threadId === null) return { kind: 'allow', rule: 'chat' };
  return threadIsOfChat ? { kind: 'allow', rule: 'thread_of_chat' } : refuse('thread_of_another_chat');
}

function authoriseAgent(claimed: ClaimedRoute, { agent, agentGroupId }: RouteFacts, targetId: string): Authorisation {
  if (agent === null || agent.id !== targetId) return refuse('agent_is_gone');
  if (claimed.channelType !== AGENT_CHANNEL || claimed.platformId !== targetId) return refuse('routing_disagrees');
  // Agents have no threads: one that is named belongs to some chat.
  if (claimed.threadId !== null) return refuse('thread_of_another_chat');
  if (targetId === agentGroupId) return refuse('own_agent');
  if (claimed.kind !== 'chat') return refuse('chat_only');
  return { kind: 'allow', rule: 'agent' };
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
    case 'chat_is_gone':
      return `the chat behind "${destination ?? ''}" no longer exists`;
    case 'routing_disagrees':
      return `the message's routing is not that of "${destination ?? ''}"`;
    case 'thread_of_another_chat':
      return `the thread does not belong to "${destination ?? ''}"`;
    case 'agent_is_gone':
      return `the agent behind "${destination ?? ''}" no longer exists`;
    case 'own_agent':
      return `"${destination ?? ''}" is this agent itself, which does not write to itself`;
    case 'chat_only':
      return `"${destination ?? ''}" is an agent, which takes plain messages alone: write what you mean as a message`;
  }
}
