/** What the runtime keeps in memory of a session that has a container or work. */
import type { ContainerId, EpochMs, SessionId } from '../../shared/ids.ts';
import { epochMs } from '../../shared/ids.ts';
import type { ContainerSpec, ObservedContainer } from './drivers/driver.ts';
import type { Desired, Observed, PlannedContainer, RuntimePlan } from './facts.ts';
import type { Liveness, RuntimeRecord, SessionFacts, SessionState } from './ports.ts';

/** A container as last seen. `id` names the run. */
export type KnownContainer = { id: ContainerId } & Exclude<PlannedContainer, { kind: 'unknown' } | { kind: 'absent' }>;

/** A session under watch. Only its own steps change it, and one runs at a time. */
export class Tracked {
  readonly sessionId: SessionId;
  facts: SessionFacts | null = null;
  container: KnownContainer | null = null;
  /** Something was said about the container that it must be asked about. */
  mustInspect = false;
  liveness: Liveness | null = null;
  activityMs: EpochMs;
  seemsIdle = false;
  busySinceMs: EpochMs | null = null;
  suspectedSinceMs: EpochMs | null = null;
  unreadableSinceMs: EpochMs | null = null;
  pauseAgainMs: EpochMs | null = null;
  startFault: Observed['startFault'] = null;
  exit: Observed['exit'] = null;
  recovered = false;
  requeued = false;
  stopRequest: Desired['stopRequest'] = null;
  /** When that was asked, which can be long before the step that does it. */
  stopAskedMs: EpochMs | null = null;
  halfCommit = false;
  spec: ContainerSpec | null = null;
  /** Counts doorbells: a change during a freeze takes it back. */
  rings = 0;
  /** The steps under way. */
  stepping: Promise<void> | null = null;
  /** It rang during the steps. */
  again = false;
  shown: SessionState = { kind: 'idle' };

  constructor(sessionId: SessionId, now: EpochMs) {
    this.sessionId = sessionId;
    this.activityMs = now;
  }

  /** A new run begins: what was known of the last one no longer holds. */
  beginRun(now: EpochMs): void {
    this.container = null;
    this.mustInspect = false;
    this.liveness = null;
    this.activityMs = now;
    this.seemsIdle = false;
    this.busySinceMs = null;
    this.suspectedSinceMs = null;
    this.unreadableSinceMs = null;
    this.pauseAgainMs = null;
    this.startFault = null;
    this.exit = null;
    this.recovered = false;
    this.requeued = false;
    this.stopRequest = null;
    this.stopAskedMs = null;
    // The runner rolls back when it opens its database.
    this.halfCommit = false;
  }

  /** Takes over what the driver said of the container `id`. */
  see(id: ContainerId, observed: ObservedContainer, configVersion: number, now: EpochMs): void {
    const known = this.container?.id === id ? this.container : null;
    this.mustInspect = false;
    switch (observed.kind) {
      case 'absent':
      case 'created':
        if (known !== null) this.container = null;
        return;
      case 'running': {
        const resumedAtMs = known?.kind === 'running' ? known.resumedAtMs : known?.kind === 'paused' ? now : null;
        this.container = {
          ...{ id, kind: 'running', configVersion, startedAtMs: observed.startedAtMs },
          resumedAtMs: epochMs(Math.max(resumedAtMs ?? 0, observed.startedAtMs)),
        };
        return;
      }
      case 'paused': {
        const pausedAtMs = known?.kind === 'paused' ? known.pausedAtMs : now;
        this.container = {
          id,
          kind: 'paused',
          configVersion,
          startedAtMs: observed.startedAtMs,
          pausedAtMs,
          isSafe: known?.kind === 'paused' && known.isSafe,
        };
        return;
      }
      case 'exited':
        this.container = {
          ...{ id, kind: 'exited' },
          exitCode: observed.exitCode,
          outOfMemory: observed.outOfMemory,
        };
    }
  }

  /** It was frozen here, and its locks were probed. */
  trustPause(): void {
    if (this.container?.kind === 'paused') this.container = { ...this.container, isSafe: true };
  }

  /** Takes over what the container said of itself. */
  hear(liveness: Liveness, now: EpochMs): void {
    this.liveness = liveness;
    const isReadable = liveness.kind === 'live';
    this.unreadableSinceMs = isReadable ? null : (this.unreadableSinceMs ?? now);
    this.seemsIdle = isReadable && liveness.idleSinceMs !== null && liveness.openClaims === 0;
    this.busySinceMs = this.seemsIdle ? null : (this.busySinceMs ?? now);
  }

  /** Stuck is what looks stuck twice: remembers the first time, and forgets it when a look clears it. */
  noteSuspicion(plan: RuntimePlan, now: EpochMs): void {
    if (plan.kind === 'wait' && plan.why === 'suspect') this.suspectedSinceMs ??= now;
    else if (this.liveness !== null) this.suspectedSinceMs = null;
  }

  observe(record: RuntimeRecord, isListed: boolean): Observed {
    const container: PlannedContainer = this.container ?? { kind: isListed ? 'absent' : 'unknown' };
    const { liveness, activityMs, busySinceMs, suspectedSinceMs, unreadableSinceMs, pauseAgainMs } = this;
    const { startFault, exit, recovered, requeued } = this;
    return {
      ...{ container, record, liveness, activityMs, busySinceMs, suspectedSinceMs, unreadableSinceMs, pauseAgainMs },
      ...{ startFault, exit, recovered, requeued },
    };
  }
}
