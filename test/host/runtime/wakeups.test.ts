import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Wakeups } from '../../../host/runtime/wakeups.ts';
import { epochMs, makeId, type SessionId } from '../../../shared/ids.ts';
import { FakeClock } from './fake-clock.ts';

const SESSIONS = Array.from({ length: 8 }, () => makeId('session'));

function makeWakeups() {
  const clock = new FakeClock(0);
  const rung: [SessionId, number][] = [];
  const wakeups = new Wakeups(clock, (id) => rung.push([id, clock.now()]));
  return { clock, rung, wakeups };
}

describe('wake-ups', () => {
  test('ring each session at its newest time, in order, and once', async () => {
    const change = fc.tuple(fc.nat(7), fc.option(fc.integer({ min: 1, max: 1_000 }), { nil: null }));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 60 }), async (changes) => {
        const { clock, rung, wakeups } = makeWakeups();
        const expected = new Map<SessionId, number>();
        for (const [index, atMs] of changes) {
          const id = SESSIONS[index] as SessionId;
          if (atMs === null) {
            wakeups.delete(id);
            expected.delete(id);
          } else {
            wakeups.set(id, epochMs(atMs));
            expected.set(id, atMs);
          }
        }
        expect(wakeups.size).toBe(expected.size);
        expect(clock.pending).toBe(expected.size === 0 ? 0 : 1);
        await clock.advance(1_000);
        expect(rung.map(([, at]) => at)).toEqual([...expected.values()].sort((a, b) => a - b));
        expect(new Map(rung)).toEqual(expected);
        expect(clock.pending).toBe(0);
      }),
      { numRuns: 100 },
    );
  });

  test('do not grow with the number of changes', async () => {
    const { clock, rung, wakeups } = makeWakeups();
    const id = SESSIONS[0] as SessionId;
    for (let change = 0; change < 100_000; change++) wakeups.set(id, epochMs(1_000_000 - change));
    expect(clock.pending).toBe(1);
    await clock.advance(1_000_000);
    expect(rung).toHaveLength(1);
  });

  test('can be set to no later than a time, which never puts one off', async () => {
    const { clock, rung, wakeups } = makeWakeups();
    const id = SESSIONS[0] as SessionId;
    wakeups.setNotLater(id, epochMs(500));
    wakeups.setNotLater(id, epochMs(900));
    wakeups.setNotLater(id, epochMs(300));
    await clock.advance(1_000);
    expect(rung).toEqual([[id, 300]]);
  });
});
