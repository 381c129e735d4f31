import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nextRun } from '../../../host/schedule/cron.ts';
import { MAX_CATCH_UP, MAX_COUNTED_MISSED, ON_TIME_MS } from '../../../host/schedule/limits.ts';
import {
  type FiringFacts,
  listDueTimes,
  type PlacedStatus,
  planFirings,
  planState,
  planTimes,
} from '../../../host/schedule/plan.ts';
import { MISSED_POLICIES } from '../../../shared/requests.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z');
const MINUTE = 60_000;

const dueTimes = fc
  .tuple(
    fc.integer({ min: 0, max: 10 * MINUTE }),
    fc.array(fc.integer({ min: MINUTE, max: 20 * MINUTE }), { maxLength: 49 }),
  )
  .map(([lateness, gaps]) => {
    const times = [NOW - lateness];
    for (const gap of gaps) times.unshift((times[0] ?? NOW) - gap);
    return times;
  });
const facts: fc.Arbitrary<FiringFacts> = fc
  .record({
    times: dueTimes,
    hasMore: fc.boolean(),
    policy: fc.constantFrom(...MISSED_POLICIES),
    placedAt: fc.array(fc.tuple(fc.nat({ max: 60 }), fc.constantFrom<PlacedStatus>('pending', 'done', 'failed')), {
      maxLength: 3,
    }),
    open: fc.nat({ max: MAX_CATCH_UP + 2 }),
  })
  .map(({ times, hasMore, policy, placedAt, open }) => ({
    due: { times, hasMore },
    policy,
    placed: new Map(placedAt.flatMap(([at, status]) => (at < times.length ? [[times[at] ?? 0, status] as const] : []))),
    open,
    now: NOW,
  }));

describe('which runs fire', () => {
  test('each due time has one receipt, oldest first, and those that fire are among them', () => {
    fc.assert(
      fc.property(facts, (given) => {
        const { fire, receipts } = planFirings(given);
        expect(receipts.map(({ dueAt }) => dueAt)).toEqual(given.due.times);
        const fired = receipts.filter(({ outcome }) => outcome === 'fired').map(({ dueAt }) => dueAt);
        const placedOpen = [...given.placed].filter(([, status]) => status === 'pending').map(([at]) => at);
        expect(fired.sort()).toEqual([...fire.map(({ dueAt }) => dueAt), ...placedOpen].sort());
      }),
    );
  });

  test('nothing fires twice, nor out of order, nor beyond what may be open', () => {
    fc.assert(
      fc.property(facts, (given) => {
        const { fire } = planFirings(given);
        const times = fire.map(({ dueAt }) => dueAt);
        expect(times).toEqual([...new Set(times)].sort((a, b) => a - b));
        for (const at of times) expect(given.placed.has(at)).toBe(false);
        const open = given.open + [...given.placed.values()].filter((status) => status === 'pending').length;
        if (fire.length > 0) expect(open + fire.length).toBeLessThanOrEqual(given.policy === 'all' ? MAX_CATCH_UP : 1);
      }),
    );
  });

  test('all leaves out no due time while there is room', () => {
    fc.assert(
      fc.property(dueTimes, (times) => {
        const due = { times: times.slice(-MAX_CATCH_UP), hasMore: false };
        const { fire } = planFirings({ due, policy: 'all', placed: new Map(), open: 0, now: NOW });
        expect(fire.map(({ dueAt }) => dueAt)).toEqual(due.times);
      }),
    );
  });

  test('skip fires only what is on time, once fires always one', () => {
    fc.assert(
      fc.property(dueTimes, (times) => {
        const due = { times, hasMore: false };
        const plan = (policy: 'skip' | 'once') =>
          planFirings({ due, policy, placed: new Map(), open: 0, now: NOW }).fire;
        const last = times.at(-1) ?? 0;
        expect(plan('skip').map(({ dueAt }) => dueAt)).toEqual(NOW - last <= ON_TIME_MS ? [last] : []);
        expect(plan('once')).toEqual([{ dueAt: last, missed: times.length - 1 }]);
      }),
    );
  });
});

test('the due times are the runs from the next one up to now, the newest when there are too many', () => {
  const runs = fc.record({
    cron: fc.constantFrom('* * * * *', '*/7 * * * *', '0 * * * *', '30 2 * * *', '15 0 0 * * MON', '0 0 L * *'),
    timezone: fc.constantFrom('UTC', 'Europe/Berlin', 'Australia/Lord_Howe', 'America/Havana'),
    from: fc.integer({ min: Date.parse('2026-01-01'), max: Date.parse('2026-12-31') }),
    passedMs: fc.oneof(fc.integer({ min: 0, max: 100 * MINUTE }), fc.integer({ min: 0, max: 400 * 24 * 60 * MINUTE })),
  });
  fc.assert(
    fc.property(runs, ({ cron, timezone, from, passedMs }) => {
      const nextAt = nextRun(cron, timezone, from) ?? 0;
      const now = nextAt + passedMs;
      const { times, hasMore } = listDueTimes({ at: null, cron, timezone, missed: 'all', nextAt }, now);
      expect(times.length).toBeLessThanOrEqual(MAX_COUNTED_MISSED);
      if (!hasMore) expect(times[0]).toBe(nextAt);
      else expect(times).toHaveLength(MAX_COUNTED_MISSED);
      let previous: number | null = null;
      for (const at of times) {
        if (previous !== null) expect(nextRun(cron, timezone, previous)).toBe(at);
        previous = at;
      }
      expect(previous).toBeLessThanOrEqual(now);
      expect(nextRun(cron, timezone, previous ?? 0)).toBeGreaterThan(now);
    }),
    { numRuns: 200 },
  );
});

describe('times that an agent gives', () => {
  const times = { at: null, cron: null, timezone: 'UTC' };
  test.each([
    ['neither', {}, /either "at" \(once\) or "cron"/],
    ['both', { at: NOW + MINUTE, cron: '* * * * *' }, /not both/],
    [
      'the past',
      { at: NOW - 2 * MINUTE },
      /2026-11-23T11:58:00.000Z is in the past; it is 2026-11-23T12:00:00.000Z now/,
    ],
    ['far ahead', { at: NOW + 6 * 366 * 86_400_000 }, /at most five years ahead/],
    ['beyond all dates', { at: Number.MAX_SAFE_INTEGER }, /at most five years ahead/],
    ['seconds for milliseconds', { at: Math.floor(NOW / 1_000) }, /1970-01-21.* is in the past/],
    ['no such zone', { at: NOW + MINUTE, timezone: 'Berlin' }, /no time zone "Berlin"/],
    ['a bad cron', { cron: '61 * * * *' }, /minute field "61"/],
  ])('are refused in words: %s', (_what, given, words) => {
    expect(planTimes({ ...times, ...given }, NOW)).toEqual({ kind: 'refuse', reason: expect.stringMatching(words) });
  });
});

describe('pause, resume, cancel', () => {
  const daily = { at: null, cron: '0 9 * * *', timezone: 'UTC', missed: 'once' as const };
  const next = Date.parse('2026-11-24T09:00:00Z');
  test.each([
    ['active', 'pause', { kind: 'change', state: 'paused', nextAt: null }],
    ['active', 'resume', { kind: 'keep' }],
    ['active', 'cancel', { kind: 'change', state: 'cancelled', nextAt: null }],
    ['paused', 'pause', { kind: 'keep' }],
    ['paused', 'resume', { kind: 'change', state: 'active', nextAt: next }],
    ['paused', 'cancel', { kind: 'change', state: 'cancelled', nextAt: null }],
    ['cancelled', 'pause', { kind: 'refuse', reason: expect.stringContaining('cancelled') }],
    ['cancelled', 'resume', { kind: 'refuse', reason: expect.stringContaining('create a new one') }],
    ['cancelled', 'cancel', { kind: 'keep' }],
    ['done', 'pause', { kind: 'refuse', reason: expect.stringContaining('done') }],
    ['done', 'resume', { kind: 'refuse', reason: expect.stringContaining('done') }],
    ['done', 'cancel', { kind: 'refuse', reason: expect.stringContaining('done') }],
  ] as const)('%s, %s', (state, act, plan) => {
    expect(planState({ ...daily, state }, act, NOW)).toEqual(plan);
  });

  test('a paused task whose one time has passed is not resumed', () => {
    const once = {
      at: NOW - 3_600_000,
      cron: null,
      timezone: 'UTC',
      missed: 'once' as const,
      state: 'paused' as const,
    };
    expect(planState(once, 'resume', NOW)).toMatchObject({ kind: 'refuse' });
  });
});
