import { describe, expect, test } from 'vitest';
import { planAdoption } from '../../../host/runtime/adoption.ts';
import type { Desired, Observed, PlannedContainer, RuntimePlan } from '../../../host/runtime/facts.ts';
import { planRuntime } from '../../../host/runtime/plan.ts';
import type { RuntimeState } from '../../../host/runtime/ports.ts';
import {
  ABSENT,
  ago,
  ahead,
  desire,
  EXITED,
  gone,
  live,
  makeRecord,
  NOW,
  observe,
  PAUSED,
  policy,
  RUNNING,
} from './facts.ts';

type Row = [behaviour: string, desired: Desired, observed: Observed, plan: Partial<RuntimePlan>];

const work = { hasDueWork: true };
const fresh = { ...work, isAllFresh: true, freshSinceMs: ago(1_000) };
const running = (changes: Partial<Extract<PlannedContainer, { kind: 'running' }>>): PlannedContainer => ({
  ...RUNNING,
  kind: 'running',
  configVersion: 1,
  startedAtMs: ago(120_000),
  resumedAtMs: ago(120_000),
  ...changes,
});
const busy = (changes: Parameters<typeof live>[0] = {}) =>
  live({ openClaims: 1, oldestClaimMs: ago(3_000), idleSinceMs: null, ...changes });
const silent = busy({ oldestClaimMs: ago(90_000), heartbeatMs: ago(80_000) });
const failed = (failures: number, sinceMs = ago(1_000)) => makeRecord({ state: 'failed', failures, sinceMs });
const stop = (reason: string): Partial<RuntimePlan> => ({ kind: 'stop', reason }) as Partial<RuntimePlan>;
const settled = (reason: string, final = false): Partial<RuntimePlan> =>
  ({ kind: 'settle', outcome: { kind: 'failed', reason, final } }) as Partial<RuntimePlan>;
const ended: Partial<RuntimePlan> = { kind: 'settle', outcome: { kind: 'ended' } };

const TABLES: Record<string, Row[]> = {
  'a session without a container': [
    ['rests without work', desire(), observe({ container: ABSENT }), { kind: 'rest' }],
    ['starts for work', desire(work), observe({ container: ABSENT }), { kind: 'start' }],
    [
      'waits for the time of a row that is not due',
      desire({ nextDueMs: ahead(7_000) }),
      observe({ container: ABSENT }),
      { kind: 'wait', untilMs: ahead(7_000), why: 'due' },
    ],
    [
      'never starts in quarantine',
      desire({ ...work, quarantineReason: 'a view' }),
      observe({ container: ABSENT }),
      { kind: 'rest' },
    ],
    [
      'never starts once it has ended',
      desire({ ...work, ended: true }),
      observe({ container: ABSENT }),
      { kind: 'rest' },
    ],
    [
      'is rolled back when somebody met half a commit, though there is no work',
      desire({}, { halfCommit: true }),
      observe({ container: ABSENT }),
      { kind: 'recover' },
    ],
    [
      'is not rolled back in quarantine',
      desire({ quarantineReason: 'x' }, { halfCommit: true }),
      observe({ container: ABSENT }),
      { kind: 'rest' },
    ],
    [
      'waits for its image, before it takes a place',
      desire({ ...work, image: { kind: 'waiting', reason: 'Its image is being built.' } }, { hasPlace: false }),
      observe({ container: ABSENT }),
      { kind: 'wait', untilMs: ahead(30_000), why: 'image' },
    ],
    [
      'waits when its image could not be built: a later build may succeed',
      desire({ ...work, image: { kind: 'failed', reason: 'x' } }),
      observe({ container: ABSENT }),
      { kind: 'wait', untilMs: ahead(30_000), why: 'image' },
    ],
    [
      'waits for a place',
      desire(work, { hasPlace: false }),
      observe({ container: ABSENT }),
      { kind: 'wait', why: 'room' },
    ],
    [
      'waits for the engine',
      desire(work, { engine: { kind: 'away', retryAtMs: ahead(900) } }),
      observe({ container: ABSENT }),
      { kind: 'wait', untilMs: ahead(900), why: 'engine' },
    ],
    [
      'backs off 5 s after the first failure',
      desire(work),
      observe({ container: ABSENT, record: failed(1) }),
      { kind: 'wait', untilMs: ahead(4_000), why: 'retry' },
    ],
    [
      'backs off 20 s after the third',
      desire(work),
      observe({ container: ABSENT, record: failed(3) }),
      { kind: 'wait', untilMs: ahead(19_000), why: 'retry' },
    ],
    [
      'tries again after the back-off',
      desire(work),
      observe({ container: ABSENT, record: failed(3, ago(20_000)) }),
      { kind: 'start' },
    ],
    [
      'gives up for long after five failures',
      desire({ ...work, newestWorkMs: ago(90_000) }),
      observe({ container: ABSENT, record: failed(5, ago(60_000)) }),
      { kind: 'wait', untilMs: ahead(policy.giveUpMs - 60_000), why: 'retry' },
    ],
    [
      'tries again for a message written after it gave up',
      desire({ ...work, newestWorkMs: ago(10_000) }),
      observe({ container: ABSENT, record: failed(5, ago(60_000)) }),
      { kind: 'start' },
    ],
    [
      'but not before the first back-off, however many messages come',
      desire({ ...work, newestWorkMs: ago(100) }),
      observe({ container: ABSENT, record: failed(9, ago(1_000)) }),
      { kind: 'wait', untilMs: ahead(4_000), why: 'retry' },
    ],
  ],
  'a running container': [
    ['is looked at first', desire(), observe({ liveness: null }), { kind: 'look' }],
    [
      'is not looked at while it comes up or has just thawed',
      desire(work),
      observe({ liveness: null, container: running({ resumedAtMs: ago(1_000) }) }),
      { kind: 'wait', untilMs: ahead(policy.lookAgainMs - 1_000) },
    ],
    [
      'goes on being stopped when the first try did not end it',
      desire(work),
      observe({ record: makeRecord({ state: 'stopping', reason: 'stuck' }) }),
      stop('stuck'),
    ],
    [
      'waits until it is idle long enough to freeze',
      desire(),
      observe(),
      { kind: 'wait', untilMs: ahead(9_000), why: 'idle' },
    ],
    ['is frozen when idle', desire(), observe({ liveness: live({ idleSinceMs: ago(10_000) }) }), { kind: 'pause' }],
    [
      'is not frozen again at once when that failed',
      desire(),
      observe({ liveness: live({ idleSinceMs: ago(10_000) }), pauseAgainMs: ahead(3_000) }),
      { kind: 'wait', untilMs: ahead(3_000), why: 'idle' },
    ],
    [
      'is not frozen while the host saw it used',
      desire(),
      observe({ liveness: live({ idleSinceMs: ago(50_000) }), activityMs: ago(2_000) }),
      { kind: 'wait', untilMs: ahead(8_000), why: 'idle' },
    ],
    [
      'is not frozen while work is due',
      desire(work),
      observe({ liveness: live({ idleSinceMs: ago(50_000) }) }),
      { kind: 'wait', why: 'busy' },
    ],
    [
      'is not frozen while a claim is open, whatever it says',
      desire(),
      observe({ liveness: busy({ idleSinceMs: ago(50_000) }) }),
      { kind: 'wait', why: 'busy' },
    ],
    [
      'is stopped when idle for long, and freezing never worked',
      desire(),
      observe({
        liveness: live({ idleSinceMs: ago(policy.stopAfterMs) }),
        activityMs: ago(policy.stopAfterMs),
        container: running({ startedAtMs: ago(policy.stopAfterMs), resumedAtMs: ago(policy.stopAfterMs) }),
        pauseAgainMs: ahead(1_000),
      }),
      stop('idle'),
    ],
    ['gives its place when idle', desire({}, { makeRoom: true }), observe(), stop('make-room')],
    [
      'keeps its place while busy',
      desire({}, { makeRoom: true }),
      observe({ liveness: busy() }),
      { kind: 'wait', why: 'busy' },
    ],
    [
      'gives its place when busy without a break for very long',
      desire({}, { makeRoom: true }),
      observe({ liveness: busy(), busySinceMs: ago(policy.fairShareMs) }),
      stop('make-room'),
    ],
    ['is stopped for memory when idle', desire({}, { memoryPressure: true }), observe(), stop('memory')],
    ['is replaced when idle and its config changed', desire({ configVersion: 2 }), observe(), stop('config-changed')],
    [
      'finishes its turn before it is replaced',
      desire({ configVersion: 2 }),
      observe({ liveness: busy() }),
      { kind: 'wait', why: 'busy' },
    ],
    [
      'is stopped in quarantine, busy or not, without grace',
      desire({ quarantineReason: 'x' }),
      observe({ liveness: busy() }),
      { ...stop('quarantined'), graceMs: 0 } as Partial<RuntimePlan>,
    ],
    [
      'is stopped when reading it shows a broken contract',
      desire(),
      observe({ liveness: { kind: 'quarantined', reason: 'x' } }),
      stop('quarantined'),
    ],
    ['is stopped once its session has ended', desire({ ended: true }), observe(), stop('ended')],
    [
      'is stopped when somebody asks',
      desire({}, { stopRequest: 'holds-lock' }),
      observe({ liveness: null }),
      stop('holds-lock'),
    ],
    [
      'has time to say hello',
      desire(),
      observe({
        container: running({ startedAtMs: ago(1_000), resumedAtMs: ago(1_000) }),
        liveness: live({ helloMs: null }),
      }),
      { kind: 'wait', untilMs: ahead(policy.lookAgainMs), why: 'hello' },
    ],
    [
      'is stopped when it never says hello',
      desire(),
      observe({ container: running({ startedAtMs: ago(policy.startTimeoutMs) }), liveness: live({ helloMs: null }) }),
      stop('start-timeout'),
    ],
    [
      'is stopped when only its predecessor said hello',
      desire(),
      observe({
        container: running({ startedAtMs: ago(policy.startTimeoutMs) }),
        liveness: live({ helloMs: ago(policy.startTimeoutMs + 1) }),
      }),
      stop('start-timeout'),
    ],
    [
      'is suspected when claim and heartbeat are old',
      desire(),
      observe({ liveness: silent }),
      { kind: 'wait', untilMs: ahead(policy.suspectMs), why: 'suspect' },
    ],
    [
      'is stopped as stuck at the second look',
      desire(),
      observe({ liveness: silent, suspectedSinceMs: ago(policy.suspectMs) }),
      stop('stuck'),
    ],
    [
      'is not stuck while its heart beats',
      desire(),
      observe({ liveness: busy({ oldestClaimMs: ago(90_000) }), suspectedSinceMs: ago(99_000) }),
      { kind: 'wait', why: 'busy' },
    ],
    [
      'is not stuck over a claim of its predecessor',
      desire(),
      observe({
        container: running({ startedAtMs: ago(70_000), resumedAtMs: ago(70_000) }),
        liveness: live({
          helloMs: ago(69_000),
          openClaims: 1,
          oldestClaimMs: ago(80_000),
          heartbeatMs: ago(65_000),
          idleSinceMs: null,
        }),
        suspectedSinceMs: ago(99_000),
      }),
      { kind: 'wait', why: 'busy' },
    ],
    [
      'is not stuck right after a thaw',
      desire(),
      observe({ container: running({ resumedAtMs: ago(1_000) }), liveness: silent, suspectedSinceMs: ago(99_000) }),
      { kind: 'wait', why: 'busy' },
    ],
    [
      'is given the time that its tool declared',
      desire(),
      observe({
        liveness: busy({
          oldestClaimMs: ago(90_000),
          heartbeatMs: ago(80_000),
          tool: { startedAtMs: ago(85_000), timeoutMs: 600_000 },
        }),
        suspectedSinceMs: ago(99_000),
      }),
      { kind: 'wait', why: 'busy' },
    ],
    [
      'is given no more than a tool may declare',
      desire(),
      observe({
        container: running({ startedAtMs: ago(3_700_000), resumedAtMs: ago(3_700_000) }),
        liveness: busy({
          helloMs: ago(3_699_000),
          oldestClaimMs: ago(3_650_000),
          heartbeatMs: ago(3_640_000),
          tool: { startedAtMs: ago(3_640_000), timeoutMs: 1e12 },
        }),
        suspectedSinceMs: ago(99_000),
      }),
      stop('stuck'),
    ],
    [
      'gains nothing by a heartbeat set into the future',
      desire(),
      observe({
        liveness: busy({ oldestClaimMs: ago(90_000), heartbeatMs: ahead(1e9) }),
        suspectedSinceMs: ago(99_000),
      }),
      stop('stuck'),
    ],
    [
      'is stuck too when it never claims the work that waits',
      desire({ ...work, dueSinceMs: ago(90_000) }),
      observe({ liveness: live({ heartbeatMs: ago(80_000) }), suspectedSinceMs: ago(9_000) }),
      stop('stuck'),
    ],
    [
      'is stopped when one claim stays open for hours, though its heart beats',
      desire(),
      observe({
        container: running({ startedAtMs: ago(policy.maxTurnMs + 5_000) }),
        liveness: busy({ oldestClaimMs: ago(policy.maxTurnMs), helloMs: ago(policy.maxTurnMs) }),
      }),
      stop('turn-too-long'),
    ],
    [
      'may hold a lock for a moment',
      desire(),
      observe({ liveness: { kind: 'busy' } }),
      { kind: 'wait', why: 'unreadable' },
    ],
    [
      'is stopped when it holds a lock for long',
      desire(),
      observe({ liveness: { kind: 'busy' }, unreadableSinceMs: ago(policy.stuckAfterMs) }),
      stop('holds-lock'),
    ],
    [
      'is left alone while the engine is away',
      desire({ ended: true }, { engine: { kind: 'away', retryAtMs: ahead(500) } }),
      observe(),
      { kind: 'wait', untilMs: ahead(500), why: 'engine' },
    ],
  ],
  'a container, when a message is for a fresh one alone': [
    ['is ended when idle', desire(fresh), observe(), stop('restart')],
    ['is ended when frozen, and not thawed', desire(fresh), observe({ container: PAUSED }), stop('restart')],
    [
      'is thawed first when an earlier host froze it',
      desire(fresh),
      observe({ container: { ...PAUSED, isSafe: false } as PlannedContainer }),
      { kind: 'resume' },
    ],
    ['goes on with its turn', desire(fresh), observe({ liveness: busy() }), { kind: 'wait', why: 'busy' }],
    [
      'goes on with what it may take itself',
      desire({ ...fresh, isAllFresh: false }),
      observe(),
      { kind: 'wait', why: 'busy' },
    ],
    [
      'is thawed for what it may take itself',
      desire({ ...fresh, isAllFresh: false }),
      observe({ container: PAUSED }),
      { kind: 'resume' },
    ],
    [
      'is ended in mid-turn after a while',
      desire({ ...fresh, freshSinceMs: ago(policy.freshPatienceMs) }),
      observe({
        container: running({ startedAtMs: ago(policy.freshPatienceMs + 1) }),
        liveness: busy({ helloMs: ago(policy.freshPatienceMs), heartbeatMs: ago(500) }),
      }),
      stop('restart'),
    ],
    [
      'takes it when it started after that was written',
      desire({ ...fresh, freshSinceMs: ago(130_000) }),
      observe(),
      { kind: 'wait', why: 'busy' },
    ],
    [
      'is stuck as ever',
      desire(fresh),
      observe({ liveness: silent, suspectedSinceMs: ago(policy.suspectMs) }),
      stop('stuck'),
    ],
    [
      'is no more stuck for what it may not take',
      desire({ ...fresh, freshSinceMs: ago(90_000), dueSinceMs: ago(90_000) }),
      observe({ liveness: live({ heartbeatMs: ago(80_000) }), suspectedSinceMs: ago(policy.suspectMs) }),
      stop('restart'),
    ],
    ['is started for it', desire(fresh), observe({ container: ABSENT }), { kind: 'start' }],
    [
      'is looked at though it has just come up',
      desire({ ...fresh, freshSinceMs: ago(100) }),
      observe({ container: running({ startedAtMs: ago(500), resumedAtMs: ago(500) }), liveness: null }),
      { kind: 'look' },
    ],
  ],
  'a frozen container': [
    ['thaws for work, without a look', desire(work), observe({ container: PAUSED }), { kind: 'resume' }],
    [
      'thaws when an earlier host froze it: nobody knows in the middle of what',
      desire(),
      observe({ container: { ...PAUSED, kind: 'paused', isSafe: false } as PlannedContainer }),
      { kind: 'resume' },
    ],
    [
      'stays frozen until it has been idle for long',
      desire(),
      observe({ container: PAUSED }),
      { kind: 'wait', untilMs: ahead(policy.stopAfterMs - policy.pauseAfterMs - 60_000), why: 'paused' },
    ],
    [
      'waits no longer than the next due row',
      desire({ nextDueMs: ahead(5_000) }),
      observe({ container: PAUSED }),
      { kind: 'wait', untilMs: ahead(5_000), why: 'paused' },
    ],
    [
      'is stopped when idle for long',
      desire(),
      observe({
        container: { ...PAUSED, pausedAtMs: ago(policy.stopAfterMs) } as PlannedContainer,
        activityMs: ago(policy.stopAfterMs),
      }),
      stop('idle'),
    ],
    ['gives its place', desire({}, { makeRoom: true }), observe({ container: PAUSED }), stop('make-room')],
    [
      'thaws for work, though another waits for its place',
      desire(work, { makeRoom: true }),
      observe({ container: PAUSED }),
      { kind: 'resume' },
    ],
    ['is stopped for memory', desire({}, { memoryPressure: true }), observe({ container: PAUSED }), stop('memory')],
    [
      'is replaced when its config changed, before it takes work',
      desire({ ...work, configVersion: 2 }),
      observe({ container: PAUSED }),
      stop('config-changed'),
    ],
    [
      'is stopped in quarantine',
      desire({ ...work, quarantineReason: 'x' }),
      observe({ container: PAUSED }),
      stop('quarantined'),
    ],
  ],
  'a container that may be there': [
    [
      'is not given up while the engine is away',
      desire(work),
      observe({ container: { kind: 'unknown' }, record: makeRecord({ state: 'running' }) }),
      { kind: 'wait', why: 'engine' },
    ],
    [
      'is not expected when its last run was settled',
      desire(work),
      observe({ container: { kind: 'unknown' }, record: makeRecord() }),
      { kind: 'start' },
    ],
  ],
  'a container that exited': [
    ['is taken away first', desire(work), observe({ container: EXITED }), { kind: 'remove' }],
    [
      'stays while the engine is away',
      desire({}, { engine: { kind: 'away', retryAtMs: ahead(10) } }),
      observe({ container: EXITED }),
      { kind: 'wait', why: 'engine' },
    ],
  ],
  'a run that is over': [
    ['is looked at', desire(), gone({ liveness: null }), { kind: 'look' }],
    [
      'is rolled back when it left half a commit',
      desire(),
      gone({ liveness: { kind: 'hot-journal' } }),
      { kind: 'recover' },
    ],
    [
      'is rolled back once only',
      desire(),
      gone({ liveness: { kind: 'hot-journal' }, recovered: true }),
      settled('recovery'),
    ],
    ['hands its claims back', desire(), gone({ liveness: busy() }), { kind: 'requeue', reason: 'crashed' }],
    ['hands its claims back once only', desire(), gone({ liveness: busy(), requeued: true }), settled('crashed')],
    ['has failed when it exited with work waiting', desire(work), gone(), settled('crashed')],
    [
      'has failed when it exited with code 0 and work waiting',
      desire(work),
      gone({ exit: { exitCode: 0, outOfMemory: false } }),
      settled('crashed'),
    ],
    ['has simply ended when nothing was asked of it', desire(), gone(), ended],
    ['has failed for memory', desire(), gone({ exit: { exitCode: 137, outOfMemory: true } }), settled('out-of-memory')],
    [
      'has failed for good with another protocol version',
      desire(),
      gone({ exit: { exitCode: 70, outOfMemory: false } }),
      settled('bad-contract', true),
    ],
    [
      'has failed for good with an unknown provider',
      desire(),
      gone({ exit: { exitCode: 71, outOfMemory: false } }),
      settled('unknown-provider', true),
    ],
    ['has vanished when nobody removed its container', desire(work), gone({ exit: null }), settled('vanished')],
    [
      'has ended when it was stopped for being idle',
      desire(work),
      gone({ record: makeRecord({ state: 'stopping', reason: 'idle' }) }),
      ended,
    ],
    [
      'has failed when it was stopped as stuck',
      desire(),
      gone({ record: makeRecord({ state: 'stopping', reason: 'stuck' }) }),
      settled('stuck'),
    ],
    [
      'hands claims back after a stop, with the reason',
      desire(),
      gone({ liveness: busy(), record: makeRecord({ state: 'stopping', reason: 'stuck' }) }),
      { kind: 'requeue', reason: 'stuck' },
    ],
    [
      'is no failure when the host died while starting it',
      desire(work),
      gone({ exit: null, record: makeRecord({ state: 'starting' }) }),
      ended,
    ],
    [
      'has failed when its start was refused',
      desire(work),
      gone({ liveness: null, startFault: { reason: 'no-resources', retryable: true } }),
      settled('no-resources'),
    ],
    [
      'has failed for good without an image',
      desire(work),
      gone({ liveness: null, startFault: { reason: 'image-missing', retryable: false } }),
      settled('image-missing', true),
    ],
    [
      'is no failure when the engine was away',
      desire(work),
      gone({ liveness: null, startFault: { reason: 'engine-away', retryable: true } }),
      ended,
    ],
    [
      'is no failure when its image has to be built first',
      desire(work),
      gone({ liveness: null, startFault: { reason: 'no-image-yet', retryable: true } }),
      ended,
    ],
    [
      'is settled in quarantine, its claims left alone',
      desire(),
      gone({ liveness: { kind: 'quarantined', reason: 'x' } }),
      ended,
    ],
    [
      'waits while its database is being read',
      desire(),
      gone({ liveness: { kind: 'busy' } }),
      { kind: 'wait', why: 'unreadable' },
    ],
    [
      'waits for the engine before it is rolled back',
      desire({}, { engine: { kind: 'away', retryAtMs: ahead(10) } }),
      gone({ liveness: { kind: 'hot-journal' } }),
      { kind: 'wait', why: 'engine' },
    ],
  ],
};

for (const [subject, rows] of Object.entries(TABLES)) {
  describe(subject, () => {
    test.each(rows)('%s', (_behaviour, desired, observed, plan) => {
      expect(planRuntime(desired, observed, NOW)).toMatchObject(plan);
    });
  });
}

describe('a container found at start', () => {
  const facts = (state: RuntimeState, epoch = 3) => makeRecord({ state, epoch });
  test.each([
    ['is adopted when it is the newest run', 'running', 3, facts('running'), { kind: 'adopt' }],
    ['is adopted in the middle of starting', 'running', 3, facts('starting'), { kind: 'adopt' }],
    ['is adopted frozen', 'paused', 3, facts('running'), { kind: 'adopt' }],
    ['is adopted dead, so that its claims are handed back', 'exited', 3, facts('running'), { kind: 'adopt' }],
    ['is removed when a newer run exists', 'running', 2, facts('running'), { kind: 'remove', why: 'stale-run' }],
    ['is removed when its session is gone', 'running', 3, null, { kind: 'remove', why: 'no-session' }],
    ['is removed when it never ran', 'created', 3, facts('starting'), { kind: 'remove', why: 'never-ran' }],
    ['is removed when its end was recorded', 'exited', 3, facts('failed'), { kind: 'remove', why: 'settled-run' }],
  ] as const)('%s', (_behaviour, state, epoch, found, verdict) => {
    expect(planAdoption({ state, epoch }, found)).toEqual(verdict);
  });
});
