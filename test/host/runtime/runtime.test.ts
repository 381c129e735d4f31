import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { epochMs, type SessionId } from '../../../shared/ids.ts';
import { settle } from './fake-clock.ts';
import { RuntimeBed } from './runtime-bed.ts';

let bed: RuntimeBed;

beforeEach(async () => {
  bed = await RuntimeBed.start();
});

afterEach(() => bed.end());

describe('the runtime as a whole', () => {
  test('keeps nothing in memory and no timer for idle sessions', async () => {
    for (let count = 0; count < 1_000; count++) bed.runtime.wake(bed.sessions.add());
    await settle();
    expect(bed.runtime.counts().watched).toBe(0);
    expect(bed.clock.pending).toBe(0);
  });

  test('has one timer for a thousand sessions that wait for a time', async () => {
    for (let count = 0; count < 1_000; count++) {
      const id = bed.sessions.add();
      bed.sessions.change(id, { nextDueMs: epochMs(bed.clock.now() + 60_000 + count) });
      bed.runtime.wake(id);
    }
    await settle();
    expect(bed.runtime.counts().watched).toBe(1_000);
    expect(bed.clock.pending).toBe(1);
  });

  test('takes one step at a time for a session', async () => {
    let inside = 0;
    let most = 0;
    bed.engine.gate = async () => {
      inside++;
      most = Math.max(most, inside);
      await new Promise((resolve) => setImmediate(resolve));
      inside--;
    };
    const id = bed.sessions.add();
    bed.sessions.receive(id);
    for (let ring = 0; ring < 20; ring++) {
      bed.runtime.wake(id);
      bed.runtime.reconcile(id);
      await Promise.resolve();
    }
    await settle();
    await settle();
    expect(most).toBe(1);
  });

  test('lets containers go on when the host stops', async () => {
    const id = await bed.startBusy();
    await bed.runtime[Symbol.asyncDispose]();
    expect(bed.containerOf(id).state).toBe('running');
    expect(bed.clock.pending).toBe(0);
    bed.runtime.wake(id);
    await settle();
    expect(bed.actionsOf(id)).toEqual(['start']);
  });

  test('stops them all when asked to, and starts none', async () => {
    const ids = [await bed.startBusy(), await bed.startIdle(), await bed.startPaused()];
    await bed.runtime.stopAll();
    await settle();
    expect(bed.engine.containers.size).toBe(0);
    bed.sessions.receive(ids[0] as SessionId);
    bed.runtime.wake(ids[0] as SessionId);
    await settle();
    expect(bed.engine.containers.size).toBe(0);
  });

  test('stores every state that it shows', async () => {
    const id = await bed.startPaused();
    bed.sessions.receive(id);
    bed.runtime.wake(id);
    await settle();
    const stored = bed.sessions.record(id);
    await bed.restart();
    expect(bed.sessions.record(id)).toEqual(stored);
    expect(bed.runtime.state(id)).toEqual({ kind: 'running' });
  });
});
