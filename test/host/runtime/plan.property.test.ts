import fc from 'fast-check';
import { describe, test } from 'vitest';
import type { Desired, Observed, PlannedContainer } from '../../../host/runtime/facts.ts';
import { isSettled, planRuntime } from '../../../host/runtime/plan.ts';
import type { Liveness, RuntimeRecord } from '../../../host/runtime/ports.ts';
import { epochMs } from '../../../shared/ids.ts';
import { NOW, policy } from './facts.ts';

// Times near now, at the limits of the policy, and absurd ones: the container writes some of them.
const time = fc
  .oneof(
    fc.integer({ min: -200_000, max: 200_000 }),
    fc.constantFrom(
      0,
      -policy.stuckAfterMs,
      -policy.pauseAfterMs,
      -policy.stopAfterMs,
      -policy.maxTurnMs,
      policy.suspectMs,
    ),
    fc.constantFrom(-NOW, 1e14, -1e14),
  )
  .map((offset) => epochMs(NOW + offset));
const past = time.map((value) => epochMs(Math.min(value, NOW)));
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null });

const liveness: fc.Arbitrary<Liveness> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('live' as const),
      helloMs: maybe(time),
      openClaims: fc.nat(3),
      oldestClaimMs: maybe(time),
      heartbeatMs: maybe(time),
      idleSinceMs: maybe(time),
      tool: maybe(fc.record({ startedAtMs: time, timeoutMs: fc.oneof(fc.integer(), fc.constantFrom(1e15, -1e15)) })),
    }),
  },
  fc.constant({ kind: 'busy' as const }),
  fc.constant({ kind: 'hot-journal' as const }),
  fc.constant({ kind: 'quarantined' as const, reason: 'x' }),
);
const container: fc.Arbitrary<PlannedContainer> = fc.oneof(
  fc.constant({ kind: 'absent' as const }),
  fc.constant({ kind: 'unknown' as const }),
  fc
    .record({
      kind: fc.constant('running' as const),
      configVersion: fc.integer({ min: 1, max: 2 }),
      startedAtMs: past,
      thawed: past,
    })
    .map(({ thawed, ...rest }) => ({ ...rest, resumedAtMs: epochMs(Math.max(rest.startedAtMs, thawed)) })),
  fc.record({
    kind: fc.constant('paused' as const),
    configVersion: fc.integer({ min: 1, max: 2 }),
    startedAtMs: past,
    pausedAtMs: past,
    isSafe: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant('exited' as const),
    exitCode: maybe(fc.constantFrom(0, 1, 70, 71, 137)),
    outOfMemory: fc.boolean(),
  }),
);
const record: fc.Arbitrary<RuntimeRecord> = fc.record({
  state: fc.constantFrom('absent', 'starting', 'running', 'paused', 'stopping', 'failed'),
  containerId: fc.constant(null),
  epoch: fc.nat(5),
  failures: fc.nat(12),
  reason: fc.constantFrom(null, 'idle', 'stuck', 'nonsense'),
  sinceMs: past,
});
const observed: fc.Arbitrary<Observed> = fc.record({
  container,
  record,
  liveness: maybe(liveness),
  activityMs: past,
  busySinceMs: maybe(past),
  suspectedSinceMs: maybe(past),
  unreadableSinceMs: maybe(past),
  pauseAgainMs: maybe(time),
  startFault: maybe(
    fc.record({ reason: fc.constantFrom('engine-away', 'no-resources', 'image-missing'), retryable: fc.boolean() }),
  ),
  exit: maybe(fc.record({ exitCode: maybe(fc.constantFrom(0, 1, 70, 137)), outOfMemory: fc.boolean() })),
  recovered: fc.boolean(),
  requeued: fc.boolean(),
});
const desired: fc.Arbitrary<Desired> = fc.record({
  facts: fc.record({
    hasDueWork: fc.boolean(),
    dueSinceMs: maybe(past),
    freshSinceMs: maybe(past),
    isAllFresh: fc.boolean(),
    newestWorkMs: maybe(past),
    nextDueMs: maybe(time.map((value) => epochMs(Math.max(value, NOW + 1)))),
    quarantineReason: fc.constantFrom(null, null, 'x'),
    ended: fc.constantFrom(false, false, true),
    configVersion: fc.integer({ min: 1, max: 2 }),
    image: fc.constantFrom(
      { kind: 'ready' as const, image: 'any' },
      { kind: 'waiting' as const, reason: 'x' },
      { kind: 'failed' as const, reason: 'x' },
    ),
  }),
  hasPlace: fc.boolean(),
  makeRoom: fc.boolean(),
  halfCommit: fc.boolean(),
  memoryPressure: fc.boolean(),
  stopRequest: fc.constantFrom(null, null, 'holds-lock', 'requested'),
  engine: fc.oneof(
    fc.constant({ kind: 'up' as const }),
    time.map((at) => ({ kind: 'away' as const, retryAtMs: epochMs(Math.max(at, NOW + 1)) })),
  ),
  policy: fc.constant(policy),
});

function check(holds: (desired: Desired, observed: Observed, plan: ReturnType<typeof planRuntime>) => boolean): void {
  fc.assert(
    fc.property(desired, observed, (d, o) => holds(d, o, planRuntime(d, o, NOW))),
    { numRuns: 5_000 },
  );
}

/** Due, and not for a later container alone. */
const hasOwnWork = ({ hasDueWork, isAllFresh, freshSinceMs }: Desired['facts'], { container }: Observed) => {
  const startedAtMs = 'startedAtMs' in container ? container.startedAtMs : 0;
  return hasDueWork && !(isAllFresh && freshSinceMs !== null && freshSinceMs > startedAtMs);
};
const openClaims = ({ liveness: said }: Observed) => (said?.kind === 'live' ? said.openClaims : 0);

describe('whatever the facts', () => {
  test('a step goes along an edge of the picture, never backward', () => {
    const from: Partial<Record<string, PlannedContainer['kind'][]>> = {
      start: ['absent', 'unknown'],
      pause: ['running'],
      resume: ['paused'],
      stop: ['running', 'paused'],
      remove: ['exited'],
      recover: ['absent', 'unknown'],
      requeue: ['absent'],
      settle: ['absent'],
    };
    check((_d, o, plan) => from[plan.kind]?.includes(o.container.kind) ?? true);
  });

  test('nothing starts before the last run is settled, and nothing is settled twice', () => {
    check((_d, o, plan) => plan.kind !== 'start' || isSettled(o.record));
    check((_d, o, plan) => !['settle', 'requeue'].includes(plan.kind) || !isSettled(o.record));
  });

  test('nothing starts in quarantine, after the end, without work, without an image, without a place or without an engine', () => {
    check(
      ({ facts, hasPlace, engine }, _o, plan) =>
        plan.kind !== 'start' ||
        (facts.quarantineReason === null &&
          !facts.ended &&
          facts.hasDueWork &&
          facts.image.kind === 'ready' &&
          hasPlace &&
          engine.kind === 'up'),
    );
  });

  test('nothing starts within the first back-off after a failure', () => {
    check(
      (_d, o, plan) =>
        plan.kind !== 'start' ||
        o.record.state !== 'failed' ||
        o.record.failures === 0 ||
        NOW - o.record.sinceMs >= policy.backoffMs,
    );
  });

  test('nothing is frozen while work is due or a claim is open, or before it was read', () => {
    check(
      ({ facts }, o, plan) =>
        plan.kind !== 'pause' || (!hasOwnWork(facts, o) && o.liveness?.kind === 'live' && openClaims(o) === 0),
    );
  });

  test('nothing is stopped for being idle, for its config, for memory while work is due or a claim is open', () => {
    check(({ facts }, o, plan) => {
      if (plan.kind !== 'stop' || !['idle', 'memory'].includes(plan.reason) || o.record.state === 'stopping')
        return true;
      // A safely frozen one has no claims; what it says is not read.
      return !hasOwnWork(facts, o) && (o.container.kind === 'paused' ? o.container.isSafe : openClaims(o) === 0);
    });
  });

  test('a container is replaced for a restart only when work was written after it started, and its turn is over or long', () => {
    check(({ facts }, o, plan) => {
      if (plan.kind !== 'stop' || plan.reason !== 'restart' || o.record.state === 'stopping') return true;
      if (o.container.kind !== 'running' && o.container.kind !== 'paused') return false;
      if (facts.freshSinceMs === null || facts.freshSinceMs <= o.container.startedAtMs) return false;
      return !hasOwnWork(facts, o) || openClaims(o) === 0 || NOW - facts.freshSinceMs >= policy.freshPatienceMs;
    });
  });

  test('what waits for a fresh container is never waited for by a frozen or idle one', () => {
    check(({ facts, engine }, o, plan) => {
      const { container } = o;
      if (engine.kind === 'away' || (container.kind !== 'paused' && container.kind !== 'running')) return true;
      if (!facts.hasDueWork || !facts.isAllFresh || (facts.freshSinceMs ?? 0) <= container.startedAtMs) return true;
      if (container.kind === 'paused') return plan.kind === 'stop' || plan.kind === 'resume';
      const isIdle = o.liveness?.kind === 'live' && o.liveness.idleSinceMs !== null && openClaims(o) === 0;
      return !isIdle || plan.kind !== 'pause';
    });
  });

  test('a fresh or just thawed container is never stuck, however old the claims it finds', () => {
    check((_d, o, plan) => {
      if (plan.kind !== 'stop' || plan.reason !== 'stuck' || o.container.kind !== 'running') return true;
      if (o.record.state === 'stopping') return true;
      return NOW - o.container.resumedAtMs >= policy.stuckAfterMs;
    });
  });

  test('a claim older than the run is no reason to end it', () => {
    check((d, o, plan) => {
      if (plan.kind !== 'stop' || (plan.reason !== 'stuck' && plan.reason !== 'turn-too-long')) return true;
      if (o.record.state === 'stopping') return true;
      if (o.container.kind !== 'running' || o.liveness?.kind !== 'live') return false;
      const { oldestClaimMs } = o.liveness;
      return d.facts.hasDueWork || (oldestClaimMs !== null && oldestClaimMs >= o.container.startedAtMs);
    });
  });

  test('nothing is ended as stuck at first sight', () => {
    check(
      (_d, o, plan) =>
        plan.kind !== 'stop' || plan.reason !== 'stuck' || o.suspectedSinceMs !== null || o.record.state === 'stopping',
    );
  });

  test('what must end is ended, or waits for the engine alone', () => {
    check(({ facts, engine }, o, plan) => {
      const alive = o.container.kind === 'running' || o.container.kind === 'paused';
      if (!alive || (facts.quarantineReason === null && !facts.ended)) return true;
      return plan.kind === (engine.kind === 'up' ? 'stop' : 'wait');
    });
  });

  test('a wait ends in the future, at a time that a timer can have', () => {
    check((_d, _o, plan) => plan.kind !== 'wait' || (Number.isFinite(plan.untilMs) && plan.untilMs > NOW));
  });

  test('only a session with nothing left to do rests', () => {
    check(({ facts }, o, plan) => {
      if (plan.kind !== 'rest') return true;
      const idle = !facts.hasDueWork && facts.nextDueMs === null;
      return (
        ['absent', 'unknown'].includes(o.container.kind) &&
        isSettled(o.record) &&
        (idle || facts.ended || facts.quarantineReason !== null)
      );
    });
  });

  test('a look is asked for once: with an answer there is a step', () => {
    check((_d, o, plan) => plan.kind !== 'look' || o.liveness === null);
  });
});
