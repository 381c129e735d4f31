import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chooseEviction, FairQueue, type PlaceHolder } from '../../../host/runtime/room.ts';
import { epochMs, makeId, type SessionId } from '../../../shared/ids.ts';

const sessions = (count: number): SessionId[] => Array.from({ length: count }, () => makeId('session'));

describe('the queue for a place', () => {
  test('serves one group in the order of arrival', () => {
    const queue = new FairQueue();
    const group = makeId('agentGroup');
    const waiting = sessions(3);
    for (const id of waiting) queue.add(id, group);
    expect([queue.take(), queue.take(), queue.take(), queue.take()]).toEqual([...waiting, null]);
  });

  test('lets groups take turns, so that a crowd delays nobody else', () => {
    const queue = new FairQueue();
    const [crowd, single] = [makeId('agentGroup'), makeId('agentGroup')];
    const many = sessions(100);
    for (const id of many) queue.add(id, crowd);
    const one = makeId('session');
    queue.add(one, single);
    expect([queue.take(), queue.take()]).toEqual([many[0], one]);
  });

  test('forgets a session that no longer waits', () => {
    const queue = new FairQueue();
    const group = makeId('agentGroup');
    const [first, second] = sessions(2) as [SessionId, SessionId];
    queue.add(first, group);
    queue.add(second, group);
    queue.delete(first);
    expect(queue.has(first)).toBe(false);
    expect(queue.take()).toBe(second);
    expect(queue.size).toBe(0);
  });

  test('hands out each waiting session exactly once, and no group waits longer than a round', () => {
    const groups = Array.from({ length: 4 }, () => makeId('agentGroup'));
    fc.assert(
      fc.property(fc.array(fc.nat(3), { maxLength: 40 }), (arrivals) => {
        const queue = new FairQueue();
        const groupOf = new Map<SessionId, number>();
        for (const group of arrivals) {
          const id = makeId('session');
          groupOf.set(id, group);
          queue.add(id, groups[group] as (typeof groups)[0]);
          queue.add(id, groups[group] as (typeof groups)[0]);
        }
        const left = [0, 1, 2, 3].map((group) => arrivals.filter((each) => each === group).length);
        const sinceServed = [0, 0, 0, 0];
        for (let taken = 0; taken < arrivals.length; taken++) {
          const id = queue.take();
          const served = id === null ? undefined : groupOf.get(id);
          if (id === null || served === undefined) return false;
          groupOf.delete(id);
          for (const group of [0, 1, 2, 3]) sinceServed[group] = group === served ? 0 : (sinceServed[group] ?? 0) + 1;
          left[served] = (left[served] ?? 0) - 1;
          if ([0, 1, 2, 3].some((group) => (left[group] ?? 0) > 0 && (sinceServed[group] ?? 0) >= 4)) return false;
        }
        return queue.take() === null && queue.size === 0;
      }),
    );
  });
});

describe('the place that is given up', () => {
  const holder = (state: PlaceHolder['state'], seemsIdle: boolean, activity: number): PlaceHolder => ({
    ...{ sessionId: makeId('session'), state, seemsIdle },
    activityMs: epochMs(activity),
  });
  test('is a frozen one before a running one, and the least recently active of those', () => {
    const [busy, idle, fresh, old] = [
      holder('running', false, 1),
      holder('running', true, 2),
      holder('paused', true, 9),
      holder('paused', true, 5),
    ];
    expect(chooseEviction([busy, idle, fresh, old])).toBe(old.sessionId);
    expect(chooseEviction([busy, idle, fresh])).toBe(fresh.sessionId);
    expect(chooseEviction([busy, idle])).toBe(idle.sessionId);
    expect(chooseEviction([busy])).toBe(busy.sessionId);
    expect(chooseEviction([])).toBeNull();
  });
});
