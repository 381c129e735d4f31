/**
 * An agent's message to an agent: which session gets it, how often the matter was handed on, and whether it
 * goes now. Pure.
 *
 *   pass ─────────────► the target's inbox          hold ──► waits in its lane, no attempt counted
 *   pause ──► a person is asked ──► hold …          refuse ► its end, told to the sender
 */
import type { AgentGroupId, MessageId, SessionId } from '../../../shared/ids.ts';
import { MAX_HOP, MAX_UNDONE_FROM_PEER, PAIR_MESSAGES } from '../../config/limits.ts';
import { showPlain } from '../../questions/plan.ts';
import type { PeerPause } from '../../store/peers.ts';

/** Somebody who is waiting for an answer, as found behind the row that a message answers. */
export interface Asker {
  sessionId: SessionId;
  agentGroupId: AgentGroupId;
  /** The asking message, as its own session knows it. */
  messageId: MessageId | null;
}

export interface TargetFacts {
  target: AgentGroupId;
  /** Who asked: the nearest first, then who had asked them. Sessions that ended are left out. */
  askers: readonly Asker[];
  /** The session of the target that this one last talked with, null when there is none or it ended. */
  linked: SessionId | null;
}

export type TargetPlan =
  /** The very session that asked. */
  | { kind: 'asker'; sessionId: SessionId; inReplyTo: MessageId | null }
  | { kind: 'linked'; sessionId: SessionId }
  /** The target's session that belongs to no chat. */
  | { kind: 'default' };

/** Which session of the target a message goes to; never one of another agent group. */
export function planTarget({ target, askers, linked }: TargetFacts): TargetPlan {
  const asker = askers.find(({ agentGroupId }) => agentGroupId === target);
  if (asker !== undefined) return { kind: 'asker', sessionId: asker.sessionId, inReplyTo: asker.messageId };
  return linked === null ? { kind: 'default' } : { kind: 'linked', sessionId: linked };
}

export interface PassageFacts {
  sender: string;
  target: string;
  /** The pair's newest pause, null when it never had one. */
  pause: Pick<PeerPause, 'state' | 'decidedAt' | 'decidedBy'> | null;
  /** When the host took the message from its agent. */
  takenAt: number;
  /** The message that this one goes on from, null when there is none. */
  base: { hop: number; timestamp: number } | null;
  /** When the pair's messages of the last PAIR_WINDOW_MS went, oldest first. */
  recent: readonly number[];
  /** Why the target's session takes nothing, null when it does. */
  quarantineReason: string | null;
  /** Messages of the sender that the target's session has not done. */
  undone: number;
  hasDiskRoom: boolean;
}

export type Passage =
  | { kind: 'pass'; hop: number }
  | { kind: 'hold'; reason: string }
  | { kind: 'pause'; reason: 'rate' | 'hop'; question: string }
  | { kind: 'refuse'; reason: string };

export function planPassage(facts: PassageFacts, now: number): Passage {
  const { pause, target } = facts;
  if (pause?.state === 'paused') {
    return { kind: 'hold', reason: describePause(target) };
  }
  if (pause?.state === 'ended' && facts.takenAt <= (pause.decidedAt ?? now)) {
    const who = pause.decidedBy === null ? 'nobody resumed' : 'an admin stopped';
    return { kind: 'refuse', reason: `${who} the exchange with ${target}` };
  }
  const hop = planHop(facts);
  if (hop > MAX_HOP) {
    return {
      kind: 'pause',
      reason: 'hop',
      question: `${nameBoth(facts)} handed a message on ${MAX_HOP} times: paused. Resume?`,
    };
  }
  if (facts.recent.length >= PAIR_MESSAGES) {
    const seconds = Math.max(1, Math.round((now - (facts.recent[0] ?? now)) / 1_000));
    return {
      kind: 'pause',
      reason: 'rate',
      question: `${nameBoth(facts)} exchanged ${facts.recent.length} messages in ${seconds} s: paused. Resume?`,
    };
  }
  const reason = planWait(facts);
  return reason === null ? { kind: 'pass', hop } : { kind: 'hold', reason };
}

/** In a card of the host: an agent may have called another as it liked. */
function nameBoth({ sender, target }: PassageFacts): string {
  return `${showPlain(sender)} and ${showPlain(target)}`;
}

export function describePause(target: string): string {
  return `the exchange with ${target} is paused, until an admin resumes or stops it`;
}

/** One more than what it goes on from. What came in before a person said "resume" counts anew when it was too much. */
function planHop({ base, pause }: PassageFacts): number {
  if (base === null) return 1;
  const isForgiven = pause?.state === 'resumed' && base.timestamp <= (pause.decidedAt ?? 0);
  return base.hop >= MAX_HOP && isForgiven ? 1 : base.hop + 1;
}

/** What passes by itself, or by a person's doing elsewhere. */
function planWait({ target, quarantineReason, undone, hasDiskRoom }: PassageFacts): string | null {
  if (quarantineReason !== null) return `the session of ${target} is set aside: ${quarantineReason}`;
  if (undone >= MAX_UNDONE_FROM_PEER) return `${target} has ${undone} messages of this agent to do first`;
  return hasDiskRoom ? null : 'the disk of the host is full';
}
