import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeId } from '../../../shared/ids.ts';
import { settle } from './fake-clock.ts';
import { FakeDriver } from './fake-driver.ts';
import { policy, RuntimeBed } from './runtime-bed.ts';

let bed: RuntimeBed;

beforeEach(async () => {
  bed = await RuntimeBed.start();
});

afterEach(() => bed.end());

describe('a host that starts anew', () => {
  test('adopts a running container and leaves it alone', async () => {
    const id = await bed.startBusy();
    await bed.restart();
    expect(bed.actionsOf(id)).toEqual(['start']);
    expect(bed.runtime.state(id)).toEqual({ kind: 'running' });
    bed.sessions.finish(id);
    await bed.clock.advance(policy.pauseAfterMs + policy.lookAgainMs);
    expect(bed.containerOf(id).state).toBe('paused');
  });

  test('lost or silent: a container whose start was never recorded is adopted as running, not starting for ever', async () => {
    const id = await bed.startBusy();
    await bed.runtime[Symbol.asyncDispose]();
    // The host died between the driver's answer and its record of it.
    const record = bed.sessions.record(id);
    bed.sessions.save(id, { ...record, state: 'starting', containerId: null });
    bed.runtime = bed.makeRuntime();
    await bed.runtime.start();
    await settle();
    expect(bed.runtime.state(id)).toEqual({ kind: 'running' });
    expect(bed.sessions.record(id)).toMatchObject({ state: 'running', containerId: bed.containerOf(id).id });
    expect(bed.actionsOf(id)).toEqual(['start']);
  });

  test('adopts a frozen container, and thaws it for work that came meanwhile', async () => {
    const id = await bed.startPaused();
    await bed.runtime[Symbol.asyncDispose]();
    bed.sessions.receive(id);
    bed.runtime = bed.makeRuntime();
    await bed.runtime.start();
    await settle();
    expect(bed.containerOf(id)).toMatchObject({ state: 'running', spec: { epoch: 1 } });
  });

  test('thaws a container that was frozen in the middle of a turn', async () => {
    const id = await bed.startBusy();
    bed.containerOf(id).state = 'paused';
    await bed.restart();
    await bed.clock.advance(policy.lookAgainMs);
    expect(bed.containerOf(id).state).toBe('running');
  });

  test('finds what died meanwhile, and hands its claims back', async () => {
    const id = await bed.startBusy();
    await bed.runtime[Symbol.asyncDispose]();
    bed.engine.die(bed.containerOf(id).id, 1);
    bed.runtime = bed.makeRuntime();
    await bed.runtime.start();
    await settle();
    expect(bed.sessions.get(id).requeued).toEqual(['crashed']);
    await bed.clock.advance(policy.backoffMs);
    expect(bed.containerOf(id).spec.epoch).toBe(2);
  });

  test('finds what vanished meanwhile', async () => {
    const id = await bed.startBusy();
    await bed.runtime[Symbol.asyncDispose]();
    bed.engine.containers.clear();
    bed.runtime = bed.makeRuntime();
    await bed.runtime.start();
    await settle();
    expect(bed.sessions.get(id).requeued).toEqual(['vanished']);
  });

  test('starts nothing in the place of a container that it adopts', async () => {
    await bed.restart(1);
    const adopted = await bed.startBusy();
    const waiting = bed.sessions.add();
    bed.sessions.receive(waiting);
    // The waiting session is met first.
    bed.sessions.sessions = new Map([...bed.sessions.sessions].reverse());
    await bed.restart(1);
    expect(bed.engine.containers.size).toBe(1);
    expect(bed.containerOf(adopted).state).toBe('running');
    expect(bed.runtime.state(waiting)).toMatchObject({ kind: 'waiting', for: 'room' });
  });

  test('goes on with a stop that was under way', async () => {
    const id = await bed.startIdle();
    await bed.runtime[Symbol.asyncDispose]();
    bed.sessions.change(id, { record: { ...bed.sessions.record(id), state: 'stopping', reason: 'idle' } });
    bed.runtime = bed.makeRuntime();
    await bed.runtime.start();
    await settle();
    expect(bed.engine.ofSession(id)).toBeNull();
    expect(bed.sessions.record(id)).toMatchObject({ state: 'absent', failures: 0 });
  });

  test('goes on with a start that was under way, and counts no failure', async () => {
    const id = bed.sessions.add();
    bed.sessions.receive(id);
    bed.sessions.change(id, { record: { ...bed.sessions.record(id), state: 'starting', epoch: 1 } });
    await bed.restart();
    expect(bed.containerOf(id).spec.epoch).toBe(2);
    expect(bed.sessions.record(id).failures).toBe(0);
  });

  test('removes its own orphans, and nobody else’s', async () => {
    const gone = await bed.startBusy();
    const stale = await bed.startBusy();
    bed.sessions.change(stale, { record: { ...bed.sessions.record(stale), epoch: 9 } });
    const kept = await bed.startBusy();
    const neighbour = makeId('install');
    const spec = { ...bed.containerOf(kept).spec, installId: neighbour, sessionId: makeId('session') };
    await new FakeDriver(bed.engine, neighbour).start(spec);
    await bed.runtime[Symbol.asyncDispose]();
    bed.sessions.sessions.delete(gone);
    bed.runtime = bed.makeRuntime();
    await bed.runtime.start();
    await settle();
    expect(bed.engine.ofSession(gone)).toBeNull();
    expect(bed.containerOf(kept).state).toBe('running');
    expect(bed.containerOf(spec.sessionId).state).toBe('running');
    expect(bed.actionsOf(stale)).toContain('remove');
  });

  test('clears a container out of the way that an earlier run left', async () => {
    const id = await bed.startBusy();
    const left = bed.containerOf(id);
    await bed.runtime[Symbol.asyncDispose]();
    bed.runtime = bed.makeRuntime();
    await bed.runtime.start();
    await settle();
    // It shows up again under the name of the next run.
    bed.engine.die(left.id, 1);
    await settle();
    bed.engine.containers.set(left.id, { ...left, state: 'running' });
    await bed.clock.advance(policy.backoffMs);
    expect(bed.containerOf(id).spec.epoch).toBeGreaterThan(1);
    expect(bed.engine.containers.has(left.id)).toBe(false);
  });
});

describe('while the engine is away', () => {
  test('sessions say so, and go on by themselves when it is back', async () => {
    bed.engine.away = true;
    const id = bed.sessions.add();
    bed.sessions.receive(id);
    bed.runtime.wake(id);
    await settle();
    expect(bed.runtime.state(id)).toMatchObject({
      kind: 'waiting',
      for: 'docker',
      reason: expect.stringContaining('away'),
    });
    expect(bed.sessions.record(id).failures).toBe(0);
    await bed.clock.advance(60_000);
    expect(bed.runtime.state(id)).toMatchObject({ kind: 'waiting' });
    bed.engine.away = false;
    await bed.clock.advance(15_000);
    expect(bed.containerOf(id).state).toBe('running');
    expect(bed.sessions.record(id).failures).toBe(0);
  });

  test('a run is not believed to be over', async () => {
    const id = await bed.startBusy();
    bed.engine.away = true;
    await bed.restart();
    await bed.clock.advance(60_000);
    expect(bed.sessions.get(id).requeued).toEqual([]);
    expect(bed.runtime.state(id)).toMatchObject({ kind: 'waiting', for: 'docker' });
    bed.sessions.beat(id);
    bed.engine.away = false;
    await bed.clock.advance(15_000);
    expect(bed.sessions.get(id).requeued).toEqual([]);
    expect(bed.containerOf(id)).toMatchObject({ state: 'running', spec: { epoch: 1 } });
  });

  test('containers that died with it are found when it is back', async () => {
    const id = await bed.startBusy();
    bed.engine.away = true;
    const other = bed.sessions.add();
    bed.sessions.receive(other);
    bed.runtime.wake(other);
    await settle();
    Object.assign(bed.containerOf(id), { state: 'exited', exitCode: 137 });
    bed.engine.away = false;
    await bed.clock.advance(15_000);
    expect(bed.sessions.get(id).requeued).toEqual(['crashed']);
    expect(bed.containerOf(id)).toMatchObject({ state: 'running', spec: { epoch: 2 } });
    expect(bed.containerOf(other).state).toBe('running');
  });

  test('a frozen session thaws when it is back', async () => {
    const id = await bed.startPaused();
    bed.engine.away = true;
    bed.sessions.receive(id);
    bed.runtime.wake(id);
    await settle();
    expect(bed.runtime.state(id)).toMatchObject({ kind: 'waiting', for: 'docker' });
    bed.engine.away = false;
    await bed.clock.advance(15_000);
    expect(bed.containerOf(id).state).toBe('running');
  });
});
