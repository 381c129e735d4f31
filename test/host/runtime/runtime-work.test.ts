import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { epochMs } from '../../../shared/ids.ts';
import { settle } from './fake-clock.ts';
import { policy, RuntimeBed } from './runtime-bed.ts';

let bed: RuntimeBed;

beforeEach(async () => {
  bed = await RuntimeBed.start();
});

afterEach(() => bed.end());

describe('a session with work', () => {
  test('gets a container, and people see it start and run', async () => {
    const id = bed.sessions.add();
    bed.sessions.receive(id);
    bed.runtime.wake(id);
    await settle();
    expect(bed.containerOf(id)).toMatchObject({ state: 'running', spec: { epoch: 1 } });
    expect(bed.sessions.record(id)).toMatchObject({ state: 'running', epoch: 1, containerId: bed.containerOf(id).id });
    expect(bed.kinds(id)).toEqual(['starting', 'running']);
  });

  test('gets one container, however often it is woken', async () => {
    const id = bed.sessions.add();
    bed.sessions.receive(id);
    for (let ring = 0; ring < 50; ring++) bed.runtime.wake(id);
    await settle();
    for (let ring = 0; ring < 50; ring++) bed.runtime.wake(id);
    await settle();
    expect(bed.actionsOf(id)).toEqual(['start']);
  });

  test('costs no read and no engine call when it is woken while it runs', async () => {
    const id = await bed.startIdle();
    await settle();
    const before = bed.engine.actions.length;
    for (let ring = 0; ring < 1_000; ring++) bed.runtime.wake(id);
    await settle();
    expect(bed.sessions.get(id).looks).toBe(0);
    expect(bed.engine.actions).toHaveLength(before);
  });

  test('starts when what waited for a time falls due', async () => {
    const id = bed.sessions.add();
    bed.sessions.change(id, { nextDueMs: epochMs(bed.clock.now() + 60_000) });
    bed.runtime.wake(id);
    await bed.clock.advance(59_000);
    expect(bed.engine.ofSession(id)).toBeNull();
    await bed.clock.advance(1_000);
    expect(bed.containerOf(id).state).toBe('running');
  });

  test('is forgotten once nothing is left to do', async () => {
    const id = bed.sessions.add();
    bed.runtime.wake(id);
    await settle();
    expect(bed.runtime.counts()).toEqual({ watched: 0, places: 0, waiting: 0 });
    expect(bed.clock.pending).toBe(0);
  });

  test('does not start in quarantine, and does once it is released', async () => {
    const id = bed.sessions.add();
    bed.sessions.receive(id);
    bed.sessions.change(id, { quarantineReason: 'a view' });
    bed.runtime.wake(id);
    await settle();
    expect(bed.engine.actions).toEqual([]);
    expect(bed.runtime.counts().watched).toBe(0);
    expect(bed.states.at(-1)).toEqual([id, { kind: 'quarantined', reason: 'a view' }]);
    bed.sessions.change(id, { quarantineReason: null });
    bed.runtime.reconcile(id);
    await settle();
    expect(bed.containerOf(id).state).toBe('running');
  });
});

describe('an idle session', () => {
  test('is frozen, and later stopped and forgotten', async () => {
    const id = await bed.startPaused();
    expect(bed.sessions.record(id).state).toBe('paused');
    await bed.clock.advance(policy.stopAfterMs + policy.lookAgainMs);
    expect(bed.engine.ofSession(id)).toBeNull();
    expect(bed.sessions.record(id)).toMatchObject({ state: 'absent', failures: 0, containerId: null });
    expect(bed.kinds(id)).toEqual(['starting', 'running', 'paused', 'stopping', 'idle']);
    expect(bed.runtime.counts()).toEqual({ watched: 0, places: 0, waiting: 0 });
  });

  test('thaws at once for a message, without asking what the container says', async () => {
    const id = await bed.startPaused();
    const { looks } = bed.sessions.get(id);
    bed.sessions.receive(id);
    bed.runtime.wake(id);
    // The engine is called before wake returns: nothing slow is in front of it.
    expect(bed.actionsOf(id).at(-1)).toBe('resume');
    await settle();
    expect(bed.containerOf(id).state).toBe('running');
    expect(bed.sessions.get(id).looks).toBe(looks);
    expect(bed.sessions.record(id).state).toBe('running');
  });

  test('thaws for a row that falls due', async () => {
    const id = await bed.startPaused();
    bed.sessions.change(id, { nextDueMs: epochMs(bed.clock.now() + 30_000) });
    bed.runtime.reconcile(id);
    await bed.clock.advance(30_000);
    expect(bed.containerOf(id).state).toBe('running');
  });

  test('stays frozen when it is woken without work', async () => {
    const id = await bed.startPaused();
    bed.runtime.wake(id);
    await settle();
    expect(bed.containerOf(id).state).toBe('paused');
  });

  test('thaws again when a lock is held, and is frozen once it is free', async () => {
    const id = await bed.startIdle();
    bed.sessions.get(id).locksFree = false;
    await bed.clock.advance(policy.pauseAfterMs + policy.lookAgainMs);
    expect(bed.actionsOf(id)).toEqual(expect.arrayContaining(['pause', 'resume']));
    expect(bed.containerOf(id).state).toBe('running');
    expect(bed.sessions.record(id).state).toBe('running');
    bed.sessions.get(id).locksFree = true;
    await bed.clock.advance(policy.pauseAgainMs + policy.pauseAfterMs);
    expect(bed.containerOf(id).state).toBe('paused');
  });

  test('runs on when the engine cannot freeze it, and is frozen later', async () => {
    const id = await bed.startIdle();
    bed.engine.failNext.push({ action: 'pause', kind: 'engine-refused' });
    await bed.clock.advance(policy.pauseAfterMs + policy.quietMs);
    expect(bed.containerOf(id).state).toBe('running');
    await bed.clock.advance(policy.pauseAgainMs + policy.lookAgainMs);
    expect(bed.containerOf(id).state).toBe('paused');
  });

  test('is not frozen when work comes in the quiet before', async () => {
    const id = await bed.startIdle();
    await bed.clock.advance(policy.pauseAfterMs);
    bed.sessions.receive(id);
    bed.runtime.wake(id);
    await bed.clock.advance(policy.quietMs * 2);
    expect(bed.actionsOf(id)).not.toContain('pause');
  });

  test('thaws when work comes in the middle of freezing', async () => {
    const id = await bed.startIdle();
    bed.engine.gate = (action) => {
      if (action !== 'pause') return undefined;
      bed.engine.gate = null;
      bed.sessions.receive(id);
      bed.runtime.wake(id);
      return undefined;
    };
    await bed.clock.advance(policy.pauseAfterMs + policy.lookAgainMs);
    expect(bed.actionsOf(id).slice(-2)).toEqual(['pause', 'resume']);
    expect(bed.containerOf(id).state).toBe('running');
  });

  test('is not frozen while it works', async () => {
    const id = await bed.startBusy();
    for (let beat = 0; beat < 60; beat++) {
      bed.sessions.beat(id);
      await bed.clock.advance(2_000);
    }
    expect(bed.actionsOf(id)).toEqual(['start']);
  });

  test('is stopped when the machine is short of memory', async () => {
    const id = await bed.startPaused();
    bed.pressure = true;
    await bed.clock.advance(60_000);
    expect(bed.engine.ofSession(id)).toBeNull();
  });

  test('is replaced when its config changed', async () => {
    const id = await bed.startPaused();
    bed.sessions.change(id, { configVersion: 2 });
    bed.sessions.receive(id);
    bed.runtime.wake(id);
    await settle();
    expect(bed.containerOf(id).spec).toMatchObject({ configVersion: 2, epoch: 2 });
    expect(bed.sessions.record(id).failures).toBe(0);
  });
});

describe('a session whose image is not there', () => {
  test('waits for it without a failure or a place, and starts when it is rung', async () => {
    const id = bed.sessions.add();
    bed.sessions.get(id).isImageGone = true;
    bed.sessions.receive(id);
    bed.runtime.wake(id);
    await settle();
    expect(bed.runtime.state(id)).toMatchObject({ kind: 'waiting', for: 'image', reason: 'Its image is being built.' });
    expect(bed.sessions.record(id)).toMatchObject({ state: 'absent', failures: 0 });
    expect(bed.runtime.counts().places).toBe(0);
    bed.sessions.get(id).isImageGone = false;
    bed.sessions.change(id, { image: { kind: 'ready', image: 'fake-image' } });
    bed.runtime.reconcile(id);
    await settle();
    expect(bed.containerOf(id).state).toBe('running');
  });
});
