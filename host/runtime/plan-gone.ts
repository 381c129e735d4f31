/** The part of the plan for a run that is over, and not yet settled: save what it left, then name how it ended. Pure. */
import { type EpochMs, epochMs } from '../../shared/ids.ts';
import { RUNNER_EXIT } from '../../shared/protocol.ts';
import { assertNever } from '../config/errors.ts';
import type { Desired, Observed, RunOutcome, RuntimePlan } from './facts.ts';
import { isFailingStop } from './reasons.ts';

export function planGone(desired: Desired, observed: Observed, now: EpochMs): RuntimePlan {
  const { liveness, startFault } = observed;
  // It never ran: it can have left nothing.
  if (startFault !== null) return { kind: 'settle', outcome: judgeStart(startFault) };
  if (liveness === null) return { kind: 'look' };
  switch (liveness.kind) {
    case 'busy':
      return planUnreadable(desired, observed, now);
    case 'hot-journal':
      // Once: when that did not help, the next start tries by itself.
      if (observed.recovered) return { kind: 'settle', outcome: { kind: 'failed', reason: 'recovery', final: false } };
      return { kind: 'recover' };
    case 'quarantined':
      return { kind: 'settle', outcome: { kind: 'ended' } };
    case 'live':
      break;
    default:
      return assertNever(liveness);
  }
  const outcome = judgeEnd(desired, observed, liveness.openClaims);
  if (liveness.openClaims > 0 && !observed.requeued) {
    return {
      kind: 'requeue',
      reason: outcome.kind === 'failed' ? outcome.reason : (observed.record.reason ?? 'ended'),
    };
  }
  return { kind: 'settle', outcome };
}

/** Nobody is left to hold a lock but a reader of ours, so it passes. If it does not, the next start will tell. */
function planUnreadable(desired: Desired, observed: Observed, now: EpochMs): RuntimePlan {
  const { policy } = desired;
  if (now - (observed.unreadableSinceMs ?? now) >= policy.stuckAfterMs) {
    return { kind: 'settle', outcome: judgeEnd(desired, observed, 0) };
  }
  return { kind: 'wait', untilMs: epochMs(now + policy.lookAgainMs), why: 'unreadable' };
}

function judgeStart({ reason, retryable }: NonNullable<Observed['startFault']>): RunOutcome {
  // The engine's absence, or an image's, is nobody's failure: the session waits for it.
  return reason === 'engine-away' || reason === 'no-image-yet'
    ? { kind: 'ended' }
    : { kind: 'failed', reason, final: !retryable };
}

function judgeEnd({ facts }: Desired, { record, exit }: Observed, openClaims: number): RunOutcome {
  if (record.state === 'stopping') {
    return isFailingStop(record.reason) ? { kind: 'failed', reason: record.reason, final: false } : { kind: 'ended' };
  }
  // The host died in the middle of starting it.
  if (record.state === 'starting' && exit === null) return { kind: 'ended' };
  if (exit?.outOfMemory) return { kind: 'failed', reason: 'out-of-memory', final: false };
  if (exit?.exitCode === RUNNER_EXIT.badContract) return { kind: 'failed', reason: 'bad-contract', final: true };
  if (exit?.exitCode === RUNNER_EXIT.unknownProvider)
    return { kind: 'failed', reason: 'unknown-provider', final: true };
  // It ended while nothing was asked of it: the next wake starts another, and nobody needs to know.
  if (openClaims === 0 && !facts.hasDueWork) return { kind: 'ended' };
  return { kind: 'failed', reason: exit === null ? 'vanished' : 'crashed', final: false };
}
