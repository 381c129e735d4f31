/**
 * The `maxRunning` places: who holds one, who waits, and who is asked to give one up.
 *
 * I1. Never more holders than places, but for containers adopted from a host that allowed more.
 * I2. A free place goes to the queue before it goes to a newcomer.
 */
import type { AgentGroupId, SessionId } from '../../shared/ids.ts';
import { chooseEviction, FairQueue } from './room.ts';
import type { Tracked } from './tracked.ts';

export class Places {
  readonly #limit: number;
  readonly #find: (sessionId: SessionId) => Tracked | undefined;
  readonly #queue = new FairQueue();
  readonly #holders = new Set<SessionId>();

  constructor(limit: number, find: (sessionId: SessionId) => Tracked | undefined) {
    this.#limit = limit;
    this.#find = find;
  }

  get held(): number {
    return this.#holders.size;
  }

  get waiting(): number {
    return this.#queue.size;
  }

  holders(): SessionId[] {
    return [...this.#holders];
  }

  /** Whether the session may start a container now. */
  has(sessionId: SessionId): boolean {
    return this.#holders.has(sessionId) || (this.#holders.size < this.#limit && this.#queue.size === 0);
  }

  take(sessionId: SessionId): void {
    this.#queue.delete(sessionId);
    this.#holders.add(sessionId);
  }

  wait(sessionId: SessionId, agentGroupId: AgentGroupId): void {
    this.#queue.add(sessionId, agentGroupId);
  }

  stopWaiting(sessionId: SessionId): void {
    this.#queue.delete(sessionId);
  }

  release(sessionId: SessionId): void {
    this.#holders.delete(sessionId);
  }

  /** Gives a free place to the one whose turn it is; null without a place or without a queue. */
  grantNext(): SessionId | null {
    if (this.#holders.size >= this.#limit) return null;
    const next = this.#queue.take();
    if (next !== null) this.#holders.add(next);
    return next;
  }

  /** Whether somebody waits for whom no place is being cleared yet. */
  isRoomWanted(): boolean {
    if (this.#queue.size === 0) return false;
    let stopping = 0;
    for (const id of this.#holders) {
      const tracked = this.#find(id);
      if (tracked?.facts?.record.state === 'stopping' || tracked?.container?.kind === 'exited') stopping++;
    }
    return this.#queue.size > stopping;
  }

  /** The holder that should plan anew whether it gives its place up; null when all are in the middle of a step. */
  chooseVictim(): SessionId | null {
    return chooseEviction(
      this.holders().flatMap((sessionId) => {
        const tracked = this.#find(sessionId);
        const state = tracked?.container?.kind;
        if (tracked === undefined || tracked.stepping !== null) return [];
        if (state !== 'running' && state !== 'paused') return [];
        return [{ sessionId, state, seemsIdle: tracked.seemsIdle, activityMs: tracked.activityMs }];
      }),
    );
  }
}
