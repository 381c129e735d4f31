/**
 * What to do next about one session's container. Pure: facts and the time in, one step out.
 *
 *   absent ──start──▶ running ⇄ paused          start: record `starting`, then `running`
 *     ▲                  │  pause/resume
 *     │                stop                     stop: record `stopping`
 *     │                  ▼
 *     └─settle─ gone ◀─remove── exited          gone: no container, but the run is not settled yet:
 *                 │                             recover (half a commit), requeue (open claims), settle
 *                 └─ recover, requeue
 *
 * I1. One step at a time, along these edges, and never back.
 * I2. Nothing starts while the session is quarantined, has ended, backs off, or has no image or no place.
 * I3. Nothing is frozen, or stopped for being idle, while work or claims are open.
 * I4. A claim older than the run never counts against it: a fresh container is not killed for an old claim.
 * I5. Every answer but `rest` and `look` is a step, or says when to ask again.
 * I6. Work for a fresh container alone ends the one that ran before it was written: at once when that is idle or
 *     frozen, else after its turn, else after `freshPatienceMs`.
 * I7. After a person stopped it, only work that was written later starts it; what waited goes along then.
 */
import { type EpochMs, epochMs } from '../../shared/ids.ts';
import { assertNever } from '../config/errors.ts';
import type { Desired, Observed, RuntimePlan } from './facts.ts';
import { planPaused, planRunning } from './plan-alive.ts';
import { planGone } from './plan-gone.ts';
import type { RuntimePolicy } from './policy.ts';
import type { RuntimeRecord } from './ports.ts';
import { parseStopReason } from './reasons.ts';

/** The next step. Ask again after each one. */
export function planRuntime(desired: Desired, observed: Observed, now: EpochMs): RuntimePlan {
  const plan = planStep(desired, observed, now);
  if (desired.engine.kind === 'away' && NEEDS_ENGINE.has(plan.kind)) {
    return { kind: 'wait', untilMs: desired.engine.retryAtMs, why: 'engine' };
  }
  return plan;
}

const NEEDS_ENGINE: ReadonlySet<RuntimePlan['kind']> = new Set([
  'start',
  'pause',
  'resume',
  'stop',
  'remove',
  'recover',
] as const);

function planStep(desired: Desired, observed: Observed, now: EpochMs): RuntimePlan {
  const { container, record } = observed;
  const isThere = container.kind === 'running' || container.kind === 'paused';
  // A host died while stopping it, or it outlived the first try.
  if (isThere && record.state === 'stopping') {
    return { kind: 'stop', reason: parseStopReason(record.reason), graceMs: desired.policy.graceMs };
  }
  switch (container.kind) {
    case 'unknown':
      // The engine has not answered yet: a settled session goes on, a run that may be alive is not touched.
      return isSettled(record)
        ? planAbsent(desired, observed, now)
        : { kind: 'wait', untilMs: epochMs(now + desired.policy.lookAgainMs), why: 'engine' };
    case 'absent':
      return isSettled(record) ? planAbsent(desired, observed, now) : planGone(desired, observed, now);
    case 'running':
      return planRunning(desired, observed, container, now);
    case 'paused':
      return planPaused(desired, observed, container, now);
    case 'exited':
      return { kind: 'remove' };
    default:
      return assertNever(container);
  }
}

/** Whether the newest run is over and dealt with. */
export function isSettled(record: RuntimeRecord): boolean {
  return record.state === 'absent' || record.state === 'failed';
}

function planAbsent(desired: Desired, { record }: Observed, now: EpochMs): RuntimePlan {
  const { facts, policy, engine } = desired;
  if (facts.quarantineReason !== null || facts.ended) return { kind: 'rest' };
  // Replies may wait behind it, and no start is due that would roll it back.
  if (desired.halfCommit) return { kind: 'recover' };
  if (!facts.hasDueWork) {
    return facts.nextDueMs === null ? { kind: 'rest' } : { kind: 'wait', untilMs: facts.nextDueMs, why: 'due' };
  }
  if (isHeld(record, facts.newestWorkMs)) {
    return facts.nextDueMs === null ? { kind: 'rest' } : { kind: 'wait', untilMs: facts.nextDueMs, why: 'due' };
  }
  const retryMs = planRetry(record, facts.newestWorkMs, policy);
  if (now < retryMs) return { kind: 'wait', untilMs: retryMs, why: 'retry' };
  if (engine.kind === 'away') return { kind: 'wait', untilMs: engine.retryAtMs, why: 'engine' };
  // Before it takes a place: a build takes minutes.
  if (facts.image.kind !== 'ready') return { kind: 'wait', untilMs: epochMs(now + policy.imageAgainMs), why: 'image' };
  if (!desired.hasPlace) return { kind: 'wait', untilMs: epochMs(now + policy.roomAgainMs), why: 'room' };
  return { kind: 'start' };
}

/** Whether a person stopped it after all of its work was written (I7). */
function isHeld({ state, reason, sinceMs }: RuntimeRecord, newestWorkMs: EpochMs | null): boolean {
  return state === 'absent' && reason === 'stopped' && (newestWorkMs === null || newestWorkMs <= sinceMs);
}

/**
 * When a session may start again after failed runs. One that failed too often waits long, unless work
 * arrived since: a person who writes again gets a new try after the first back-off.
 */
export function planRetry(record: RuntimeRecord, newestWorkMs: EpochMs | null, policy: RuntimePolicy): EpochMs {
  const { failures, sinceMs } = record;
  // A start that was merely interrupted is no failure, and starts no back-off.
  if (record.state !== 'failed' || failures === 0) return epochMs(0);
  if (failures >= policy.maxFailures) {
    const hasNews = newestWorkMs !== null && newestWorkMs > sinceMs;
    return epochMs(sinceMs + (hasNews ? policy.backoffMs : policy.giveUpMs));
  }
  return epochMs(sinceMs + Math.min(policy.backoffMs * 2 ** (failures - 1), policy.backoffMaxMs));
}
