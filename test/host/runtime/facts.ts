/** Facts for plan tests: a running, idle, healthy session, changed where a test says so. */
import type { Desired, Observed, PlannedContainer } from '../../../host/runtime/facts.ts';
import { DEFAULT_POLICY } from '../../../host/runtime/policy.ts';
import type { Liveness, RuntimeRecord } from '../../../host/runtime/ports.ts';
import { type EpochMs, epochMs } from '../../../shared/ids.ts';

export const policy = DEFAULT_POLICY;
/** The time of plan tests. */
export const NOW: EpochMs = epochMs(1_800_000_000_000);
export const ago = (ms: number): EpochMs => epochMs(NOW - ms);
export const ahead = (ms: number): EpochMs => epochMs(NOW + ms);

export function desire(facts: Partial<Desired['facts']> = {}, changes: Partial<Omit<Desired, 'facts'>> = {}): Desired {
  return {
    hasPlace: true,
    makeRoom: false,
    memoryPressure: false,
    stopRequest: null,
    halfCommit: false,
    engine: { kind: 'up' },
    policy,
    ...changes,
    facts: {
      hasDueWork: false,
      dueSinceMs: facts.hasDueWork ? NOW : null,
      freshSinceMs: null,
      isAllFresh: false,
      newestWorkMs: facts.hasDueWork ? NOW : null,
      nextDueMs: null,
      quarantineReason: null,
      ended: false,
      configVersion: 1,
      image: { kind: 'ready', image: 'any' },
      ...facts,
    },
  };
}

export function makeRecord(changes: Partial<RuntimeRecord> = {}): RuntimeRecord {
  return { state: 'absent', containerId: null, epoch: 1, failures: 0, reason: null, sinceMs: ago(1_000), ...changes };
}

export function live(changes: Partial<Extract<Liveness, { kind: 'live' }>> = {}): Liveness {
  return {
    kind: 'live',
    helloMs: ago(119_000),
    openClaims: 0,
    oldestClaimMs: null,
    heartbeatMs: ago(1_000),
    idleSinceMs: ago(1_000),
    tool: null,
    ...changes,
  };
}

export const RUNNING: PlannedContainer = {
  kind: 'running',
  configVersion: 1,
  startedAtMs: ago(120_000),
  resumedAtMs: ago(120_000),
};
export const PAUSED: PlannedContainer = {
  ...{ kind: 'paused', configVersion: 1, startedAtMs: ago(120_000) },
  ...{ pausedAtMs: ago(60_000), isSafe: true },
};
export const EXITED: PlannedContainer = { kind: 'exited', exitCode: 1, outOfMemory: false };
export const ABSENT: PlannedContainer = { kind: 'absent' };

export function observe(changes: Partial<Observed> = {}): Observed {
  const container = changes.container ?? RUNNING;
  const state = container.kind === 'paused' ? 'paused' : container.kind === 'absent' ? 'absent' : 'running';
  return {
    container,
    record: makeRecord({ state }),
    liveness: container.kind === 'running' ? live() : null,
    activityMs: ago(60_000),
    busySinceMs: null,
    suspectedSinceMs: null,
    unreadableSinceMs: null,
    pauseAgainMs: null,
    startFault: null,
    exit: null,
    recovered: false,
    requeued: false,
    ...changes,
  };
}

/** A run that is over: its container is gone, its record still says `running`. */
export function gone(changes: Partial<Observed> = {}): Observed {
  return observe({
    container: ABSENT,
    record: makeRecord({ state: 'running' }),
    liveness: live(),
    exit: { exitCode: 1, outOfMemory: false },
    ...changes,
  });
}
