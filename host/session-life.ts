/**
 * What happens to a session as a whole when one part of the host notices something: its container's state
 * changes, its work changes, its container breaks the contract. The parts know nothing of each other; here
 * they meet.
 *
 * I1. Only sessions with a container are watched and swept.
 * I2. A session is open while anything of it is left to do; the last to finish closes it.
 * I3. A session's way out is there from before its container starts until that is gone; never for one that is
 *     quarantined, or whose agent was removed.
 */
import { join } from 'node:path';
import type { MessageId, SessionId } from '../shared/ids.ts';
import { sessionPaths } from '../shared/session-files.ts';
import { errorCode, Fault, toDiskFault } from './config/errors.ts';
import { ACTIVE_SWEEP_MS, DISK_SWEEP_MS } from './config/limits.ts';
import { Retries } from './config/retries.ts';
import type { Feed } from './console/api/feed.ts';
import type { LiveState } from './console/api/ports.ts';
import type { Activity } from './delivery/activity.ts';
import type { Delivery } from './delivery/delivery.ts';
import type { Gateway } from './egress/gateway.ts';
import { hostLog } from './observe/logger.ts';
import type { Metrics } from './observe/metrics.ts';
import type { SessionState } from './runtime/ports.ts';
import { describeDelivery } from './sessions/delivery-record.ts';
import { AGENT_FOLDER_LIMITS, type DiskUse, measureContainerFolders, SESSION_LIMITS } from './sessions/disk.ts';
import type { Doorbells } from './sessions/doorbell.ts';
import type { DueTimer } from './sessions/due-timer.ts';
import type { Inboxes } from './sessions/inbox.ts';
import { retellSession } from './sessions/retell.ts';
import { setOutboxAside } from './sessions/set-aside.ts';
import type { AgentStore } from './store/agents.ts';
import type { ChatStore } from './store/chats.ts';
import type { Ledger } from './store/ledger.ts';
import type { Session, SessionStore } from './store/sessions.ts';
import type { Transcript } from './store/transcript.ts';

export interface SessionLifeParts {
  home: string;
  sessions: SessionStore;
  agents: AgentStore;
  chats: ChatStore;
  transcript: Transcript;
  ledger: Ledger;
  /** Runs the work in one transaction of the central database. */
  commit: <T>(work: () => T) => T;
  inboxes: Inboxes;
  doorbells: Doorbells;
  due: DueTimer;
  delivery: Delivery;
  gateway: Pick<Gateway, 'open' | 'close'>;
  activity: Activity;
  feed: Feed;
  metrics: Metrics;
  /** The session has work for its container. */
  wake: (id: SessionId) => void;
  /** What the session may do has changed: plan its container anew. */
  reconcile: (id: SessionId) => void;
  now: () => number;
}

/** Wait before a session that could not be looked at is looked at again. */
const TRY_AGAIN_MS = 1_000;
/** How reasons begin that lie in what the container wrote. */
const OUTBOX_REASON = 'outbound.db';

export class SessionLife implements Disposable {
  readonly #parts: SessionLifeParts;
  /** Sessions that are not plainly idle. */
  readonly #live = new Map<SessionId, SessionState>();
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #retries = new Retries();
  /** Ways out that could not be opened: at most one try waits for each session, however often its state changes. */
  readonly #wayRetries = new Map<SessionId, NodeJS.Timeout>();
  #measuring = false;
  #isClosed = false;

  constructor(parts: SessionLifeParts) {
    this.#parts = parts;
  }

  /** After a start: what an earlier host left open is told again, delivered, and woken. */
  start(): void {
    for (const id of this.#parts.sessions.listOpenIds()) this.#takeUp(id);
    this.#parts.due.start();
    this.#timers.push(setInterval(() => this.#sweep(), ACTIVE_SWEEP_MS).unref());
    this.#timers.push(setInterval(() => void this.#measure(), DISK_SWEEP_MS).unref());
  }

  /** One session that cannot be taken up now does not keep the others waiting; it is tried again. */
  #takeUp(id: SessionId): void {
    const { sessions, inboxes, transcript, chats, delivery, feed } = this.#parts;
    const session = sessions.get(id);
    if (session === null || session.quarantineReason !== null) return;
    try {
      feed.resume(retellSession(session, inboxes, transcript, chats));
    } catch (error) {
      this.#handleFault(id, error, () => this.#takeUp(id));
      return;
    }
    this.workChanged(id);
    delivery.ring(id);
  }

  #handleFault(id: SessionId, error: unknown, again: () => void): void {
    const fault = error instanceof Fault ? error : toDiskFault(error);
    if (fault === null) throw error;
    const { sessions } = this.#parts;
    if (fault.code === 'session_corrupt') {
      this.quarantine(id, fault.message);
      sessions.setNextDue(id, null);
    } else if (fault.code === 'session_missing') {
      // Its row was made, its folder was not: there was no message yet.
      sessions.setOpen(id, false);
      sessions.setNextDue(id, null);
    } else {
      hostLog.warn({ sessionId: id, err: fault }, 'a session cannot be looked at now, and is tried again');
      this.#retries.after(TRY_AGAIN_MS, again);
    }
  }

  /** The runtime saw a new state, and has stored it. */
  stateChanged(id: SessionId, state: SessionState): void {
    const { doorbells, delivery, activity, feed, sessions } = this.#parts;
    if (state.kind === 'idle') this.#live.delete(id);
    else this.#live.set(id, state);
    this.#keepWay(id, state);
    if (state.kind !== 'running' && state.kind !== 'paused') activity.stopped(id);
    const session = sessions.get(id);
    if (session !== null && (state.kind === 'starting' || state.kind === 'running')) {
      doorbells.watch(id, sessionPaths(this.#parts.home, session.agentGroupId, id).out);
      if (state.kind === 'running') delivery.ring(id);
    } else if (state.kind !== 'paused' && state.kind !== 'stopping') {
      doorbells.unwatch(id);
      // When that is done, `deliveryQuiet` closes the session if nothing is left.
      delivery.ring(id);
    }
    feed.tellSession(id);
  }

  /**
   * I3. Resolves when its container may connect, or may not at all. Rejects with Fault `gateway_unavailable`.
   */
  async openWay(id: SessionId): Promise<void> {
    const { home, sessions, agents, gateway } = this.#parts;
    const session = sessions.get(id);
    if (session === null || session.quarantineReason !== null || agents.get(session.agentGroupId) === null) return;
    const { agentGroupId } = session;
    await gateway.open({ sessionId: id, agentGroupId }, sessionPaths(home, agentGroupId, id).gateway);
  }

  /** I3: an adopted container needs its way again, one that is gone none. */
  #keepWay(id: SessionId, state: SessionState): void {
    if (state.kind === 'running' || state.kind === 'paused') {
      this.openWay(id).catch((error: unknown) => {
        if (!(error instanceof Fault)) throw error;
        if (this.#isClosed) return;
        hostLog.warn(
          { sessionId: id, err: error },
          'the way out of a session cannot be opened now, and is tried again',
        );
        if (this.#wayRetries.has(id)) return;
        const retry = setTimeout(() => {
          this.#wayRetries.delete(id);
          const now = this.#live.get(id);
          if (now !== undefined) this.#keepWay(id, now);
        }, TRY_AGAIN_MS).unref();
        this.#wayRetries.set(id, retry);
      });
      return;
    }
    clearTimeout(this.#wayRetries.get(id));
    this.#wayRetries.delete(id);
    // An engine that does not answer says nothing about its containers.
    const mayRun = state.kind === 'starting' || state.kind === 'stopping' || isEngineAway(state);
    if (!mayRun) this.#parts.gateway.close(id);
  }

  /** Rows were queued, or what is due has changed. */
  workChanged(id: SessionId): void {
    const { sessions, inboxes, due, now, wake } = this.#parts;
    const session = sessions.get(id);
    if (session === null) return;
    try {
      const work = inboxes.read(session, (tables) => tables.work(now()));
      // Open before the due time goes: between the two a crash must find it by one or the other.
      if (work.due > 0 && !session.isOpen) sessions.markOpen(id, now());
      if (session.nextDueAt !== work.nextDueAt) due.set(id, work.nextDueAt);
      if (work.due > 0) wake(id);
      else this.#closeIfDone(id);
    } catch (error) {
      this.#handleFault(id, error, () => this.workChanged(id));
    }
  }

  /** Delivery has nothing of it under way any more. */
  deliveryQuiet(id: SessionId): void {
    try {
      this.#closeIfDone(id);
    } catch (error) {
      this.#handleFault(id, error, () => this.deliveryQuiet(id));
    }
  }

  /** The container broke the contract, or its database is corrupt: it stops, and stays stopped until released. */
  quarantine(id: SessionId, reason: string): void {
    const { sessions, ledger, commit, metrics, feed, reconcile, now } = this.#parts;
    const session = sessions.get(id);
    if (session === null || session.quarantineReason !== null) return;
    commit(() => {
      sessions.setQuarantine(id, reason, now());
      const entry = { kind: 'session.quarantined', sessionId: id, messageId: null, actor: null, detail: { reason } };
      ledger.append(entry, now());
    });
    // I3
    this.#parts.gateway.close(id);
    metrics.sessionQuarantined();
    hostLog.error({ sessionId: id, agentGroupId: session.agentGroupId, reason }, 'a session is quarantined');
    feed.tellSession(id);
    reconcile(id);
  }

  /**
   * Out of quarantine or failure. What a container wrote against the contract is set aside, not read again.
   * Throws Fault `still_running` while its container is being stopped.
   */
  async release(id: SessionId, by: string): Promise<void> {
    const { sessions, ledger, commit, delivery, feed, now, reconcile, inboxes, transcript, home } = this.#parts;
    const session = sessions.get(id);
    if (session === null) return;
    const reason = session.quarantineReason;
    if (reason !== null) {
      if (session.runtimeState !== 'absent' && session.runtimeState !== 'failed') {
        throw new Fault('still_running', 'its container is still being stopped', {
          retryable: true,
          hint: 'release it again in a few seconds',
        });
      }
      if (reason.startsWith(OUTBOX_REASON)) {
        delivery.abandon(id);
        const lost = await setOutboxAside(home, session, inboxes, now());
        for (const row of lost) {
          // The rows hold ids of messages.
          transcript.change(row.messageOutId as MessageId, { state: row.state, stateReason: row.reason });
          transcript.record(describeDelivery(session, row), now());
        }
      }
      commit(() => {
        sessions.setQuarantine(id, null, now());
        const entry = { kind: 'session.released', sessionId: id, messageId: null, actor: by, detail: { reason } };
        ledger.append(entry, now());
      });
    }
    sessions.markOpen(id, now());
    // The runtime tells of changes alone; what it says next is new.
    this.#live.delete(id);
    delivery.ring(id);
    feed.tellSession(id);
    reconcile(id);
    this.workChanged(id);
  }

  liveState(session: Session): LiveState {
    const untilMs = null;
    if (session.quarantineReason !== null) return { state: 'quarantined', reason: session.quarantineReason, untilMs };
    const live = this.#live.get(session.id);
    if (live === undefined) return { state: 'idle', reason: null, untilMs };
    // Other waits end when a place or the engine is free, which nobody can tell.
    if (live.kind === 'waiting' && live.for === 'retry') {
      return { state: live.kind, reason: live.reason, untilMs: live.untilMs };
    }
    return { state: live.kind, reason: 'reason' in live ? live.reason : null, untilMs };
  }

  isRunning(id: SessionId): boolean {
    return this.#live.get(id)?.kind === 'running';
  }

  /** Sessions that are not plainly idle. */
  liveIds(): SessionId[] {
    return [...this.#live.keys()];
  }

  count(kind: SessionState['kind']): number {
    let count = 0;
    for (const state of this.#live.values()) if (state.kind === kind) count++;
    return count;
  }

  #closeIfDone(id: SessionId): void {
    const { sessions, inboxes, transcript, delivery, now } = this.#parts;
    if (this.#live.has(id)) return;
    const session = sessions.get(id);
    if (session === null || !session.isOpen || session.quarantineReason !== null || !delivery.isQuiet(id)) return;
    const left = inboxes.read(session, (tables) => tables.work(now()).due > 0 || tables.hasOpenDeliveries());
    if (left) return;
    // What is shown must be settled first: a closed session is not told again.
    transcript.flush();
    sessions.setOpen(id, false);
    delivery.forget(id);
  }

  /** The price of a lost doorbell: running sessions are read every few seconds. */
  #sweep(): void {
    for (const [id, state] of this.#live) if (state.kind === 'running') this.#parts.delivery.ring(id);
  }

  /** What running containers fill of the disk. */
  async #measure(): Promise<void> {
    if (this.#measuring) return;
    this.#measuring = true;
    try {
      for (const [id, state] of [...this.#live]) {
        // It began before a shutdown, and the stores are closed by now.
        if (this.#isClosed) return;
        const session = this.#parts.sessions.get(id);
        if (session === null || state.kind !== 'running') continue;
        const use = await this.#measureSession(session);
        if (use.kind === 'over' && !this.#isClosed) this.quarantine(id, `its folders hold ${use.reason}`);
      }
    } finally {
      this.#measuring = false;
    }
  }

  /** A check that cannot run refuses (I11): what cannot be measured counts as over. */
  async #measureSession(session: Session): Promise<DiskUse> {
    const { home, agents } = this.#parts;
    const paths = sessionPaths(home, session.agentGroupId, session.id);
    const agent = agents.get(session.agentGroupId);
    try {
      const own = await measureContainerFolders([paths.out, paths.state], SESSION_LIMITS);
      if (own.kind === 'over' || agent === null) return own;
      return await measureContainerFolders([join(home, 'groups', agent.folder)], AGENT_FOLDER_LIMITS);
    } catch (error) {
      const code = errorCode(error);
      if (code === '') throw error;
      return { kind: 'over', reason: `what cannot be measured (${code})` };
    }
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    for (const timer of this.#timers) clearInterval(timer);
    for (const retry of this.#wayRetries.values()) clearTimeout(retry);
    this.#retries[Symbol.dispose]();
  }
}

function isEngineAway(state: SessionState): boolean {
  return state.kind === 'waiting' && state.for === 'docker';
}
