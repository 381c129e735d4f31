import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DEFAULT_POLICY, type RuntimePolicy } from '../../../host/runtime/policy.ts';
import type { SessionState } from '../../../host/runtime/ports.ts';
import { Runtime } from '../../../host/runtime/runtime.ts';
import { epochMs, type InstallId, makeId, type SessionId } from '../../../shared/ids.ts';
import { FakeClock, settle } from './fake-clock.ts';
import { FakeDriver, FakeEngine } from './fake-driver.ts';
import { FakeSessions } from './fake-sessions.ts';
import { makeSilentLog } from './silent-log.ts';

const policy: RuntimePolicy = DEFAULT_POLICY;

let clock: FakeClock;
let engine: FakeEngine;
let installId: InstallId;
let sessions: FakeSessions;
let runtime: Runtime;
let states: [SessionId, SessionState][];
let log: ReturnType<typeof makeSilentLog>;
let pressure = false;

function makeRuntime(maxRunning = 8): Runtime {
  return new Runtime({
    driver: new FakeDriver(engine, installId),
    sessions,
    policy,
    maxRunning,
    clock,
    log,
    onState: (id, state) => states.push([id, state]),
    memoryPressure: () => pressure,
  });
}

/** The host dies and starts anew: nothing but the engine and the stored records is left. */
async function restart(maxRunning = 8): Promise<void> {
  await runtime[Symbol.asyncDispose]();
  runtime = makeRuntime(maxRunning);
  await runtime.start();
  await settle();
}

beforeEach(async () => {
  clock = new FakeClock();
  engine = new FakeEngine(
    () => clock.now(),
    (ms) => new Promise((resolve) => void clock.at(epochMs(clock.now() + ms), resolve)),
  );
  installId = makeId('install');
  sessions = new FakeSessions(installId, () => clock.now());
  states = [];
  pressure = false;
  log = makeSilentLog();
  runtime = makeRuntime();
  await runtime.start();
  await settle();
});

afterEach(async () => {
  await runtime[Symbol.asyncDispose]();
  expect(log.lines.filter(({ level }) => level === 'error')).toEqual([]);
});

const kinds = (id: SessionId) => states.filter(([each]) => each === id).map(([, state]) => state.kind);
const containerOf = (id: SessionId) => {
  const found = engine.ofSession(id);
  if (found === null) throw new Error('the session has no container');
  return found;
};
const actionsOf = (id: SessionId) =>
  engine.actions.filter((action) => action.endsWith(id)).map((action) => action.split(' ')[0]);

/** A session whose runner came up, worked, and is idle now. */
async function startIdle(id = sessions.add()): Promise<SessionId> {
  sessions.receive(id);
  runtime.wake(id);
  await settle();
  sessions.hello(id);
  sessions.finish(id);
  return id;
}

async function startPaused(id = sessions.add()): Promise<SessionId> {
  await startIdle(id);
  await clock.advance(policy.pauseAfterMs + policy.lookAgainMs + policy.quietMs);
  expect(containerOf(id).state).toBe('paused');
  return id;
}

/** A session whose runner works on a message. */
async function startBusy(id = sessions.add()): Promise<SessionId> {
  sessions.receive(id);
  runtime.wake(id);
  await settle();
  sessions.hello(id);
  sessions.claim(id);
  return id;
}

describe('a session with work', () => {
  test('gets a container, and people see it start and run', async () => {
    const id = sessions.add();
    sessions.receive(id);
    runtime.wake(id);
    await settle();
    expect(containerOf(id)).toMatchObject({ state: 'running', spec: { epoch: 1 } });
    expect(sessions.record(id)).toMatchObject({ state: 'running', epoch: 1, containerId: containerOf(id).id });
    expect(kinds(id)).toEqual(['starting', 'running']);
  });

  test('gets one container, however often it is woken', async () => {
    const id = sessions.add();
    sessions.receive(id);
    for (let ring = 0; ring < 50; ring++) runtime.wake(id);
    await settle();
    for (let ring = 0; ring < 50; ring++) runtime.wake(id);
    await settle();
    expect(actionsOf(id)).toEqual(['start']);
  });

  test('costs no read and no engine call when it is woken while it runs', async () => {
    const id = await startIdle();
    await settle();
    const before = engine.actions.length;
    for (let ring = 0; ring < 1_000; ring++) runtime.wake(id);
    await settle();
    expect(sessions.get(id).looks).toBe(0);
    expect(engine.actions).toHaveLength(before);
  });

  test('starts when what waited for a time falls due', async () => {
    const id = sessions.add();
    sessions.change(id, { nextDueMs: epochMs(clock.now() + 60_000) });
    runtime.wake(id);
    await clock.advance(59_000);
    expect(engine.ofSession(id)).toBeNull();
    await clock.advance(1_000);
    expect(containerOf(id).state).toBe('running');
  });

  test('is forgotten once nothing is left to do', async () => {
    const id = sessions.add();
    runtime.wake(id);
    await settle();
    expect(runtime.counts()).toEqual({ watched: 0, places: 0, waiting: 0 });
    expect(clock.pending).toBe(0);
  });

  test('does not start in quarantine, and does once it is released', async () => {
    const id = sessions.add();
    sessions.receive(id);
    sessions.change(id, { quarantineReason: 'a view' });
    runtime.wake(id);
    await settle();
    expect(engine.actions).toEqual([]);
    expect(runtime.counts().watched).toBe(0);
    expect(states.at(-1)).toEqual([id, { kind: 'quarantined', reason: 'a view' }]);
    sessions.change(id, { quarantineReason: null });
    runtime.reconcile(id);
    await settle();
    expect(containerOf(id).state).toBe('running');
  });
});

describe('an idle session', () => {
  test('is frozen, and later stopped and forgotten', async () => {
    const id = await startPaused();
    expect(sessions.record(id).state).toBe('paused');
    await clock.advance(policy.stopAfterMs + policy.lookAgainMs);
    expect(engine.ofSession(id)).toBeNull();
    expect(sessions.record(id)).toMatchObject({ state: 'absent', failures: 0, containerId: null });
    expect(kinds(id)).toEqual(['starting', 'running', 'paused', 'stopping', 'idle']);
    expect(runtime.counts()).toEqual({ watched: 0, places: 0, waiting: 0 });
  });

  test('thaws at once for a message, without asking what the container says', async () => {
    const id = await startPaused();
    const { looks } = sessions.get(id);
    sessions.receive(id);
    runtime.wake(id);
    // The engine is called before wake returns: nothing slow is in front of it.
    expect(actionsOf(id).at(-1)).toBe('resume');
    await settle();
    expect(containerOf(id).state).toBe('running');
    expect(sessions.get(id).looks).toBe(looks);
    expect(sessions.record(id).state).toBe('running');
  });

  test('thaws for a row that falls due', async () => {
    const id = await startPaused();
    sessions.change(id, { nextDueMs: epochMs(clock.now() + 30_000) });
    runtime.reconcile(id);
    await clock.advance(30_000);
    expect(containerOf(id).state).toBe('running');
  });

  test('stays frozen when it is woken without work', async () => {
    const id = await startPaused();
    runtime.wake(id);
    await settle();
    expect(containerOf(id).state).toBe('paused');
  });

  test('thaws again when a lock is held, and is frozen once it is free', async () => {
    const id = await startIdle();
    sessions.get(id).locksFree = false;
    await clock.advance(policy.pauseAfterMs + policy.lookAgainMs);
    expect(actionsOf(id)).toEqual(expect.arrayContaining(['pause', 'resume']));
    expect(containerOf(id).state).toBe('running');
    expect(sessions.record(id).state).toBe('running');
    sessions.get(id).locksFree = true;
    await clock.advance(policy.pauseAgainMs + policy.pauseAfterMs);
    expect(containerOf(id).state).toBe('paused');
  });

  test('runs on when the engine cannot freeze it, and is frozen later', async () => {
    const id = await startIdle();
    engine.failNext.push({ action: 'pause', kind: 'engine-refused' });
    await clock.advance(policy.pauseAfterMs + policy.quietMs);
    expect(containerOf(id).state).toBe('running');
    await clock.advance(policy.pauseAgainMs + policy.lookAgainMs);
    expect(containerOf(id).state).toBe('paused');
  });

  test('is not frozen when work comes in the quiet before', async () => {
    const id = await startIdle();
    await clock.advance(policy.pauseAfterMs);
    sessions.receive(id);
    runtime.wake(id);
    await clock.advance(policy.quietMs * 2);
    expect(actionsOf(id)).not.toContain('pause');
  });

  test('thaws when work comes in the middle of freezing', async () => {
    const id = await startIdle();
    engine.gate = (action) => {
      if (action !== 'pause') return undefined;
      engine.gate = null;
      sessions.receive(id);
      runtime.wake(id);
      return undefined;
    };
    await clock.advance(policy.pauseAfterMs + policy.lookAgainMs);
    expect(actionsOf(id).slice(-2)).toEqual(['pause', 'resume']);
    expect(containerOf(id).state).toBe('running');
  });

  test('is not frozen while it works', async () => {
    const id = await startBusy();
    for (let beat = 0; beat < 60; beat++) {
      sessions.beat(id);
      await clock.advance(2_000);
    }
    expect(actionsOf(id)).toEqual(['start']);
  });

  test('is stopped when the machine is short of memory', async () => {
    const id = await startPaused();
    pressure = true;
    await clock.advance(60_000);
    expect(engine.ofSession(id)).toBeNull();
  });

  test('is replaced when its config changed', async () => {
    const id = await startPaused();
    sessions.change(id, { configVersion: 2 });
    sessions.receive(id);
    runtime.wake(id);
    await settle();
    expect(containerOf(id).spec).toMatchObject({ configVersion: 2, epoch: 2 });
    expect(sessions.record(id).failures).toBe(0);
  });
});

describe('a session whose image is not there', () => {
  test('waits for it without a failure or a place, and starts when it is rung', async () => {
    const id = sessions.add();
    sessions.get(id).isImageGone = true;
    sessions.receive(id);
    runtime.wake(id);
    await settle();
    expect(runtime.state(id)).toMatchObject({ kind: 'waiting', for: 'image', reason: 'Its image is being built.' });
    expect(sessions.record(id)).toMatchObject({ state: 'absent', failures: 0 });
    expect(runtime.counts().places).toBe(0);
    sessions.get(id).isImageGone = false;
    sessions.change(id, { image: { kind: 'ready', image: 'fake-image' } });
    runtime.reconcile(id);
    await settle();
    expect(containerOf(id).state).toBe('running');
  });
});

describe('a container that fails', () => {
  test('hands its claims back, backs off and starts again', async () => {
    const id = await startBusy();
    engine.die(containerOf(id).id, 1);
    await settle();
    expect(sessions.get(id).requeued).toEqual(['crashed']);
    expect(sessions.record(id)).toMatchObject({ state: 'failed', failures: 1, reason: 'crashed' });
    expect(engine.ofSession(id)).toBeNull();
    await clock.advance(policy.backoffMs);
    expect(containerOf(id)).toMatchObject({ state: 'running', spec: { epoch: 2 } });
  });

  test('fails for good after five runs, says so, and tries again for a new message', async () => {
    sessions.program = 'exit';
    const id = sessions.add();
    sessions.receive(id);
    runtime.wake(id);
    await clock.advance(10 * 60_000);
    expect(actionsOf(id).filter((action) => action === 'start')).toHaveLength(5);
    expect(runtime.state(id)).toMatchObject({ kind: 'failed', failures: 5 });
    sessions.program = 'obey';
    sessions.receive(id);
    runtime.wake(id);
    await settle();
    expect(containerOf(id).state).toBe('running');
  });

  test('shows that it waits for the next try', async () => {
    sessions.program = 'exit';
    const id = sessions.add();
    sessions.receive(id);
    runtime.wake(id);
    await settle();
    expect(runtime.state(id)).toMatchObject({ kind: 'waiting', for: 'retry' });
  });

  test('is forgiven once a run reached idle', async () => {
    const id = await startBusy();
    engine.die(containerOf(id).id, 1);
    await clock.advance(policy.backoffMs);
    sessions.hello(id);
    sessions.finish(id);
    await clock.advance(policy.pauseAfterMs + policy.lookAgainMs);
    expect(sessions.record(id).failures).toBe(0);
  });

  test('is not tried again without an image, until a message comes', async () => {
    engine.failNext.push({ action: 'start', kind: 'image-missing' });
    const id = sessions.add();
    sessions.receive(id);
    runtime.wake(id);
    await clock.advance(60_000);
    expect(runtime.state(id)).toMatchObject({ kind: 'failed', reason: expect.stringContaining('npm run up') });
    expect(actionsOf(id)).toEqual([]);
    sessions.receive(id);
    runtime.wake(id);
    await settle();
    expect(containerOf(id).state).toBe('running');
  });

  test('is tried again when it could not be prepared', async () => {
    const id = sessions.add();
    sessions.receive(id);
    sessions.get(id).refuse = 'the disk is full';
    runtime.wake(id);
    await settle();
    expect(sessions.record(id)).toMatchObject({ state: 'failed', reason: 'refused', failures: 1 });
    sessions.get(id).refuse = null;
    await clock.advance(policy.backoffMs);
    expect(containerOf(id).state).toBe('running');
  });

  test('is stopped when it never says hello, and counted', async () => {
    const id = sessions.add();
    sessions.receive(id);
    runtime.wake(id);
    await clock.advance(policy.startTimeoutMs + policy.lookAgainMs);
    expect(sessions.record(id)).toMatchObject({ failures: 1 });
    expect(actionsOf(id)).toContain('stop');
  });

  test('is stopped when it is stuck, and not before the second look', async () => {
    const id = await startBusy();
    await clock.advance(policy.stuckAfterMs);
    expect(containerOf(id).state).toBe('running');
    await clock.advance(policy.suspectMs + policy.lookAgainMs);
    expect(sessions.get(id).requeued).toEqual(['stuck']);
    expect(sessions.record(id)).toMatchObject({ failures: 1, epoch: 2 });
  });

  test('is not stopped as stuck without end: each time counts, and the fifth is the last', async () => {
    const id = await startBusy();
    for (let run = 1; run <= 5; run++) {
      expect(containerOf(id)).toMatchObject({ state: 'running', spec: { epoch: run } });
      while (sessions.get(id).requeued.length < run) await clock.advance(1_000);
      expect(sessions.record(id).failures).toBe(run);
      if (run === 5) break;
      while (engine.ofSession(id)?.spec.epoch !== run + 1) await clock.advance(1_000);
      sessions.hello(id);
      sessions.claim(id);
    }
    await clock.advance(2 * policy.stuckAfterMs);
    expect(actionsOf(id).filter((action) => action === 'start')).toHaveLength(5);
    expect(sessions.get(id).requeued).toEqual(Array(5).fill('stuck'));
    expect(runtime.state(id)).toMatchObject({ kind: 'failed', failures: 5 });
  });

  test('is not taken for stuck after the machine slept', async () => {
    const id = await startBusy();
    await clock.advance(10_000);
    // The machine sleeps for an hour: timers fire late, and all at once. The heart beats 2 s after.
    clock.sleep(3_600_000);
    await clock.advance(2_000);
    sessions.beat(id);
    await clock.advance(30_000);
    expect(containerOf(id).state).toBe('running');
  });

  test('is not stopped for a claim of the run before it', async () => {
    const id = await startBusy();
    const old = sessions.get(id).live;
    engine.die(containerOf(id).id, 1);
    await clock.advance(policy.backoffMs);
    sessions.hello(id);
    sessions.get(id).live = {
      ...sessions.get(id).live,
      openClaims: 1,
      oldestClaimMs: old.oldestClaimMs,
      idleSinceMs: null,
    };
    for (let beat = 0; beat < 60; beat++) {
      await clock.advance(2_000);
      sessions.beat(id);
    }
    expect(containerOf(id)).toMatchObject({ state: 'running', spec: { epoch: 2 } });
  });

  test('is rolled back when it left half a commit', async () => {
    const id = await startBusy();
    sessions.get(id).said = { kind: 'hot-journal' };
    engine.gate = (action) => {
      if (action === 'recover') sessions.get(id).said = null;
      return undefined;
    };
    engine.die(containerOf(id).id, 137);
    await settle();
    expect(engine.recovered).toBe(1);
    expect(sessions.get(id).requeued).toEqual(['crashed']);
  });

  test('is rolled back long after it ended, when somebody meets half a commit, and then read again', async () => {
    const id = await startPaused();
    await runtime.stopAll();
    await restart();
    const told = states.length;
    runtime.reportHalfCommit(id);
    await settle();
    expect(engine.recovered).toBe(1);
    expect(states.slice(told)).toEqual([[id, { kind: 'idle' }]]);
    expect(runtime.counts().watched).toBe(0);
  });

  test('is stopped at once when it breaks the contract, and stays stopped', async () => {
    const id = await startBusy();
    sessions.change(id, { quarantineReason: 'outbound.db is a link' });
    runtime.reconcile(id);
    await settle();
    expect(engine.ofSession(id)).toBeNull();
    expect(runtime.counts()).toEqual({ watched: 0, places: 0, waiting: 0 });
    expect(kinds(id).at(-1)).toBe('quarantined');
  });

  test('is stopped when somebody finds that it holds a lock', async () => {
    const id = await startBusy();
    runtime.requestStop(id, 'holds-lock');
    await settle();
    expect(sessions.record(id)).toMatchObject({ state: 'failed', reason: 'holds-lock', failures: 1 });
    await clock.advance(policy.backoffMs);
    expect(containerOf(id).spec.epoch).toBe(2);
  });

  test('stays stopped, also for the next host, until work comes that is younger than the stop', async () => {
    const id = await startBusy();
    runtime.requestStop(id, 'stopped');
    await settle();
    expect(sessions.get(id).requeued).toEqual(['stopped']);
    await clock.advance(policy.backoffMs);
    runtime.wake(id);
    await settle();
    await restart();
    expect(engine.ofSession(id)).toBeNull();
    expect(runtime.state(id)).toEqual({ kind: 'idle' });
    await clock.advance(1);
    sessions.receive(id);
    runtime.wake(id);
    await settle();
    expect(containerOf(id)).toMatchObject({ state: 'running', spec: { epoch: 2 } });
  });

  test('is started by a message that came while it was being stopped by a person', async () => {
    const id = await startBusy();
    engine.gate = (action) => {
      if (action !== 'stop') return undefined;
      clock.sleep(1);
      sessions.receive(id);
      clock.sleep(1);
      return undefined;
    };
    runtime.requestStop(id, 'stopped');
    await settle();
    await clock.advance(policy.backoffMs);
    expect(containerOf(id).spec.epoch).toBe(2);
  });

  test('is started by a message that came after a person asked to stop it, before that could begin', async () => {
    const id = await startPaused();
    engine.gate = async (action) => {
      // Its step is under way by now.
      await Promise.resolve();
      if (action !== 'resume') return;
      runtime.requestStop(id, 'stopped');
      clock.sleep(1);
      sessions.receive(id);
      clock.sleep(1);
    };
    sessions.receive(id);
    runtime.wake(id);
    await settle();
    await clock.advance(policy.backoffMs);
    expect(containerOf(id).spec.epoch).toBe(2);
  });

  test('goes on when it was ended for another reason than a person who stopped it', async () => {
    const id = await startBusy();
    runtime.requestStop(id, 'requested');
    await settle();
    await clock.advance(policy.backoffMs);
    expect(containerOf(id).spec.epoch).toBe(2);
  });

  test('is stopped when its session is deleted', async () => {
    const id = await startBusy();
    sessions.sessions.delete(id);
    runtime.reconcile(id);
    await settle();
    expect(engine.ofSession(id)).toBeNull();
    expect(runtime.counts().watched).toBe(0);
  });

  test('is found dead by the sweep when its event is lost', async () => {
    const id = await startBusy();
    engine.listeners.clear();
    engine.die(containerOf(id).id, 1);
    sessions.beat(id);
    await clock.advance(31_000);
    expect(sessions.get(id).requeued).toEqual(['crashed']);
  });

  test('does not disturb another session', async () => {
    const [good, bad] = [await startBusy(), await startBusy()];
    engine.die(containerOf(bad).id, 1);
    await settle();
    expect(actionsOf(good)).toEqual(['start']);
    expect(runtime.state(good)).toEqual({ kind: 'running' });
  });

  test('survives a refusal of the engine, and is stopped at the next try', async () => {
    const id = await startPaused();
    engine.failNext.push({ action: 'stop', kind: 'stubborn' });
    sessions.change(id, { ended: true });
    runtime.reconcile(id);
    await settle();
    expect(engine.ofSession(id)).not.toBeNull();
    await clock.advance(policy.lookAgainMs);
    expect(engine.ofSession(id)).toBeNull();
    expect(log.lines.some(({ level, message }) => level === 'warn' && message === 'a step failed')).toBe(true);
  });
});

describe('a host that starts anew', () => {
  test('adopts a running container and leaves it alone', async () => {
    const id = await startBusy();
    await restart();
    expect(actionsOf(id)).toEqual(['start']);
    expect(runtime.state(id)).toEqual({ kind: 'running' });
    sessions.finish(id);
    await clock.advance(policy.pauseAfterMs + policy.lookAgainMs);
    expect(containerOf(id).state).toBe('paused');
  });

  test('lost or silent: a container whose start was never recorded is adopted as running, not starting for ever', async () => {
    const id = await startBusy();
    await runtime[Symbol.asyncDispose]();
    // The host died between the driver's answer and its record of it.
    const record = sessions.record(id);
    sessions.save(id, { ...record, state: 'starting', containerId: null });
    runtime = makeRuntime();
    await runtime.start();
    await settle();
    expect(runtime.state(id)).toEqual({ kind: 'running' });
    expect(sessions.record(id)).toMatchObject({ state: 'running', containerId: containerOf(id).id });
    expect(actionsOf(id)).toEqual(['start']);
  });

  test('adopts a frozen container, and thaws it for work that came meanwhile', async () => {
    const id = await startPaused();
    await runtime[Symbol.asyncDispose]();
    sessions.receive(id);
    runtime = makeRuntime();
    await runtime.start();
    await settle();
    expect(containerOf(id)).toMatchObject({ state: 'running', spec: { epoch: 1 } });
  });

  test('thaws a container that was frozen in the middle of a turn', async () => {
    const id = await startBusy();
    containerOf(id).state = 'paused';
    await restart();
    await clock.advance(policy.lookAgainMs);
    expect(containerOf(id).state).toBe('running');
  });

  test('finds what died meanwhile, and hands its claims back', async () => {
    const id = await startBusy();
    await runtime[Symbol.asyncDispose]();
    engine.die(containerOf(id).id, 1);
    runtime = makeRuntime();
    await runtime.start();
    await settle();
    expect(sessions.get(id).requeued).toEqual(['crashed']);
    await clock.advance(policy.backoffMs);
    expect(containerOf(id).spec.epoch).toBe(2);
  });

  test('finds what vanished meanwhile', async () => {
    const id = await startBusy();
    await runtime[Symbol.asyncDispose]();
    engine.containers.clear();
    runtime = makeRuntime();
    await runtime.start();
    await settle();
    expect(sessions.get(id).requeued).toEqual(['vanished']);
  });

  test('starts nothing in the place of a container that it adopts', async () => {
    await restart(1);
    const adopted = await startBusy();
    const waiting = sessions.add();
    sessions.receive(waiting);
    // The waiting session is met first.
    sessions.sessions = new Map([...sessions.sessions].reverse());
    await restart(1);
    expect(engine.containers.size).toBe(1);
    expect(containerOf(adopted).state).toBe('running');
    expect(runtime.state(waiting)).toMatchObject({ kind: 'waiting', for: 'room' });
  });

  test('goes on with a stop that was under way', async () => {
    const id = await startIdle();
    await runtime[Symbol.asyncDispose]();
    sessions.change(id, { record: { ...sessions.record(id), state: 'stopping', reason: 'idle' } });
    runtime = makeRuntime();
    await runtime.start();
    await settle();
    expect(engine.ofSession(id)).toBeNull();
    expect(sessions.record(id)).toMatchObject({ state: 'absent', failures: 0 });
  });

  test('goes on with a start that was under way, and counts no failure', async () => {
    const id = sessions.add();
    sessions.receive(id);
    sessions.change(id, { record: { ...sessions.record(id), state: 'starting', epoch: 1 } });
    await restart();
    expect(containerOf(id).spec.epoch).toBe(2);
    expect(sessions.record(id).failures).toBe(0);
  });

  test('removes its own orphans, and nobody else’s', async () => {
    const gone = await startBusy();
    const stale = await startBusy();
    sessions.change(stale, { record: { ...sessions.record(stale), epoch: 9 } });
    const kept = await startBusy();
    const neighbour = makeId('install');
    const spec = { ...containerOf(kept).spec, installId: neighbour, sessionId: makeId('session') };
    await new FakeDriver(engine, neighbour).start(spec);
    await runtime[Symbol.asyncDispose]();
    sessions.sessions.delete(gone);
    runtime = makeRuntime();
    await runtime.start();
    await settle();
    expect(engine.ofSession(gone)).toBeNull();
    expect(containerOf(kept).state).toBe('running');
    expect(containerOf(spec.sessionId).state).toBe('running');
    expect(actionsOf(stale)).toContain('remove');
  });

  test('clears a container out of the way that an earlier run left', async () => {
    const id = await startBusy();
    const left = containerOf(id);
    await runtime[Symbol.asyncDispose]();
    runtime = makeRuntime();
    await runtime.start();
    await settle();
    // It shows up again under the name of the next run.
    engine.die(left.id, 1);
    await settle();
    engine.containers.set(left.id, { ...left, state: 'running' });
    await clock.advance(policy.backoffMs);
    expect(containerOf(id).spec.epoch).toBeGreaterThan(1);
    expect(engine.containers.has(left.id)).toBe(false);
  });
});

describe('while the engine is away', () => {
  test('sessions say so, and go on by themselves when it is back', async () => {
    engine.away = true;
    const id = sessions.add();
    sessions.receive(id);
    runtime.wake(id);
    await settle();
    expect(runtime.state(id)).toMatchObject({
      kind: 'waiting',
      for: 'docker',
      reason: expect.stringContaining('away'),
    });
    expect(sessions.record(id).failures).toBe(0);
    await clock.advance(60_000);
    expect(runtime.state(id)).toMatchObject({ kind: 'waiting' });
    engine.away = false;
    await clock.advance(15_000);
    expect(containerOf(id).state).toBe('running');
    expect(sessions.record(id).failures).toBe(0);
  });

  test('a run is not believed to be over', async () => {
    const id = await startBusy();
    engine.away = true;
    await restart();
    await clock.advance(60_000);
    expect(sessions.get(id).requeued).toEqual([]);
    expect(runtime.state(id)).toMatchObject({ kind: 'waiting', for: 'docker' });
    sessions.beat(id);
    engine.away = false;
    await clock.advance(15_000);
    expect(sessions.get(id).requeued).toEqual([]);
    expect(containerOf(id)).toMatchObject({ state: 'running', spec: { epoch: 1 } });
  });

  test('containers that died with it are found when it is back', async () => {
    const id = await startBusy();
    engine.away = true;
    const other = sessions.add();
    sessions.receive(other);
    runtime.wake(other);
    await settle();
    Object.assign(containerOf(id), { state: 'exited', exitCode: 137 });
    engine.away = false;
    await clock.advance(15_000);
    expect(sessions.get(id).requeued).toEqual(['crashed']);
    expect(containerOf(id)).toMatchObject({ state: 'running', spec: { epoch: 2 } });
    expect(containerOf(other).state).toBe('running');
  });

  test('a frozen session thaws when it is back', async () => {
    const id = await startPaused();
    engine.away = true;
    sessions.receive(id);
    runtime.wake(id);
    await settle();
    expect(runtime.state(id)).toMatchObject({ kind: 'waiting', for: 'docker' });
    engine.away = false;
    await clock.advance(15_000);
    expect(containerOf(id).state).toBe('running');
  });
});

describe('with fewer places than sessions', () => {
  test('never more containers run than there are places', async () => {
    await restart(2);
    const ids = Array.from({ length: 6 }, () => sessions.add());
    for (const id of ids) {
      sessions.receive(id);
      runtime.wake(id);
    }
    await settle();
    expect(engine.containers.size).toBe(2);
    expect(runtime.counts()).toMatchObject({ places: 2, waiting: 4 });
    expect(runtime.state(ids[5] as SessionId)).toMatchObject({ kind: 'waiting', for: 'room' });
  });

  test('everybody has a turn', async () => {
    await restart(2);
    const ids = Array.from({ length: 6 }, () => sessions.add());
    for (const id of ids) {
      sessions.receive(id);
      runtime.wake(id);
    }
    const served = new Set<SessionId>();
    for (let second = 0; second < 60 && served.size < 6; second++) {
      for (const id of ids) {
        if (engine.ofSession(id)?.state !== 'running' || served.has(id)) continue;
        sessions.hello(id);
        sessions.finish(id);
        served.add(id);
      }
      await clock.advance(1_000);
      expect(engine.containers.size).toBeLessThanOrEqual(2);
    }
    expect(served.size).toBe(6);
  });

  test('a frozen container gives way at once, before one that runs', async () => {
    await restart(2);
    const frozen = await startPaused();
    const idle = await startIdle();
    const waiting = sessions.add();
    sessions.receive(waiting);
    runtime.wake(waiting);
    await settle();
    expect(containerOf(waiting).state).toBe('running');
    expect(engine.ofSession(frozen)).toBeNull();
    expect(containerOf(idle).state).toBe('running');
  });

  test('a busy container is not disturbed', async () => {
    await restart(1);
    const busy = await startBusy();
    const waiting = sessions.add();
    sessions.receive(waiting);
    runtime.wake(waiting);
    for (let second = 0; second < 30; second++) {
      sessions.beat(busy);
      await clock.advance(1_000);
    }
    expect(engine.ofSession(waiting)).toBeNull();
    sessions.finish(busy);
    await clock.advance(policy.roomLookMs * 2);
    expect(containerOf(waiting).state).toBe('running');
    expect(engine.ofSession(busy)).toBeNull();
  });

  test('a container that pretends to be busy for ever loses its place in the end', async () => {
    await restart(1);
    const hostile = await startBusy();
    const waiting = sessions.add();
    sessions.receive(waiting);
    runtime.wake(waiting);
    const began = clock.now();
    while (engine.ofSession(waiting) === null && clock.now() - began < 2 * policy.fairShareMs) {
      sessions.claim(hostile);
      await clock.advance(30_000);
    }
    expect(containerOf(waiting).state).toBe('running');
    expect(clock.now() - began).toBeGreaterThanOrEqual(policy.fairShareMs);
    expect(sessions.get(hostile).requeued).toEqual(['make-room']);
  });

  test('a crowd of sessions of one agent delays another agent by one turn', async () => {
    await restart(1);
    const crowd = makeId('agentGroup');
    const first = await startBusy(sessions.add(crowd));
    const many = Array.from({ length: 20 }, () => sessions.add(crowd));
    const single = sessions.add();
    for (const id of [...many, single]) {
      sessions.receive(id);
      runtime.wake(id);
    }
    await settle();
    const order: SessionId[] = [];
    for (let turn = 0, holder = first; turn < 3; turn++) {
      sessions.hello(holder);
      sessions.finish(holder);
      await clock.advance(policy.roomLookMs + policy.roomAgainMs);
      const [next] = [...engine.containers.values()];
      holder = next?.spec.sessionId ?? holder;
      order.push(holder);
    }
    expect(order.indexOf(single)).toBeGreaterThanOrEqual(0);
    expect(order.indexOf(single)).toBeLessThanOrEqual(1);
  });

  test('a place freed by a crash goes to the one who waits', async () => {
    await restart(1);
    const first = await startBusy();
    const waiting = sessions.add();
    sessions.receive(waiting);
    runtime.wake(waiting);
    await settle();
    engine.die(containerOf(first).id, 1);
    await settle();
    expect(containerOf(waiting).state).toBe('running');
  });
});

describe('the runtime as a whole', () => {
  test('keeps nothing in memory and no timer for idle sessions', async () => {
    for (let count = 0; count < 1_000; count++) runtime.wake(sessions.add());
    await settle();
    expect(runtime.counts().watched).toBe(0);
    expect(clock.pending).toBe(0);
  });

  test('has one timer for a thousand sessions that wait for a time', async () => {
    for (let count = 0; count < 1_000; count++) {
      const id = sessions.add();
      sessions.change(id, { nextDueMs: epochMs(clock.now() + 60_000 + count) });
      runtime.wake(id);
    }
    await settle();
    expect(runtime.counts().watched).toBe(1_000);
    expect(clock.pending).toBe(1);
  });

  test('takes one step at a time for a session', async () => {
    let inside = 0;
    let most = 0;
    engine.gate = async () => {
      inside++;
      most = Math.max(most, inside);
      await new Promise((resolve) => setImmediate(resolve));
      inside--;
    };
    const id = sessions.add();
    sessions.receive(id);
    for (let ring = 0; ring < 20; ring++) {
      runtime.wake(id);
      runtime.reconcile(id);
      await Promise.resolve();
    }
    await settle();
    await settle();
    expect(most).toBe(1);
  });

  test('lets containers go on when the host stops', async () => {
    const id = await startBusy();
    await runtime[Symbol.asyncDispose]();
    expect(containerOf(id).state).toBe('running');
    expect(clock.pending).toBe(0);
    runtime.wake(id);
    await settle();
    expect(actionsOf(id)).toEqual(['start']);
  });

  test('stops them all when asked to, and starts none', async () => {
    const ids = [await startBusy(), await startIdle(), await startPaused()];
    await runtime.stopAll();
    await settle();
    expect(engine.containers.size).toBe(0);
    sessions.receive(ids[0] as SessionId);
    runtime.wake(ids[0] as SessionId);
    await settle();
    expect(engine.containers.size).toBe(0);
  });

  test('stores every state that it shows', async () => {
    const id = await startPaused();
    sessions.receive(id);
    runtime.wake(id);
    await settle();
    const stored = sessions.record(id);
    await restart();
    expect(sessions.record(id)).toEqual(stored);
    expect(runtime.state(id)).toEqual({ kind: 'running' });
  });
});
