/**
 * The runtime's ports in memory: sessions with work, and runners that a test lets do things. Honours the
 * contract of `host/runtime/ports.ts`.
 */
import type { ContainerSpec } from '../../../host/runtime/drivers/driver.ts';
import type { Liveness, Prepared, RuntimeRecord, RuntimeSessions, SessionFacts } from '../../../host/runtime/ports.ts';
import {
  type AgentGroupId,
  type EpochMs,
  epochMs,
  type InstallId,
  makeId,
  type SessionId,
} from '../../../shared/ids.ts';
import { TEST_USER } from './workspace.ts';

type Live = Extract<Liveness, { kind: 'live' }>;

const READY = { kind: 'ready' as const, image: 'fake-image' };

interface FakeSession {
  facts: SessionFacts;
  live: Live;
  /** Instead of `live`, when set. */
  said: Liveness | null;
  locksFree: boolean;
  refuse: string | null;
  /** Found missing by `prepare`. */
  isImageGone: boolean;
  looks: number;
  requeued: string[];
}

export class FakeSessions implements RuntimeSessions {
  sessions = new Map<SessionId, FakeSession>();
  readonly #installId: InstallId;
  readonly #now: () => EpochMs;
  /** The first word of every container's command; see FakeDriver. */
  program = 'obey';
  /** For a driver that runs real programs. */
  makeSpec: ((facts: SessionFacts, epoch: number) => ContainerSpec) | null = null;

  constructor(installId: InstallId, now: () => EpochMs) {
    this.#installId = installId;
    this.#now = now;
  }

  add(agentGroupId: AgentGroupId = makeId('agentGroup')): SessionId {
    const sessionId = makeId('session');
    const record: RuntimeRecord = {
      ...{ state: 'absent', containerId: null, epoch: 0, failures: 0, reason: null },
      sinceMs: this.#now(),
    };
    this.sessions.set(sessionId, {
      facts: {
        ...{
          sessionId,
          agentGroupId,
          record,
          hasDueWork: false,
          freshSinceMs: null,
          isAllFresh: false,
          dueSinceMs: null,
          newestWorkMs: null,
          nextDueMs: null,
        },
        ...{ quarantineReason: null, ended: false, configVersion: 1, image: READY },
      },
      live: {
        ...{ kind: 'live', helloMs: null, openClaims: 0, oldestClaimMs: null, heartbeatMs: null, idleSinceMs: null },
        tool: null,
      },
      ...{ said: null, locksFree: true, refuse: null, isImageGone: false, looks: 0, requeued: [] },
    });
    return sessionId;
  }

  get(id: SessionId): FakeSession {
    const found = this.sessions.get(id);
    if (found === undefined) throw new Error('no such session');
    return found;
  }

  record(id: SessionId): RuntimeRecord {
    return this.get(id).facts.record;
  }

  /** A message was committed. */
  receive(id: SessionId): void {
    const now = this.#now();
    const { facts } = this.get(id);
    this.change(id, { hasDueWork: true, dueSinceMs: facts.dueSinceMs ?? now, newestWorkMs: now });
  }

  change(id: SessionId, changes: Partial<SessionFacts>): void {
    const session = this.get(id);
    session.facts = { ...session.facts, ...changes };
  }

  /** The runner came up and says hello; its heart beats from now on only when told. */
  hello(id: SessionId): void {
    const session = this.get(id);
    session.live = { ...session.live, helloMs: this.#now(), heartbeatMs: this.#now() };
  }

  /** The runner takes the work that waits. */
  claim(id: SessionId): void {
    const session = this.get(id);
    this.change(id, { hasDueWork: false, dueSinceMs: null });
    session.live = { ...session.live, openClaims: 1, oldestClaimMs: this.#now(), idleSinceMs: null };
    this.beat(id);
  }

  beat(id: SessionId): void {
    const session = this.get(id);
    session.live = { ...session.live, heartbeatMs: this.#now() };
  }

  /** The runner has done everything and is idle. */
  finish(id: SessionId): void {
    const session = this.get(id);
    this.change(id, { hasDueWork: false, dueSinceMs: null });
    session.live = { ...session.live, openClaims: 0, oldestClaimMs: null, idleSinceMs: this.#now() };
    this.beat(id);
  }

  load(id: SessionId): SessionFacts | null {
    const session = this.sessions.get(id);
    if (session === undefined) return null;
    // What waited for a time is due now.
    const { nextDueMs } = session.facts;
    if (nextDueMs !== null && nextDueMs <= this.#now()) {
      this.change(id, { hasDueWork: true, dueSinceMs: nextDueMs, nextDueMs: null });
    }
    return session.facts;
  }

  save(id: SessionId, record: RuntimeRecord): void {
    if (this.sessions.has(id)) this.change(id, { record });
  }

  listTracked(): SessionId[] {
    return [...this.sessions.keys()].filter((id) => {
      const { hasDueWork, nextDueMs, record } = this.get(id).facts;
      return hasDueWork || nextDueMs !== null || !['absent', 'failed'].includes(record.state);
    });
  }

  async prepare(id: SessionId, epoch: number): Promise<Prepared> {
    const { facts, refuse, isImageGone } = this.get(id);
    if (isImageGone) {
      this.change(id, { image: { kind: 'waiting', reason: 'Its image is being built.' } });
      return { kind: 'later' };
    }
    if (refuse !== null) return { kind: 'refused', reason: refuse, failure: 'refused' };
    if (this.makeSpec !== null) return { kind: 'ready', spec: this.makeSpec(facts, epoch) };
    const spec: ContainerSpec = {
      ...{ sessionId: id, agentGroupId: facts.agentGroupId, installId: this.#installId, epoch },
      ...{ configVersion: facts.configVersion, image: 'fake-image', user: TEST_USER, env: {} },
      mounts: { in: '/in', out: '/out', state: '/state', agent: '/agent' },
      limits: { memoryBytes: 1, cpus: 1, pids: 1, fileSizeBytes: 1, openFiles: 1 },
      command: [this.program, '1'],
    };
    return { kind: 'ready', spec };
  }

  async readLiveness(id: SessionId): Promise<Liveness> {
    const session = this.sessions.get(id);
    if (session === undefined) return { kind: 'quarantined', reason: 'the session is gone' };
    session.looks++;
    return session.said ?? session.live;
  }

  async probeLocks(id: SessionId): Promise<boolean> {
    return this.get(id).locksFree;
  }

  async requeueClaims(id: SessionId, reason: string, nowMs: EpochMs): Promise<void> {
    const session = this.get(id);
    session.requeued.push(reason);
    session.live = { ...session.live, openClaims: 0, oldestClaimMs: null };
    this.change(id, { nextDueMs: epochMs(nowMs + 5_000) });
  }
}
