/** The runtime over real containers and processes, in real time. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DockerDriver } from '../../../host/runtime/drivers/docker.ts';
import type { ContainerDriver, ContainerSpec } from '../../../host/runtime/drivers/driver.ts';
import { ProcessDriver } from '../../../host/runtime/drivers/process.ts';
import { DEFAULT_POLICY } from '../../../host/runtime/policy.ts';
import { Runtime } from '../../../host/runtime/runtime.ts';
import { systemClock } from '../../../host/runtime/wakeups.ts';
import { type InstallId, makeId, type SessionId } from '../../../shared/ids.ts';
import { until, untilAsync } from '../../contracts/driver.ts';
import { FakeSessions } from './fake-sessions.ts';
import { makeSilentLog } from './silent-log.ts';
import { ensureTestImage } from './test-image.ts';
import { makeWorkspace, nodeProgram, readTicks, type Workspace } from './workspace.ts';

const policy = {
  ...DEFAULT_POLICY,
  pauseAfterMs: 150,
  stopAfterMs: 60_000,
  backoffMs: 200,
  lookAgainMs: 100,
  graceMs: 2_000,
};

const HOSTS: [string, (installId: InstallId, workspace: Workspace) => ContainerDriver, () => [string, string]][] = [
  [
    'processes',
    (installId, { folder }) => new ProcessDriver({ installId, home: folder, runnerPath: '/nowhere' }),
    () => ['none', process.execPath],
  ],
  ['Docker', (installId) => new DockerDriver({ installId, log: makeSilentLog() }), () => [ensureTestImage(), 'node']],
];

describe.each(HOSTS)('the runtime over %s', (_name, openDriver, program) => {
  let workspace: Workspace;
  let installId: InstallId;
  let sessions: FakeSessions;
  let driver: ContainerDriver;
  let runtime: Runtime;
  let specs: Map<SessionId, ContainerSpec>;

  async function startHost(): Promise<void> {
    driver = openDriver(installId, workspace);
    runtime = new Runtime({
      ...{ driver, sessions, policy, maxRunning: 4, clock: systemClock, log: makeSilentLog() },
      onState: () => {},
    });
    await runtime.start();
  }

  async function stopHost(): Promise<void> {
    await runtime[Symbol.asyncDispose]();
    await driver.close();
  }

  /** A session whose runner is up, idle and counting. */
  async function startIdle(): Promise<SessionId> {
    const id = sessions.add();
    sessions.receive(id);
    runtime.wake(id);
    await until('it runs', () => runtime.state(id).kind === 'running');
    await until('it ticks', () => ticks(id) > 0);
    sessions.hello(id);
    sessions.finish(id);
    return id;
  }

  const ticks = (id: SessionId): number => {
    const spec = specs.get(id);
    return spec === undefined ? 0 : readTicks(spec);
  };
  const isPaused = async (id: SessionId) => {
    const listed = await driver.list();
    return listed.some(({ sessionId, state }) => sessionId === id && state === 'paused');
  };

  beforeEach(async () => {
    workspace = makeWorkspace();
    installId = makeId('install');
    sessions = new FakeSessions(installId, systemClock.now);
    specs = new Map();
    const [image, node] = program();
    sessions.makeSpec = ({ sessionId, agentGroupId }, epoch) => {
      const made = workspace.makeSpec(installId, image, [node, '-e', nodeProgram({ kind: 'obey' })]);
      const { mounts } = specs.get(sessionId) ?? made;
      const spec = { ...made, sessionId, agentGroupId, epoch, mounts };
      specs.set(sessionId, spec);
      return spec;
    };
    await startHost();
  });

  afterEach(async () => {
    await runtime.stopAll();
    await stopHost();
    const cleaner = openDriver(installId, workspace);
    for (const listed of await cleaner.list()) await cleaner.remove(listed.id);
    await cleaner.close();
    workspace.remove();
  });

  test('starts, freezes, thaws and stops for real', async () => {
    const id = await startIdle();
    await untilAsync('it is frozen', () => isPaused(id));
    await until('that is stored', () => sessions.record(id).state === 'paused');
    const frozen = ticks(id);
    sessions.receive(id);
    runtime.wake(id);
    await until('it thaws', () => ticks(id) > frozen);
    await until('that is shown', () => runtime.state(id).kind === 'running');
    await runtime.stopAll();
    expect(await driver.list()).toEqual([]);
    expect(sessions.record(id).state).toBe('absent');
  });

  test('a container that is killed from outside is found, and started again', async () => {
    const id = await startIdle();
    sessions.receive(id);
    runtime.wake(id);
    sessions.claim(id);
    const [listed] = await driver.list();
    if (listed === undefined) throw new Error('no container');
    const other = openDriver(installId, workspace);
    await other.kill(listed.id);
    await other.close();
    await until('its claims go back', () => sessions.get(id).requeued.length === 1);
    expect(sessions.record(id)).toMatchObject({ failures: 1 });
    sessions.receive(id);
    runtime.wake(id);
    await until('another runs', () => sessions.record(id).state === 'running' && sessions.record(id).epoch === 2);
  });

  test('a host that starts anew adopts the same container, frozen or not', async () => {
    const [awake, asleep] = [await startIdle(), await startIdle()];
    await untilAsync('one is frozen', () => isPaused(asleep));
    sessions.receive(awake);
    runtime.wake(awake);
    await until('the other is awake', () => runtime.state(awake).kind === 'running');
    const before = (await driver.list()).map(({ id }) => id).sort();
    await stopHost();
    await startHost();
    await until('both are adopted', () => runtime.counts().places === 2);
    expect((await driver.list()).map(({ id }) => id).sort()).toEqual(before);
    sessions.receive(asleep);
    runtime.wake(asleep);
    const frozen = ticks(asleep);
    await until('it thaws', () => ticks(asleep) > frozen);
  });
});
