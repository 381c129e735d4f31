/** What the plan for a session knows, and what it can answer. */
import type { EpochMs } from '../../shared/ids.ts';
import type { RuntimePolicy } from './policy.ts';
import type { Liveness, RuntimeRecord, SessionFacts } from './ports.ts';
import type { FailureReason, StopReason } from './reasons.ts';

/** Who found that a run must end: a command or the host's own end, a person who wants it to stay stopped, or a reader. */
export type StopRequest = 'requested' | 'stopped' | 'holds-lock';

/** What should be. */
export interface Desired {
  facts: Omit<SessionFacts, 'sessionId' | 'agentGroupId' | 'record'>;
  /** Whether it holds one of the `maxRunning` places. */
  hasPlace: boolean;
  /** Another session waits for its place. */
  makeRoom: boolean;
  memoryPressure: boolean;
  /** Somebody found that this run must end. */
  stopRequest: StopRequest | null;
  /** Somebody met half a commit in outbound.db: rolled back even when nothing else is to be done. */
  halfCommit: boolean;
  engine: { kind: 'up' } | { kind: 'away'; retryAtMs: EpochMs };
  policy: RuntimePolicy;
}

export type PlannedContainer =
  /** The engine was away since this host started: there may be one. */
  | { kind: 'unknown' }
  | { kind: 'absent' }
  | { kind: 'running'; configVersion: number; startedAtMs: EpochMs; resumedAtMs: EpochMs }
  /** `isSafe`: this host froze it, and saw that no lock is held. */
  | { kind: 'paused'; configVersion: number; startedAtMs: EpochMs; pausedAtMs: EpochMs; isSafe: boolean }
  | { kind: 'exited'; exitCode: number | null; outOfMemory: boolean };

/** What is. */
export interface Observed {
  container: PlannedContainer;
  record: RuntimeRecord;
  /** Null until it was read in this step. */
  liveness: Liveness | null;
  /** The newest sign of use that the host saw itself. */
  activityMs: EpochMs;
  /** Since when every look found it busy; null when the last one found it idle. */
  busySinceMs: EpochMs | null;
  /** When it first looked stuck; null when the last look did not. */
  suspectedSinceMs: EpochMs | null;
  /** Since when no look could read what the container says; null when the last one could. */
  unreadableSinceMs: EpochMs | null;
  /** No freezing before this, after one that was taken back. */
  pauseAgainMs: EpochMs | null;
  /** Of the run that is over: why its start failed, and how it exited, as far as known. */
  startFault: { reason: FailureReason | 'engine-away' | 'no-image-yet'; retryable: boolean } | null;
  exit: { exitCode: number | null; outOfMemory: boolean } | null;
  /** Steps that were done for the run that is over, whatever they came to. */
  recovered: boolean;
  requeued: boolean;
}

export type RunOutcome =
  | { kind: 'ended' }
  /** `final`: trying again without a change is pointless. */
  | { kind: 'failed'; reason: FailureReason; final: boolean };

export type WaitReason =
  | 'due'
  | 'retry'
  | 'engine'
  | 'image'
  | 'room'
  | 'hello'
  | 'busy'
  | 'idle'
  | 'paused'
  | 'suspect'
  | 'unreadable';

export type RuntimePlan =
  /** Read what the container says, then ask again. */
  | { kind: 'look' }
  | { kind: 'start' }
  | { kind: 'pause' }
  | { kind: 'resume' }
  | { kind: 'stop'; reason: StopReason; graceMs: number }
  /** The container has exited: take it away. */
  | { kind: 'remove' }
  /** Roll back the half commit of a killed container. */
  | { kind: 'recover' }
  /** Claims of a run that is over go back into the queue. */
  | { kind: 'requeue'; reason: string }
  /** The run is over: record how. */
  | { kind: 'settle'; outcome: RunOutcome }
  | { kind: 'wait'; untilMs: EpochMs; why: WaitReason }
  | { kind: 'rest' };
