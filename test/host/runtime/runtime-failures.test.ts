import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { settle } from './fake-clock.ts';
import { policy, RuntimeBed } from './runtime-bed.ts';

let bed: RuntimeBed;

beforeEach(async () => {
  bed = await RuntimeBed.start();
});

afterEach(() => bed.end());

describe('a container that fails', () => {
  test('hands its claims back, backs off and starts again', async () => {
    const id = await bed.startBusy();
    bed.engine.die(bed.containerOf(id).id, 1);
    await settle();
    expect(bed.sessions.get(id).requeued).toEqual(['crashed']);
    expect(bed.sessions.record(id)).toMatchObject({ state: 'failed', failures: 1, reason: 'crashed' });
    expect(bed.engine.ofSession(id)).toBeNull();
    await bed.clock.advance(policy.backoffMs);
    expect(bed.containerOf(id)).toMatchObject({ state: 'running', spec: { epoch: 2 } });
  });

  test('fails for good after five runs, says so, and tries again for a new message', async () => {
    bed.sessions.program = 'exit';
    const id = bed.sessions.add();
    bed.sessions.receive(id);
    bed.runtime.wake(id);
    await bed.clock.advance(10 * 60_000);
    expect(bed.actionsOf(id).filter((action) => action === 'start')).toHaveLength(5);
    expect(bed.runtime.state(id)).toMatchObject({ kind: 'failed', failures: 5 });
    bed.sessions.program = 'obey';
    bed.sessions.receive(id);
    bed.runtime.wake(id);
    await settle();
    expect(bed.containerOf(id).state).toBe('running');
  });

  test('shows that it waits for the next try', async () => {
    bed.sessions.program = 'exit';
    const id = bed.sessions.add();
    bed.sessions.receive(id);
    bed.runtime.wake(id);
    await settle();
    expect(bed.runtime.state(id)).toMatchObject({ kind: 'waiting', for: 'retry' });
  });

  test('is forgiven once a run reached idle', async () => {
    const id = await bed.startBusy();
    bed.engine.die(bed.containerOf(id).id, 1);
    await bed.clock.advance(policy.backoffMs);
    bed.sessions.hello(id);
    bed.sessions.finish(id);
    await bed.clock.advance(policy.pauseAfterMs + policy.lookAgainMs);
    expect(bed.sessions.record(id).failures).toBe(0);
  });

  test('is not tried again without an image, until a message comes', async () => {
    bed.engine.failNext.push({ action: 'start', kind: 'image-missing' });
    const id = bed.sessions.add();
    bed.sessions.receive(id);
    bed.runtime.wake(id);
    await bed.clock.advance(60_000);
    expect(bed.runtime.state(id)).toMatchObject({ kind: 'failed', reason: expect.stringContaining('npm run up') });
    expect(bed.actionsOf(id)).toEqual([]);
    bed.sessions.receive(id);
    bed.runtime.wake(id);
    await settle();
    expect(bed.containerOf(id).state).toBe('running');
  });

  test('is tried again when it could not be prepared', async () => {
    const id = bed.sessions.add();
    bed.sessions.receive(id);
    bed.sessions.get(id).refuse = 'the disk is full';
    bed.runtime.wake(id);
    await settle();
    expect(bed.sessions.record(id)).toMatchObject({ state: 'failed', reason: 'refused', failures: 1 });
    bed.sessions.get(id).refuse = null;
    await bed.clock.advance(policy.backoffMs);
    expect(bed.containerOf(id).state).toBe('running');
  });

  test('is stopped when it never says hello, and counted', async () => {
    const id = bed.sessions.add();
    bed.sessions.receive(id);
    bed.runtime.wake(id);
    await bed.clock.advance(policy.startTimeoutMs + policy.lookAgainMs);
    expect(bed.sessions.record(id)).toMatchObject({ failures: 1 });
    expect(bed.actionsOf(id)).toContain('stop');
  });

  test('is stopped when it is stuck, and not before the second look', async () => {
    const id = await bed.startBusy();
    await bed.clock.advance(policy.stuckAfterMs);
    expect(bed.containerOf(id).state).toBe('running');
    await bed.clock.advance(policy.suspectMs + policy.lookAgainMs);
    expect(bed.sessions.get(id).requeued).toEqual(['stuck']);
    expect(bed.sessions.record(id)).toMatchObject({ failures: 1, epoch: 2 });
  });

  test('is not stopped as stuck without end: each time counts, and the fifth is the last', async () => {
    const id = await bed.startBusy();
    for (let run = 1; run <= 5; run++) {
      expect(bed.containerOf(id)).toMatchObject({ state: 'running', spec: { epoch: run } });
      while (bed.sessions.get(id).requeued.length < run) await bed.clock.advance(1_000);
      expect(bed.sessions.record(id).failures).toBe(run);
      if (run === 5) break;
      while (bed.engine.ofSession(id)?.spec.epoch !== run + 1) await bed.clock.advance(1_000);
      bed.sessions.hello(id);
      bed.sessions.claim(id);
    }
    await bed.clock.advance(2 * policy.stuckAfterMs);
    expect(bed.actionsOf(id).filter((action) => action === 'start')).toHaveLength(5);
    expect(bed.sessions.get(id).requeued).toEqual(Array(5).fill('stuck'));
    expect(bed.runtime.state(id)).toMatchObject({ kind: 'failed', failures: 5 });
  });

  test('is not taken for stuck after the machine slept', async () => {
    const id = await bed.startBusy();
    await bed.clock.advance(10_000);
    // The machine sleeps for an hour: timers fire late, and all at once. The heart beats 2 s after.
    bed.clock.sleep(3_600_000);
    await bed.clock.advance(2_000);
    bed.sessions.beat(id);
    await bed.clock.advance(30_000);
    expect(bed.containerOf(id).state).toBe('running');
  });

  test('is not stopped for a claim of the run before it', async () => {
    const id = await bed.startBusy();
    const old = bed.sessions.get(id).live;
    bed.engine.die(bed.containerOf(id).id, 1);
    await bed.clock.advance(policy.backoffMs);
    bed.sessions.hello(id);
    bed.sessions.get(id).live = {
      ...bed.sessions.get(id).live,
      openClaims: 1,
      oldestClaimMs: old.oldestClaimMs,
      idleSinceMs: null,
    };
    for (let beat = 0; beat < 60; beat++) {
      await bed.clock.advance(2_000);
      bed.sessions.beat(id);
    }
    expect(bed.containerOf(id)).toMatchObject({ state: 'running', spec: { epoch: 2 } });
  });

  test('is rolled back when it left half a commit', async () => {
    const id = await bed.startBusy();
    bed.sessions.get(id).said = { kind: 'hot-journal' };
    bed.engine.gate = (action) => {
      if (action === 'recover') bed.sessions.get(id).said = null;
      return undefined;
    };
    bed.engine.die(bed.containerOf(id).id, 137);
    await settle();
    expect(bed.engine.recovered).toBe(1);
    expect(bed.sessions.get(id).requeued).toEqual(['crashed']);
  });

  test('is rolled back long after it ended, when somebody meets half a commit, and then read again', async () => {
    const id = await bed.startPaused();
    await bed.runtime.stopAll();
    await bed.restart();
    const told = bed.states.length;
    bed.runtime.reportHalfCommit(id);
    await settle();
    expect(bed.engine.recovered).toBe(1);
    expect(bed.states.slice(told)).toEqual([[id, { kind: 'idle' }]]);
    expect(bed.runtime.counts().watched).toBe(0);
  });

  test('is stopped at once when it breaks the contract, and stays stopped', async () => {
    const id = await bed.startBusy();
    bed.sessions.change(id, { quarantineReason: 'outbound.db is a link' });
    bed.runtime.reconcile(id);
    await settle();
    expect(bed.engine.ofSession(id)).toBeNull();
    expect(bed.runtime.counts()).toEqual({ watched: 0, places: 0, waiting: 0 });
    expect(bed.kinds(id).at(-1)).toBe('quarantined');
  });

  test('is stopped when somebody finds that it holds a lock', async () => {
    const id = await bed.startBusy();
    bed.runtime.requestStop(id, 'holds-lock');
    await settle();
    expect(bed.sessions.record(id)).toMatchObject({ state: 'failed', reason: 'holds-lock', failures: 1 });
    await bed.clock.advance(policy.backoffMs);
    expect(bed.containerOf(id).spec.epoch).toBe(2);
  });

  test('stays stopped, also for the next host, until work comes that is younger than the stop', async () => {
    const id = await bed.startBusy();
    bed.runtime.requestStop(id, 'stopped');
    await settle();
    expect(bed.sessions.get(id).requeued).toEqual(['stopped']);
    await bed.clock.advance(policy.backoffMs);
    bed.runtime.wake(id);
    await settle();
    await bed.restart();
    expect(bed.engine.ofSession(id)).toBeNull();
    expect(bed.runtime.state(id)).toEqual({ kind: 'idle' });
    await bed.clock.advance(1);
    bed.sessions.receive(id);
    bed.runtime.wake(id);
    await settle();
    expect(bed.containerOf(id)).toMatchObject({ state: 'running', spec: { epoch: 2 } });
  });

  test('is started by a message that came while it was being stopped by a person', async () => {
    const id = await bed.startBusy();
    bed.engine.gate = (action) => {
      if (action !== 'stop') return undefined;
      bed.clock.sleep(1);
      bed.sessions.receive(id);
      bed.clock.sleep(1);
      return undefined;
    };
    bed.runtime.requestStop(id, 'stopped');
    await settle();
    await bed.clock.advance(policy.backoffMs);
    expect(bed.containerOf(id).spec.epoch).toBe(2);
  });

  test('is started by a message that came after a person asked to stop it, before that could begin', async () => {
    const id = await bed.startPaused();
    bed.engine.gate = async (action) => {
      // Its step is under way by now.
      await Promise.resolve();
      if (action !== 'resume') return;
      bed.runtime.requestStop(id, 'stopped');
      bed.clock.sleep(1);
      bed.sessions.receive(id);
      bed.clock.sleep(1);
    };
    bed.sessions.receive(id);
    bed.runtime.wake(id);
    await settle();
    await bed.clock.advance(policy.backoffMs);
    expect(bed.containerOf(id).spec.epoch).toBe(2);
  });

  test('goes on when it was ended for another reason than a person who stopped it', async () => {
    const id = await bed.startBusy();
    bed.runtime.requestStop(id, 'requested');
    await settle();
    await bed.clock.advance(policy.backoffMs);
    expect(bed.containerOf(id).spec.epoch).toBe(2);
  });

  test('is stopped when its session is deleted', async () => {
    const id = await bed.startBusy();
    bed.sessions.sessions.delete(id);
    bed.runtime.reconcile(id);
    await settle();
    expect(bed.engine.ofSession(id)).toBeNull();
    expect(bed.runtime.counts().watched).toBe(0);
  });

  test('is found dead by the sweep when its event is lost', async () => {
    const id = await bed.startBusy();
    bed.engine.listeners.clear();
    bed.engine.die(bed.containerOf(id).id, 1);
    bed.sessions.beat(id);
    await bed.clock.advance(31_000);
    expect(bed.sessions.get(id).requeued).toEqual(['crashed']);
  });

  test('does not disturb another session', async () => {
    const [good, bad] = [await bed.startBusy(), await bed.startBusy()];
    bed.engine.die(bed.containerOf(bad).id, 1);
    await settle();
    expect(bed.actionsOf(good)).toEqual(['start']);
    expect(bed.runtime.state(good)).toEqual({ kind: 'running' });
  });

  test('survives a refusal of the engine, and is stopped at the next try', async () => {
    const id = await bed.startPaused();
    bed.engine.failNext.push({ action: 'stop', kind: 'stubborn' });
    bed.sessions.change(id, { ended: true });
    bed.runtime.reconcile(id);
    await settle();
    expect(bed.engine.ofSession(id)).not.toBeNull();
    await bed.clock.advance(policy.lookAgainMs);
    expect(bed.engine.ofSession(id)).toBeNull();
    expect(bed.log.lines.some(({ level, message }) => level === 'warn' && message === 'a step failed')).toBe(true);
  });
});
