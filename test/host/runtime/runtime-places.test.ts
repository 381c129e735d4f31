import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeId, type SessionId } from '../../../shared/ids.ts';
import { settle } from './fake-clock.ts';
import { policy, RuntimeBed } from './runtime-bed.ts';

let bed: RuntimeBed;

beforeEach(async () => {
  bed = await RuntimeBed.start();
});

afterEach(() => bed.end());

describe('with fewer places than sessions', () => {
  test('never more containers run than there are places', async () => {
    await bed.restart(2);
    const ids = Array.from({ length: 6 }, () => bed.sessions.add());
    for (const id of ids) {
      bed.sessions.receive(id);
      bed.runtime.wake(id);
    }
    await settle();
    expect(bed.engine.containers.size).toBe(2);
    expect(bed.runtime.counts()).toMatchObject({ places: 2, waiting: 4 });
    expect(bed.runtime.state(ids[5] as SessionId)).toMatchObject({ kind: 'waiting', for: 'room' });
  });

  test('everybody has a turn', async () => {
    await bed.restart(2);
    const ids = Array.from({ length: 6 }, () => bed.sessions.add());
    for (const id of ids) {
      bed.sessions.receive(id);
      bed.runtime.wake(id);
    }
    const served = new Set<SessionId>();
    for (let second = 0; second < 60 && served.size < 6; second++) {
      for (const id of ids) {
        if (bed.engine.ofSession(id)?.state !== 'running' || served.has(id)) continue;
        bed.sessions.hello(id);
        bed.sessions.finish(id);
        served.add(id);
      }
      await bed.clock.advance(1_000);
      expect(bed.engine.containers.size).toBeLessThanOrEqual(2);
    }
    expect(served.size).toBe(6);
  });

  test('a frozen container gives way at once, before one that runs', async () => {
    await bed.restart(2);
    const frozen = await bed.startPaused();
    const idle = await bed.startIdle();
    const waiting = bed.sessions.add();
    bed.sessions.receive(waiting);
    bed.runtime.wake(waiting);
    await settle();
    expect(bed.containerOf(waiting).state).toBe('running');
    expect(bed.engine.ofSession(frozen)).toBeNull();
    expect(bed.containerOf(idle).state).toBe('running');
  });

  test('a busy container is not disturbed', async () => {
    await bed.restart(1);
    const busy = await bed.startBusy();
    const waiting = bed.sessions.add();
    bed.sessions.receive(waiting);
    bed.runtime.wake(waiting);
    for (let second = 0; second < 30; second++) {
      bed.sessions.beat(busy);
      await bed.clock.advance(1_000);
    }
    expect(bed.engine.ofSession(waiting)).toBeNull();
    bed.sessions.finish(busy);
    await bed.clock.advance(policy.roomLookMs * 2);
    expect(bed.containerOf(waiting).state).toBe('running');
    expect(bed.engine.ofSession(busy)).toBeNull();
  });

  test('a container that pretends to be busy for ever loses its place in the end', async () => {
    await bed.restart(1);
    const hostile = await bed.startBusy();
    const waiting = bed.sessions.add();
    bed.sessions.receive(waiting);
    bed.runtime.wake(waiting);
    const began = bed.clock.now();
    while (bed.engine.ofSession(waiting) === null && bed.clock.now() - began < 2 * policy.fairShareMs) {
      bed.sessions.claim(hostile);
      await bed.clock.advance(30_000);
    }
    expect(bed.containerOf(waiting).state).toBe('running');
    expect(bed.clock.now() - began).toBeGreaterThanOrEqual(policy.fairShareMs);
    expect(bed.sessions.get(hostile).requeued).toEqual(['make-room']);
  });

  test('a crowd of sessions of one agent delays another agent by one turn', async () => {
    await bed.restart(1);
    const crowd = makeId('agentGroup');
    const first = await bed.startBusy(bed.sessions.add(crowd));
    const many = Array.from({ length: 20 }, () => bed.sessions.add(crowd));
    const single = bed.sessions.add();
    for (const id of [...many, single]) {
      bed.sessions.receive(id);
      bed.runtime.wake(id);
    }
    await settle();
    const order: SessionId[] = [];
    for (let turn = 0, holder = first; turn < 3; turn++) {
      bed.sessions.hello(holder);
      bed.sessions.finish(holder);
      await bed.clock.advance(policy.roomLookMs + policy.roomAgainMs);
      const [next] = [...bed.engine.containers.values()];
      holder = next?.spec.sessionId ?? holder;
      order.push(holder);
    }
    expect(order.indexOf(single)).toBeGreaterThanOrEqual(0);
    expect(order.indexOf(single)).toBeLessThanOrEqual(1);
  });

  test('a place freed by a crash goes to the one who waits', async () => {
    await bed.restart(1);
    const first = await bed.startBusy();
    const waiting = bed.sessions.add();
    bed.sessions.receive(waiting);
    bed.runtime.wake(waiting);
    await settle();
    bed.engine.die(bed.containerOf(first).id, 1);
    await settle();
    expect(bed.containerOf(waiting).state).toBe('running');
  });
});
