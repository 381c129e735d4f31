/**
 * Who gets the next place among `maxRunning`, and who gives one up. In memory; a restarted host builds it
 * anew from the sessions that have work.
 *
 * I1. Agent groups take turns: a group with a hundred waiting sessions delays a group with one by one place.
 * I2. Within a group, first come, first served. A session waits once.
 * I3. Costs nothing in proportion to the number of waiting sessions, but for leaving the queue early.
 */
import type { AgentGroupId, EpochMs, SessionId } from '../../shared/ids.ts';

export class FairQueue {
  /** Waiting sessions by group; a group's place in the map is its place in the round. */
  readonly #groups = new Map<AgentGroupId, Set<SessionId>>();
  readonly #groupOf = new Map<SessionId, AgentGroupId>();

  get size(): number {
    return this.#groupOf.size;
  }

  has(sessionId: SessionId): boolean {
    return this.#groupOf.has(sessionId);
  }

  add(sessionId: SessionId, agentGroupId: AgentGroupId): void {
    if (this.#groupOf.has(sessionId)) return;
    this.#groupOf.set(sessionId, agentGroupId);
    const group = this.#groups.get(agentGroupId);
    if (group === undefined) this.#groups.set(agentGroupId, new Set([sessionId]));
    else group.add(sessionId);
  }

  delete(sessionId: SessionId): void {
    const agentGroupId = this.#groupOf.get(sessionId);
    if (agentGroupId === undefined) return;
    this.#groupOf.delete(sessionId);
    const group = this.#groups.get(agentGroupId);
    group?.delete(sessionId);
    if (group?.size === 0) this.#groups.delete(agentGroupId);
  }

  /** Takes the one whose turn it is; its group goes to the end of the round. */
  take(): SessionId | null {
    for (const [agentGroupId, group] of this.#groups) {
      for (const sessionId of group) {
        this.delete(sessionId);
        this.#groups.delete(agentGroupId);
        if (group.size > 0) this.#groups.set(agentGroupId, group);
        return sessionId;
      }
    }
    return null;
  }
}

/** A container that holds a place. */
export interface PlaceHolder {
  sessionId: SessionId;
  state: 'running' | 'paused';
  /** Nothing is open and nothing is due, as far as the last look told; the plan looks again before it stops one. */
  seemsIdle: boolean;
  activityMs: EpochMs;
}

/**
 * Who should give its place up, when a session waits: paused before running, least recently active first.
 * When none is idle, the one that was active longest ago is asked: its plan decides by `fairShareMs`.
 */
export function chooseEviction(holders: Iterable<PlaceHolder>): SessionId | null {
  let best: PlaceHolder | null = null;
  for (const holder of holders) {
    if (best === null || compareHolders(holder, best) < 0) best = holder;
  }
  return best?.sessionId ?? null;
}

function compareHolders(a: PlaceHolder, b: PlaceHolder): number {
  return rank(a) - rank(b) || a.activityMs - b.activityMs;
}

function rank({ state, seemsIdle }: PlaceHolder): number {
  if (state === 'paused') return 0;
  return seemsIdle ? 1 : 2;
}
