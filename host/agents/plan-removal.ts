/**
 * Removing an agent. Pure: facts in, one step out.
 *
 *   decided (one commit) → containers stop → each session ends → folder put away → done
 *
 * I1. What was decided is carried out to its end, whatever crashes: each step may be repeated.
 * I2. A session ends when its container is gone and what the container wrote has been read, or waited for long.
 * I3. The folder moves last: no container has it mounted then.
 */
import type { SessionId } from '../../shared/ids.ts';
import type { AgentGroup } from '../store/agents.ts';

export interface SessionToEnd {
  id: SessionId;
  /** It has no container, and none is on its way. */
  isSettled: boolean;
  /** Nothing that its container wrote is under way to a chat. */
  isQuiet: boolean;
  /** Since when its end has been waited for, epoch ms. */
  waitingSince: number;
}

export type RemovalStep =
  | { kind: 'end'; sessionIds: SessionId[] }
  | { kind: 'wait'; sessionIds: SessionId[] }
  | { kind: 'put-away' };

/** How long rows that a channel does not take hold up the end of their session. Higher: a removal hangs. Lower: replies are cut. */
export const QUIET_PATIENCE_MS = 10_000;

export function planRemovalStep(sessions: readonly SessionToEnd[], now: number): RemovalStep {
  if (sessions.length === 0) return { kind: 'put-away' };
  const ready = sessions.filter(
    (session) => session.isSettled && (session.isQuiet || now - session.waitingSince >= QUIET_PATIENCE_MS),
  );
  if (ready.length > 0) return { kind: 'end', sessionIds: ready.map(({ id }) => id) };
  return { kind: 'wait', sessionIds: sessions.map(({ id }) => id) };
}

export type RemovalVerdict =
  /** `warning` is for the person: what the host cannot do any more. */
  { kind: 'allow'; warning: string | null } | { kind: 'refuse'; reason: 'only_agent' };

/**
 * The only agent stays: a host without one has nobody to talk to, and nothing on the page or the command line
 * would answer. The last admin agent may go: people can make another.
 */
export function planRemoval(
  agent: Pick<AgentGroup, 'id' | 'isAdmin'>,
  all: readonly Pick<AgentGroup, 'id' | 'isAdmin'>[],
): RemovalVerdict {
  const others = all.filter((other) => other.id !== agent.id);
  if (others.length === 0) return { kind: 'refuse', reason: 'only_agent' };
  const isLastAdmin = agent.isAdmin && !others.some((other) => other.isAdmin);
  return {
    kind: 'allow',
    warning: isLastAdmin
      ? 'It was the last admin agent: no agent can create agents now. To make one: portolan agents create <name> --admin'
      : null,
  };
}
