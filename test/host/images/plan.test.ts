/** Whose turn it is, when a build is ended, which images may go. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BUILD_DEADLINE_MS, BUILD_SILENCE_MS, FAILURE_HOLDS_MS } from '../../../host/images/limits.ts';
import {
  type BuildFacts,
  describeImage,
  findShortage,
  mustLook,
  planEnd,
  planNext,
  planRemovals,
} from '../../../host/images/plan.ts';

const GIB = 1024 ** 3;

describe('whose turn it is', () => {
  const job = (name: string, agentGroupId: string) => ({ name, agentGroupId });

  test('an agent with many requests delays one with a single request by one build', () => {
    const waiting = [job('a1', 'a'), job('a2', 'a'), job('a3', 'a'), job('b1', 'b')];
    const servedAt = new Map<string, number>();
    const order: string[] = [];
    for (let now = 1; waiting.length > 0; now++) {
      const next = planNext(waiting, servedAt);
      if (next === null) break;
      order.push(next.name);
      servedAt.set(next.agentGroupId, now);
      waiting.splice(waiting.indexOf(next), 1);
    }
    expect(order).toEqual(['a1', 'b1', 'a2', 'a3']);
  });

  test('nobody waits, nobody is chosen', () => {
    expect(planNext([], new Map())).toBeNull();
  });
});

describe('a build that runs', () => {
  const facts: BuildFacts = { startedAt: 0, heardAt: 0, freeBytes: 10 * GIB, isAgentThere: true };

  test.each([
    ['goes on while it prints', { heardAt: BUILD_DEADLINE_MS - 2 }, BUILD_DEADLINE_MS - 1, null],
    [
      'is ended at its deadline, however much it prints',
      { heardAt: BUILD_DEADLINE_MS },
      BUILD_DEADLINE_MS,
      /longer than 15 min/,
    ],
    ['is ended when it is silent', {}, BUILD_SILENCE_MS, /printed nothing for 5 min/],
    ['is ended before it fills the disk', { freeBytes: 1_000 }, 1, /fill the disk/],
    ['is ended when its agent is gone', { isAgentThere: false }, 1, /was removed/],
    ['goes on where the disk cannot be measured', { freeBytes: null }, 1, null],
  ] as const)('%s', (_what, changes, now, why) => {
    const end = planEnd({ ...facts, ...changes }, now);
    if (why === null) expect(end).toBeNull();
    else expect(end).toMatch(why);
  });

  test('does not begin on a full disk', () => {
    expect(findShortage(100)).toMatch(/0 MiB free/);
    expect(findShortage(2 * GIB)).toBeNull();
  });
});

describe('images that may go', () => {
  const own = ['a1', 'a2', 'a3', 'b1'].map((name) => ({ id: `id-${name}`, names: [name] }));

  test('the wanted, the used and the newest of each agent stay; what failed builds left goes', () => {
    const kept = { wanted: new Set(['a1']), built: [['a3', 'a2', 'a1']], used: new Set(['id-b1']) };
    expect(planRemovals([...own, { id: 'left', names: [] }], kept)).toEqual(['left']);
    expect(planRemovals(own, { wanted: new Set(), built: [['a3', 'a2', 'a1'], []], used: new Set() })).toEqual([
      'a1',
      'b1',
    ]);
  });

  test('nothing that is used or wanted ever goes', () => {
    const names = fc.constantFrom(...own.map(({ names: [name] }) => name ?? ''));
    const sets = fc.record({ wanted: fc.array(names), built: fc.array(fc.array(names)), used: fc.array(names) });
    fc.assert(
      fc.property(sets, ({ wanted, built, used }) => {
        const gone = planRemovals(own, {
          wanted: new Set(wanted),
          built,
          used: new Set(used.map((name) => `id-${name}`)),
        });
        expect(gone.filter((name) => wanted.includes(name) || used.includes(name))).toEqual([]);
      }),
    );
  });
});

describe('the image of an agent', () => {
  test('that could not be built is looked for again after a while', () => {
    const fact = { kind: 'failed', at: 0, why: 'x', instead: null } as const;
    expect(mustLook(fact, FAILURE_HOLDS_MS - 1)).toBe(false);
    expect(mustLook(fact, FAILURE_HOLDS_MS)).toBe(true);
    expect(mustLook(undefined, 0)).toBe(true);
    expect(mustLook({ kind: 'building', instead: null }, Number.MAX_SAFE_INTEGER)).toBe(false);
  });

  test('that could not be built says why and what to type, unless an older one serves', () => {
    const fact = { kind: 'failed', at: 0, why: 'No such package.', instead: null } as const;
    expect(describeImage('new', fact, 'Type this.')).toEqual({
      kind: 'failed',
      reason: 'Its image could not be built: No such package. Type this.',
    });
    expect(describeImage('new', { ...fact, instead: 'old' }, '')).toEqual({ kind: 'ready', image: 'old' });
    // Also while it is tried again, which may take long.
    expect(describeImage('new', { kind: 'building', instead: 'old' }, '')).toEqual({ kind: 'ready', image: 'old' });
  });
});
