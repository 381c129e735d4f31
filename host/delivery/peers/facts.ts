/** What the host's own files say about a message from agent to agent. Reads, and decides nothing. */
import type { MessageId } from '../../../shared/ids.ts';
import { AGENT_CHANNEL } from '../../../shared/protocol.ts';
import { MAX_HOP, MAX_UNDONE_FROM_PEER } from '../../config/limits.ts';
import type { FreeDisk } from '../../sessions/disk.ts';
import type { Inboxes } from '../../sessions/inbox.ts';
import type { InboundLink } from '../../sessions/inbox-tables.ts';
import { clientIdOf, copyIdOf, findOriginal } from '../../sessions/peer-copy.ts';
import type { AgentGroup, AgentStore } from '../../store/agents.ts';
import type { PeerStore } from '../../store/peers.ts';
import type { Session, SessionStore } from '../../store/sessions.ts';
import type { Transcript } from '../../store/transcript.ts';
import type { OutboundMessage } from '../plan.ts';
import type { PairRate } from './pair-rate.ts';
import { type Asker, type PassageFacts, planTarget, type TargetPlan } from './plan.ts';

export interface FactParts {
  agents: AgentStore;
  sessions: SessionStore;
  inboxes: Inboxes;
  transcript: Transcript;
  peers: PeerStore;
  disk: FreeDisk;
  rate: PairRate;
}

/** A message that names no other goes on from what came in within this time. Higher: old matters count. Lower: a slow loop forgets. */
const HOP_MEMORY_MS = 10 * 60_000;
/** And from this many rows at most. */
const HOP_MEMORY_ROWS = 50;

/** Where a message stands that was tried before. */
export type Copy =
  | { kind: 'none' }
  /** Its session was chosen and committed; `isThere`: the row too. */
  | { kind: 'chosen'; session: Session; isThere: boolean }
  /** The id of its copy names something else, or its session ended meanwhile. */
  | { kind: 'unusable'; reason: string };

export interface Look {
  sender: AgentGroup;
  target: AgentGroup;
  copyId: MessageId;
  copy: Copy;
  plan: TargetPlan;
  /** The session that gets it, null when it is still to be made. */
  session: Session | null;
  /** It names a message that its own session does not have. */
  answersNothing: boolean;
  passage: PassageFacts;
}

/** Null when one of the two agents is gone. Throws Fault when a session's inbox cannot be read. */
export function lookAt(parts: FactParts, from: Session, message: OutboundMessage, now: number): Look | null {
  const { agents, sessions, inboxes, transcript, peers, disk, rate } = parts;
  // Authorised a moment ago: the row's platform id is the target's.
  const target = agents.get(message.platformId as AgentGroup['id']);
  const sender = agents.get(from.agentGroupId);
  if (target === null || sender === null) return null;
  const trail = readTrail(parts, from, message, now);
  const copyId = copyIdOf(from.id, message.id);
  const copy = findCopy(parts, copyId, message.id, target);
  const plan = planTarget({ target: target.id, askers: trail.askers, linked: peers.findLink(from.id, target.id) });
  const session = copy.kind === 'chosen' ? copy.session : findSession(sessions, target, plan);
  // One that is not open has nothing to do, and perhaps no folder yet.
  const undone =
    session === null || !session.isOpen
      ? 0
      : inboxes.read(session, (tables) => tables.countOpenFrom(AGENT_CHANNEL, sender.id, MAX_UNDONE_FROM_PEER));
  return {
    ...{ sender, target, copyId, copy, plan, session },
    answersNothing: message.inReplyTo !== null && trail.named === null,
    passage: {
      sender: sender.name,
      target: target.name,
      pause: peers.latestPause(sender.id, target.id),
      takenAt: transcript.peek(message.id)?.createdAt ?? now,
      base: trail.named ?? trail.farthest,
      recent: rate.recent(sender.id, target.id, now),
      quarantineReason: session?.quarantineReason ?? null,
      undone,
      hasDiskRoom: disk.hasRoom() && transcript.trouble === null,
    },
  };
}

function findSession(sessions: SessionStore, target: AgentGroup, plan: TargetPlan): Session | null {
  if (plan.kind !== 'default') return sessions.get(plan.sessionId);
  return sessions.find({ agentGroupId: target.id, messagingGroupId: null, threadId: null });
}

interface Trail {
  /** The row that the message answers; null when it names none, or none of this session. */
  named: InboundLink | null;
  /** For a message that names none. */
  farthest: InboundLink | null;
  askers: Asker[];
}

/**
 * Back from the row that is answered: who asked, on behalf of which earlier row, and so on. Each step stays
 * within this session's own rows, so that no id of another session leads anywhere.
 */
function readTrail(parts: FactParts, from: Session, message: OutboundMessage, now: number): Trail {
  const { inboxes, transcript } = parts;
  return inboxes.read(from, (tables): Trail => {
    if (message.inReplyTo === null) {
      const farthest = tables.findFarthestPeer(message.seq, now - HOP_MEMORY_MS, HOP_MEMORY_ROWS);
      return { named: null, farthest, askers: [] };
    }
    const named = tables.getLink(message.inReplyTo);
    const askers: Asker[] = [];
    let id = message.inReplyTo;
    for (let step = 0; step < MAX_HOP; step++) {
      const link = tables.getLink(id);
      if (link === null) break;
      const asker = findAsker(parts, id, link);
      if (asker !== null) askers.push(asker);
      const own = link.inReplyTo === null ? null : transcript.peek(link.inReplyTo);
      if (own === null || own.sessionId !== from.id || own.direction !== 'out' || own.inReplyTo === null) break;
      id = own.inReplyTo;
    }
    return { named, farthest: null, askers };
  });
}

function findAsker({ sessions, transcript }: FactParts, rowId: MessageId, link: InboundLink): Asker | null {
  const session = link.sourceSessionId === null ? null : sessions.get(link.sourceSessionId);
  if (session === null) return null;
  const messageId = findOriginal(transcript, rowId)?.id ?? null;
  return { sessionId: session.id, agentGroupId: session.agentGroupId, messageId };
}

function findCopy(
  { sessions, inboxes, transcript }: FactParts,
  copyId: MessageId,
  of: MessageId,
  to: AgentGroup,
): Copy {
  const shown = transcript.peek(copyId);
  if (shown === null) return { kind: 'none' };
  const session = sessions.get(shown.sessionId);
  if (shown.direction !== 'in' || shown.clientId !== clientIdOf(of) || session?.agentGroupId !== to.id) {
    const isCopy = shown.direction === 'in' && shown.clientId === clientIdOf(of) && session === null;
    return { kind: 'unusable', reason: isCopy ? `the session of ${to.name} ended` : 'its id was used before' };
  }
  const isThere = inboxes.read(session, (tables) => tables.getStatus(copyId) !== null);
  return { kind: 'chosen', session, isThere };
}
