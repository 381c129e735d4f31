/** Whether a message of a stranger may wait, and what follows for its chat. Pure. */
import type { HeldAmount } from '../store/held.ts';
import {
  MAX_HELD,
  MAX_HELD_BYTES,
  MAX_HELD_BYTES_PER_SENDER,
  MAX_HELD_PER_SENDER,
  MAX_UNWIRED_CHATS,
  MAX_WAITING_CHATS,
  MAX_WAITING_SENDERS,
} from './limits.ts';

export interface HoldFacts {
  gate: 'sender' | 'chat';
  /** Something waits at this gate already, so an admin is being asked. */
  isWaiting: boolean;
  /** Gates of this sort where something waits: senders of this agent, or chats. */
  waitingGates: number;
  /** What this sender has waiting at this gate in this chat. */
  ofSender: HeldAmount;
  total: HeldAmount;
  /** Of this message and its files. */
  sizeBytes: number;
}

export type HoldPlan = { kind: 'hold' } | { kind: 'drop'; reason: 'held_full' | 'too_many_strangers' };

export function planHold(facts: HoldFacts): HoldPlan {
  const { ofSender, total, sizeBytes } = facts;
  const mostGates = facts.gate === 'sender' ? MAX_WAITING_SENDERS : MAX_WAITING_CHATS;
  if (!facts.isWaiting && facts.waitingGates >= mostGates) return { kind: 'drop', reason: 'too_many_strangers' };
  const fits =
    ofSender.count < MAX_HELD_PER_SENDER &&
    ofSender.bytes + sizeBytes <= MAX_HELD_BYTES_PER_SENDER &&
    total.count < MAX_HELD &&
    total.bytes + sizeBytes <= MAX_HELD_BYTES;
  return fits ? { kind: 'hold' } : { kind: 'drop', reason: 'held_full' };
}

export interface UnwiredFacts {
  /** Addressed to the bot: a mention, a reply to it, a private chat. */
  isAddressed: boolean;
  /** The chat has a row of its own. */
  isKnownChat: boolean;
  /** An admin said no to this chat, and that still holds. */
  isTurnedAway: boolean;
  /** Chats that have a row and no wiring. */
  unwiredChats: number;
  /** Agents that could listen there. */
  agents: number;
}

/** What becomes of a message in a chat that no agent listens in. */
export type UnwiredPlan = { kind: 'hold' } | { kind: 'drop'; reason: 'unwired' | 'too_many_strangers' };

export function planUnwired(facts: UnwiredFacts): UnwiredPlan {
  if (!facts.isAddressed || facts.isTurnedAway || facts.agents === 0) return { kind: 'drop', reason: 'unwired' };
  if (!facts.isKnownChat && facts.unwiredChats >= MAX_UNWIRED_CHATS)
    return { kind: 'drop', reason: 'too_many_strangers' };
  return { kind: 'hold' };
}
