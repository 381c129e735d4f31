/**
 * The only way out of the containers: a socket for each session that runs, and behind it the decision, from the
 * host's own tables, about each request. See README.md.
 */
import type { SecureContext } from 'node:tls';
import type { AgentGroupId, SessionId } from '../../shared/ids.ts';
import { Fault, toDiskFault } from '../config/errors.ts';
import { UnderWay } from '../config/under-way.ts';
import { SessionDoor } from './door.ts';
import { GATEWAY_LIMITS } from './limits.ts';
import { makeOwnAddresses } from './own-addresses.ts';
import type { GatewayParts, Who } from './scope.ts';
import { makeTrust } from './trust.ts';
import { Upstreams } from './upstreams.ts';

export type { GatewayParts } from './scope.ts';

interface Opened {
  who: Who;
  door: SessionDoor;
  ready: Promise<void>;
}

export class Gateway implements AsyncDisposable {
  readonly #parts: GatewayParts;
  readonly #doors = new Map<SessionId, Opened>();
  readonly #byAgent = new Map<AgentGroupId, Set<SessionDoor>>();
  readonly #own: () => ReadonlySet<string>;
  readonly #trust: SecureContext | null;
  readonly #underWay = new UnderWay();
  #isClosed = false;

  constructor(parts: GatewayParts) {
    this.#parts = parts;
    this.#own = makeOwnAddresses(parts.now);
    this.#trust = makeTrust(parts.ca);
  }

  /**
   * Listens at `socketPath` for the session, in the place of what is there. Resolves when its container may connect;
   * may be repeated. Rejects with Fault `gateway_unavailable`.
   */
  async open(who: Who, socketPath: string): Promise<void> {
    const known = this.#doors.get(who.sessionId);
    if (known !== undefined) {
      await this.#listening(known);
      if (known.door.isThere()) return;
      if (this.#doors.get(who.sessionId) === known) this.close(who.sessionId);
    }
    if (this.#isClosed) throw new Fault('gateway_unavailable', 'the host is stopping', { retryable: true });
    await this.#listening(this.#doors.get(who.sessionId) ?? this.#make(who, socketPath));
  }

  /** For everybody who waits for it: rejects with Fault `gateway_unavailable`, and then it is gone. */
  async #listening(opened: Opened): Promise<void> {
    const { sessionId } = opened.who;
    try {
      await opened.ready;
    } catch (error) {
      if (this.#doors.get(sessionId) === opened) this.close(sessionId);
      throw new Fault('gateway_unavailable', 'the way out of a session could not be opened', {
        cause: error,
        retryable: true,
        hint: toDiskFault(error)?.hint,
      });
    }
  }

  /** Cuts off all that is on its way. May be repeated. */
  close(sessionId: SessionId): void {
    const opened = this.#doors.get(sessionId);
    if (opened === undefined) return;
    this.#doors.delete(sessionId);
    const doors = this.#byAgent.get(opened.who.agentGroupId);
    doors?.delete(opened.door);
    if (doors?.size === 0) this.#byAgent.delete(opened.who.agentGroupId);
    opened.door.close();
  }

  /** Cuts off what nothing allows any more: after a rule, a service, the model's service or the agent itself changed. */
  accessChanged(agentGroupId: AgentGroupId): void {
    for (const door of this.#byAgent.get(agentGroupId) ?? []) door.recheck();
  }

  /** Figures of all sessions together. */
  count(what: 'sessions' | 'connections' | 'open'): number {
    if (what === 'sessions') return this.#doors.size;
    return [...this.#doors.values()].reduce((sum, { door }) => sum + door[what], 0);
  }

  /** Cuts off everybody, and opens no door any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    for (const id of [...this.#doors.keys()]) this.close(id);
    await this.#underWay[Symbol.asyncDispose]();
  }

  #make(who: Who, socketPath: string): Opened {
    const limits = { ...GATEWAY_LIMITS, ...this.#parts.limits };
    const door = new SessionDoor(
      {
        who: { sessionId: who.sessionId, agentGroupId: who.agentGroupId },
        parts: this.#parts,
        limits,
        upstreams: new Upstreams(limits, this.#trust),
        passing: new Set(),
        resolve: (host) => this.#parts.resolve(host, who.agentGroupId),
        own: this.#own,
      },
      socketPath,
    );
    const opened = { who, door, ready: this.#underWay.add(door.listen()) };
    this.#doors.set(who.sessionId, opened);
    const doors = this.#byAgent.get(who.agentGroupId) ?? new Set();
    this.#byAgent.set(who.agentGroupId, doors.add(door));
    return opened;
  }
}
