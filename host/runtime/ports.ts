/**
 * What the runtime needs from the rest of the host. `host/sessions` and `host/store` implement
 * `RuntimeSessions`; `main.ts` hands it in.
 */
import type { AgentGroupId, ContainerId, EpochMs, SessionId } from '../../shared/ids.ts';
import type { ImageState } from '../images/plan.ts';
import type { ContainerSpec } from './drivers/driver.ts';

/** Stored in `sessions.runtime_state`. */
export type RuntimeState = 'absent' | 'starting' | 'running' | 'paused' | 'stopping' | 'failed';

/** What the runtime stores of a session, so that a host that starts anew goes on from it. */
export interface RuntimeRecord {
  state: RuntimeState;
  containerId: ContainerId | null;
  /** Number of the newest run. */
  epoch: number;
  /** Failed runs in a row; 0 again once a run reached idle. */
  failures: number;
  /** Machine word: why it failed (FailureReason) or is being stopped (StopReason); null else. */
  reason: string | null;
  /** When `state` or `failures` last changed. */
  sinceMs: EpochMs;
}

/** What the host's own databases say of a session. Cheap: no look at anything the container writes. */
export interface SessionFacts {
  sessionId: SessionId;
  agentGroupId: AgentGroupId;
  record: RuntimeRecord;
  /** Trigger rows pending and due now, from inbound.db (accumulated context alone wakes nobody). */
  hasDueWork: boolean;
  /** When the oldest of them fell due; null without due work. */
  dueSinceMs: EpochMs | null;
  /** When the newest due row was written that only a container started after it takes (`on_wake`); null when none is. */
  freshSinceMs: EpochMs | null;
  /** All that is due is of that sort. */
  isAllFresh: boolean;
  /** When the newest pending trigger row was written: a failed session tries again for news. */
  newestWorkMs: EpochMs | null;
  /** The next pending trigger row that waits for a time, null when none does. */
  nextDueMs: EpochMs | null;
  /** Set while the session is set aside: nothing starts, what runs is stopped. */
  quarantineReason: string | null;
  /** No longer in use: what runs is stopped, and its container is removed. */
  ended: boolean;
  /** Version of the agent's container config that a container should have; one that has another ends when it is idle. */
  configVersion: number;
  /** What its next container is made of. */
  image: ImageState;
}

/** What the container says of itself through outbound.db and the heartbeat. Written by it: believed in its disfavour only. */
export type Liveness =
  | {
      kind: 'live';
      /** When the runner of this or an earlier run said hello (`runner_state.hello.updated_at`). */
      helloMs: EpochMs | null;
      /**
       * Claims in `processing` that are open: state `claimed`, the inbound row still pending, and not
       * re-queued by `requeueClaims` since the claim was made.
       */
      openClaims: number;
      oldestClaimMs: EpochMs | null;
      /** mtime of `out/heartbeat`; null when it is missing or not a regular file. */
      heartbeatMs: EpochMs | null;
      /** `runner_state.idle.since`: all statements closed, safe to freeze. Null while busy. */
      idleSinceMs: EpochMs | null;
      tool: { startedAtMs: EpochMs; timeoutMs: number } | null;
    }
  /** A lock is held; look again later. */
  | { kind: 'busy' }
  /** A killed container left half a commit. */
  | { kind: 'hot-journal' }
  /** The container broke the contract; the session is set aside. */
  | { kind: 'quarantined'; reason: string };

export type Prepared =
  | { kind: 'ready'; spec: ContainerSpec }
  /** Its image is not there: the facts say what it waits for. Nobody's failure. */
  | { kind: 'later' }
  /** A value, shown to people, and counted as a failed start. */
  | { kind: 'refused'; reason: string; failure: 'refused' | 'mount-refused' | 'no-gateway' };

export interface RuntimeSessions {
  /** Null when there is no such session. Called at each step: must not cost more than a few reads. */
  load(sessionId: SessionId): SessionFacts | null;
  save(sessionId: SessionId, record: RuntimeRecord): void;
  /** Sessions with open work, a waiting row, or a record other than absent and failed. Called at start and after Docker was away. */
  listTracked(): SessionId[];
  /** Folders, databases, chart and session.json as the run `epoch` needs them. */
  prepare(sessionId: SessionId, epoch: number): Promise<Prepared>;
  readLiveness(sessionId: SessionId): Promise<Liveness>;
  /** With the container frozen: can inbound.db be locked for writing, and outbound.db be read? Must not block. */
  probeLocks(sessionId: SessionId): Promise<boolean>;
  /**
   * Puts the open claims of a container that is gone back into the queue: one more try, with back-off, or a
   * visible failure when the tries are used up. Idempotent: afterwards `readLiveness` counts them no longer.
   */
  requeueClaims(sessionId: SessionId, reason: string, nowMs: EpochMs): Promise<void>;
}

/** What people see of a session. */
export type SessionState =
  | { kind: 'idle' }
  | { kind: 'starting' }
  | { kind: 'running' }
  | { kind: 'paused' }
  | { kind: 'stopping' }
  /** Work waits: for the engine, for the agent's image, for room among `maxRunning`, or for the next try. */
  | { kind: 'waiting'; for: 'docker' | 'image' | 'room' | 'retry'; reason: string; untilMs: EpochMs }
  | { kind: 'failed'; reason: string; failures: number }
  | { kind: 'quarantined'; reason: string };

/** Told after the change is stored. Must not throw. */
export type StateListener = (sessionId: SessionId, state: SessionState) => void;

/** Time, so that tests drive it. */
export interface RuntimeClock {
  now(): EpochMs;
  /** Calls once at or after `atMs`; the returned function cancels. */
  at(atMs: EpochMs, call: () => void): () => void;
}

/** The part of a pino logger that the runtime uses. */
export interface RuntimeLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
