/** The part of the plan for a container that is there, running or frozen: is it up, stuck, busy or idle? Pure. */
import { type EpochMs, epochMs } from '../../shared/ids.ts';
import { MAX_TOOL_TIMEOUT_MS } from '../../shared/limits.ts';
import { assertNever } from '../config/errors.ts';
import type { Desired, Observed, PlannedContainer, RuntimePlan } from './facts.ts';
import type { RuntimePolicy } from './policy.ts';
import type { Liveness } from './ports.ts';
import type { StopReason } from './reasons.ts';

type Running = Extract<PlannedContainer, { kind: 'running' }>;
type Paused = Extract<PlannedContainer, { kind: 'paused' }>;
type Live = Extract<Liveness, { kind: 'live' }>;

/** A heartbeat further ahead than this was set by hand: the kernel's clock is the same on both sides. */
const CLOCK_SLACK_MS = 5_000;
/** However short the pause is set: each look costs a read. */
const SHORTEST_LOOK_MS = 50;

export function planRunning(desired: Desired, observed: Observed, container: Running, now: EpochMs): RuntimePlan {
  const mustEnd = planEnforced(desired);
  if (mustEnd !== null) return mustEnd;
  const { liveness } = observed;
  if (liveness === null) return planFirstLook(desired, container, now);
  switch (liveness.kind) {
    case 'live':
      return planLive(desired, observed, container, liveness, now);
    case 'quarantined':
      return { kind: 'stop', reason: 'quarantined', graceMs: 0 };
    // While it runs, half a commit is either one under way or one that its runner rolls back first.
    case 'hot-journal':
    case 'busy':
      return planUnreadable(desired, observed, container, now);
    default:
      return assertNever(liveness);
  }
}

/** A container that has just come up or thawed is at work: reading its files now would only be in its way. */
function planFirstLook({ facts, makeRoom, policy }: Desired, container: Running, now: EpochMs): RuntimePlan {
  const lookAtMs = epochMs(container.resumedAtMs + findLookInterval(policy));
  // Somebody waits for its end.
  const isWaitedFor = makeRoom || isForSuccessor(facts, container.startedAtMs);
  if (isWaitedFor || now >= lookAtMs) return { kind: 'look' };
  return { kind: 'wait', untilMs: lookAtMs, why: 'busy' };
}

/** Looks are not much rarer than what they look for. */
function findLookInterval({ lookAgainMs, pauseAfterMs }: RuntimePolicy): number {
  return Math.min(lookAgainMs, Math.max(pauseAfterMs, SHORTEST_LOOK_MS));
}

/** Somebody holds its databases locked: for a moment that is a commit, for long it is trouble. */
function planUnreadable({ policy }: Desired, observed: Observed, container: Running, now: EpochMs): RuntimePlan {
  const sinceMs = Math.max(observed.unreadableSinceMs ?? now, container.resumedAtMs);
  if (now - sinceMs >= policy.stuckAfterMs) return { kind: 'stop', reason: 'holds-lock', graceMs: policy.graceMs };
  return { kind: 'wait', untilMs: epochMs(now + policy.lookAgainMs), why: 'unreadable' };
}

function planLive(desired: Desired, observed: Observed, container: Running, live: Live, now: EpochMs): RuntimePlan {
  const { facts, policy } = desired;
  const stop = (reason: StopReason): RuntimePlan => ({ kind: 'stop', reason, graceMs: policy.graceMs });

  if (live.helloMs === null || live.helloMs < container.startedAtMs) {
    const giveUpMs = container.startedAtMs + policy.startTimeoutMs;
    if (now >= giveUpMs) return stop('start-timeout');
    return { kind: 'wait', untilMs: epochMs(Math.min(giveUpMs, now + policy.lookAgainMs)), why: 'hello' };
  }

  const stuckAtMs = findStuckTime(desired, container, live, now);
  if (stuckAtMs !== null && now >= stuckAtMs) {
    const suspectedMs = observed.suspectedSinceMs ?? now;
    const confirmMs = epochMs(suspectedMs + policy.suspectMs);
    return now >= confirmMs ? stop('stuck') : { kind: 'wait', untilMs: confirmMs, why: 'suspect' };
  }

  const claimMs = findOwnClaim(container, live);
  if (claimMs !== null && now - claimMs >= policy.maxTurnMs) return stop('turn-too-long');

  const isIdle = live.idleSinceMs !== null && live.openClaims === 0 && !hasWorkFor(facts, container.startedAtMs);
  if (isIdle) return planIdle(desired, observed, container, live, now);

  const isReplaced = isForSuccessor(facts, container.startedAtMs);
  if (isReplaced && now - (facts.freshSinceMs ?? now) >= policy.freshPatienceMs) return stop('restart');
  const busyForMs = now - (observed.busySinceMs ?? now);
  if (desired.makeRoom && busyForMs >= policy.fairShareMs) return stop('make-room');
  // Looked at often enough to find it idle soon after; never later than it could be stuck.
  const isWaitedFor = desired.makeRoom || isReplaced;
  const lookAgainMs = Math.min(findLookInterval(policy), isWaitedFor ? policy.roomLookMs : policy.lookAgainMs);
  const untilMs = epochMs(Math.min(now + lookAgainMs, stuckAtMs ?? Number.POSITIVE_INFINITY));
  return { kind: 'wait', untilMs, why: 'busy' };
}

function planIdle(desired: Desired, observed: Observed, container: Running, live: Live, now: EpochMs): RuntimePlan {
  const { facts, policy } = desired;
  const stop = (reason: StopReason): RuntimePlan => ({ kind: 'stop', reason, graceMs: policy.graceMs });
  if (isForSuccessor(facts, container.startedAtMs)) return stop('restart');
  if (facts.configVersion !== container.configVersion) return stop('config-changed');
  if (desired.makeRoom) return stop('make-room');
  if (desired.memoryPressure) return stop('memory');
  // The container's word may make it idle later, never earlier than the host saw it used.
  const idleSinceMs = Math.min(
    now,
    Math.max(live.idleSinceMs ?? now, observed.activityMs, container.startedAtMs, container.resumedAtMs),
  );
  const stopAtMs = idleSinceMs + policy.stopAfterMs;
  if (now >= stopAtMs) return stop('idle');
  const pauseAtMs = Math.max(idleSinceMs + policy.pauseAfterMs, observed.pauseAgainMs ?? 0);
  if (now >= pauseAtMs) return { kind: 'pause' };
  return { kind: 'wait', untilMs: epochMs(Math.min(pauseAtMs, stopAtMs)), why: 'idle' };
}

/** Whether something due was written for a container that starts later than this one (I6 of the plan). */
function isForSuccessor({ freshSinceMs }: Desired['facts'], startedAtMs: EpochMs): boolean {
  return freshSinceMs !== null && freshSinceMs > startedAtMs;
}

/** Whether something is due that this container takes. */
function hasWorkFor(facts: Desired['facts'], startedAtMs: EpochMs): boolean {
  return facts.hasDueWork && !(facts.isAllFresh && isForSuccessor(facts, startedAtMs));
}

/** The oldest claim that this run made itself (I4 of the plan). */
function findOwnClaim(container: Running, live: Live): EpochMs | null {
  if (live.openClaims === 0 || live.oldestClaimMs === null) return null;
  return live.oldestClaimMs >= container.startedAtMs ? live.oldestClaimMs : null;
}

/**
 * From when on it is stuck, if nothing changes; null when nothing waits for it. It must have been asked
 * for long (an own claim, or due work it never claimed) *and* have shown no sign of life for long.
 */
function findStuckTime({ facts, policy }: Desired, container: Running, live: Live, now: EpochMs): EpochMs | null {
  const claimMs = findOwnClaim(container, live);
  const askedMs = claimMs ?? (hasWorkFor(facts, container.startedAtMs) ? (facts.dueSinceMs ?? now) : null);
  if (askedMs === null) return null;
  const heartbeatMs = live.heartbeatMs !== null && live.heartbeatMs <= now + CLOCK_SLACK_MS ? live.heartbeatMs : 0;
  // A run that has just come up or thawed has had no time for a heartbeat.
  const aliveMs = Math.max(heartbeatMs, container.startedAtMs, container.resumedAtMs);
  const silentMs = Math.max(askedMs, aliveMs) + policy.stuckAfterMs;
  return epochMs(Math.max(silentMs, findToolDeadline(container, live, now) ?? 0));
}

function findToolDeadline(container: Running, { tool }: Live, now: EpochMs): number | null {
  if (tool === null || tool.startedAtMs < container.startedAtMs) return null;
  const timeoutMs = Math.min(Math.max(tool.timeoutMs, 0), MAX_TOOL_TIMEOUT_MS);
  return Math.min(tool.startedAtMs, now) + timeoutMs;
}

export function planPaused(desired: Desired, observed: Observed, container: Paused, now: EpochMs): RuntimePlan {
  const { facts, policy } = desired;
  const stop = (reason: StopReason): RuntimePlan => ({ kind: 'stop', reason, graceMs: policy.graceMs });
  const mustEnd = planEnforced(desired);
  if (mustEnd !== null) return mustEnd;
  // One that an earlier host froze may have been in the middle of a turn or a commit.
  if (!container.isSafe) return { kind: 'resume' };
  if (isForSuccessor(facts, container.startedAtMs) && facts.isAllFresh) return stop('restart');
  if (facts.configVersion !== container.configVersion) return stop('config-changed');
  if (facts.hasDueWork) return { kind: 'resume' };
  if (desired.makeRoom) return stop('make-room');
  if (desired.memoryPressure) return stop('memory');
  const idleSinceMs = Math.max(Math.min(container.pausedAtMs, now), Math.min(observed.activityMs, now));
  const stopAtMs = epochMs(idleSinceMs + Math.max(policy.stopAfterMs - policy.pauseAfterMs, 0));
  if (now >= stopAtMs) return stop('idle');
  const untilMs = facts.nextDueMs === null ? stopAtMs : epochMs(Math.max(now, Math.min(stopAtMs, facts.nextDueMs)));
  return { kind: 'wait', untilMs, why: 'paused' };
}

/** Stops that no work holds off. */
function planEnforced({ facts, stopRequest, policy }: Desired): RuntimePlan | null {
  // A container that broke the contract gets no time to break more.
  if (facts.quarantineReason !== null) return { kind: 'stop', reason: 'quarantined', graceMs: 0 };
  if (facts.ended) return { kind: 'stop', reason: 'ended', graceMs: policy.graceMs };
  if (stopRequest !== null) return { kind: 'stop', reason: stopRequest, graceMs: policy.graceMs };
  return null;
}
