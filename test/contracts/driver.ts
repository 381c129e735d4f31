/** The contract of container drivers: what `host/runtime/drivers/driver.ts` promises, tried on a real one. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type ContainerDriver,
  type ContainerSpec,
  type DriverEvent,
  DriverFault,
  type DriverFaultKind,
} from '../../host/runtime/drivers/driver.ts';
import { type InstallId, makeId } from '../../shared/ids.ts';

/** What a container's program does. */
export type Behaviour =
  /** Counts ticks until SIGTERM. */
  | { kind: 'obey' }
  /** The same, and takes no notice of SIGTERM. */
  | { kind: 'ignore-term' }
  | { kind: 'exit'; code: number };

export interface DriverHarness {
  /** A driver object of this install; called again to stand for a host that starts anew. */
  open(installId: InstallId): ContainerDriver;
  /** A spec with folders that exist. */
  spec(installId: InstallId, behaviour: Behaviour): ContainerSpec;
  /** How often the program has ticked; 0 until its signal handlers are set. */
  ticks(spec: ContainerSpec): number;
  /** Takes the folders away, after the containers are gone. */
  close(): void;
}

export function describeDriver(name: string, makeHarness: () => Promise<DriverHarness>): void {
  describe(`the ${name} driver`, () => {
    let harness: DriverHarness;
    let driver: ContainerDriver;
    let installId: InstallId;
    const opened: ContainerDriver[] = [];
    const open = (install: InstallId): ContainerDriver => {
      const made = harness.open(install);
      opened.push(made);
      return made;
    };
    const start = async (behaviour: Behaviour = { kind: 'obey' }, changes: Partial<ContainerSpec> = {}) => {
      const spec = { ...harness.spec(installId, behaviour), ...changes };
      const { id, startedAtMs } = await driver.start(spec);
      if (behaviour.kind !== 'exit') await until('the program is ready', () => harness.ticks(spec) > 0);
      return { id, spec, startedAtMs };
    };

    beforeEach(async () => {
      harness = await makeHarness();
      installId = makeId('install');
      driver = open(installId);
    });

    afterEach(async () => {
      for (const each of opened.splice(0)) {
        for (const listed of await each.list()) await each.remove(listed.id);
        await each.close();
      }
      harness.close();
    });

    test('it is available', async () => {
      expect(await driver.available()).toEqual({ kind: 'available' });
    });

    test('a started container runs, and was not started before it was asked for', async () => {
      const before = Date.now();
      const { id, startedAtMs } = await start();
      expect(startedAtMs).toBeGreaterThanOrEqual(before);
      expect(startedAtMs).toBeLessThanOrEqual(Date.now());
      expect(await driver.inspect(id)).toMatchObject({ kind: 'running' });
    });

    test('it is listed with its session, run and config', async () => {
      const { id, spec } = await start({ kind: 'obey' }, { epoch: 7, configVersion: 3 });
      const { sessionId } = spec;
      expect(await driver.list()).toMatchObject([
        { id, sessionId, epoch: 7, configVersion: 3, state: 'running', image: spec.image },
      ]);
    });

    test('a paused container does nothing until it is resumed', async () => {
      const { id, spec } = await start();
      await driver.pause(id);
      expect(await driver.inspect(id)).toMatchObject({ kind: 'paused' });
      expect(await driver.list()).toMatchObject([{ id, state: 'paused' }]);
      const frozen = harness.ticks(spec);
      await driver.list();
      expect(harness.ticks(spec)).toBe(frozen);
      await driver.resume(id);
      expect(await driver.inspect(id)).toMatchObject({ kind: 'running' });
      await until('it ticks again', () => harness.ticks(spec) > frozen);
    });

    test('a stopped container is exited, stays listed, and is absent once removed', async () => {
      const { id } = await start();
      await driver.stop(id, 5_000);
      expect(await driver.inspect(id)).toMatchObject({ kind: 'exited', exitCode: 0, outOfMemory: false });
      expect(await driver.list()).toMatchObject([{ id, state: 'exited' }]);
      await driver.remove(id);
      expect(await driver.inspect(id)).toEqual({ kind: 'absent' });
      expect(await driver.list()).toEqual([]);
    });

    test('stopping does not take the whole grace of a program that obeys', async () => {
      const { id } = await start();
      const began = performance.now();
      await driver.stop(id, 20_000);
      expect(performance.now() - began).toBeLessThan(10_000);
    });

    test('a program that ignores SIGTERM is killed after the grace', async () => {
      const { id } = await start({ kind: 'ignore-term' });
      const began = performance.now();
      await driver.stop(id, 300);
      const took = performance.now() - began;
      expect(took).toBeGreaterThanOrEqual(290);
      // What an engine gives by itself is ten seconds.
      expect(took).toBeLessThan(8_000);
      expect(await driver.inspect(id)).toMatchObject({ kind: 'exited', exitCode: 137 });
    });

    test('a paused container stops as well', async () => {
      const { id } = await start();
      await driver.pause(id);
      await driver.stop(id, 5_000);
      expect(await driver.inspect(id)).toMatchObject({ kind: 'exited', exitCode: 0 });
    });

    test('a paused container that ignores SIGTERM is killed', async () => {
      const { id } = await start({ kind: 'ignore-term' });
      await driver.pause(id);
      await driver.stop(id, 100);
      expect(await driver.inspect(id)).toMatchObject({ kind: 'exited' });
    });

    test('kill ends it at once', async () => {
      const { id } = await start({ kind: 'ignore-term' });
      await driver.kill(id);
      expect(await driver.inspect(id)).toMatchObject({ kind: 'exited', exitCode: 137 });
    });

    test('removing a running container kills it', async () => {
      const { id } = await start({ kind: 'ignore-term' });
      await driver.remove(id);
      expect(await driver.inspect(id)).toEqual({ kind: 'absent' });
    });

    test('the exit code of a program that ends by itself is seen', async () => {
      const { id } = await start({ kind: 'exit', code: 71 });
      await untilAsync('it ended', async () => (await driver.inspect(id)).kind === 'exited');
      expect(await driver.inspect(id)).toMatchObject({ kind: 'exited', exitCode: 71 });
    });

    test('a second start of a session is refused, until the first is removed', async () => {
      const first = await start();
      const again = { ...first.spec, epoch: first.spec.epoch + 1 };
      await expectFault(driver.start(again), 'name-conflict');
      await driver.stop(first.id, 5_000);
      await expectFault(driver.start(again), 'name-conflict');
      await driver.remove(first.id);
      await driver.start(again);
      expect(await driver.list()).toHaveLength(1);
    });

    test('of two starts at the same time one is refused', async () => {
      const spec = harness.spec(installId, { kind: 'obey' });
      const results = await Promise.allSettled([driver.start(spec), open(installId).start(spec)]);
      expect(results.map((result) => result.status).sort()).toEqual(['fulfilled', 'rejected']);
      expect(await driver.list()).toHaveLength(1);
    });

    test('a new driver object finds the container, and can do everything to it', async () => {
      const { id, spec } = await start();
      await driver.close();
      const later = open(installId);
      expect(await later.list()).toMatchObject([{ id, sessionId: spec.sessionId, state: 'running' }]);
      await expectFault(later.start({ ...spec, epoch: 2 }), 'name-conflict');
      await later.pause(id);
      await later.resume(id);
      await later.stop(id, 5_000);
      expect(await later.inspect(id)).toMatchObject({ kind: 'exited' });
    });

    test('an action on an earlier run does not reach its successor', async () => {
      const first = await start();
      await driver.remove(first.id);
      const second = await start({ kind: 'obey' }, { ...first.spec, epoch: first.spec.epoch + 1 });
      await driver.stop(first.id, 1_000);
      await driver.remove(first.id);
      await expectFault(driver.pause(first.id), 'gone');
      expect(await driver.inspect(second.id)).toMatchObject({ kind: 'running' });
    });

    test('containers of another install are not listed', async () => {
      const other = makeId('install');
      const neighbour = open(other);
      const spec = harness.spec(other, { kind: 'obey' });
      const { id } = await neighbour.start(spec);
      expect(await driver.list()).toEqual([]);
      expect(await neighbour.list()).toMatchObject([{ id }]);
    });

    test('what is gone can be stopped and removed, but not paused or resumed', async () => {
      const { id } = await start();
      await driver.remove(id);
      await driver.stop(id, 100);
      await driver.kill(id);
      await driver.remove(id);
      await expectFault(driver.pause(id), 'gone');
      await expectFault(driver.resume(id), 'gone');
    });

    test('an exited container cannot be paused', async () => {
      const { id } = await start();
      await driver.stop(id, 5_000);
      await expectFault(driver.pause(id), 'gone');
      await expectFault(driver.resume(id), 'gone');
    });

    test('a root user is refused, and nothing is left behind', async () => {
      const spec = { ...harness.spec(installId, { kind: 'obey' }), user: { uid: 0, gid: 0 } };
      await expectFault(driver.start(spec), 'bad-spec');
      expect(await driver.list()).toEqual([]);
    });

    test('a folder of the machine that is not what was judged, or cannot be mounted, is refused, and nothing is left behind', async () => {
      const spec = harness.spec(installId, { kind: 'obey' });
      const folder = { name: 'x', source: spec.mounts.state, identity: '0:0', isReadOnly: true };
      const kind = driver.name === 'docker' ? 'mount-refused' : 'bad-spec';
      await expectFault(driver.start({ ...spec, folders: [folder] }), kind);
      expect(await driver.list()).toEqual([]);
    });

    test('events ring for the start and the end of own containers', async () => {
      const rung: DriverEvent[] = [];
      const silence = driver.events((event) => rung.push(event));
      await until('the stream is open', () => rung.some((event) => event.kind === 'resync'));
      const { id, spec } = await start();
      await driver.stop(id, 5_000);
      const { sessionId } = spec;
      await until('the end rings', () => rung.some((event) => event.kind === 'die'));
      expect(rung).toContainEqual({ kind: 'start', sessionId, containerId: id });
      expect(rung).toContainEqual({ kind: 'die', sessionId, containerId: id });
      silence();
    });

    test('the end of an adopted container rings too', async () => {
      const { id, spec } = await start();
      const later = open(installId);
      const rung: DriverEvent[] = [];
      later.events((event) => rung.push(event));
      await until('the stream is open', () => rung.some((event) => event.kind === 'resync'));
      await later.list();
      await driver.kill(id);
      await until('the end rings', () =>
        rung.some((event) => event.kind === 'die' && event.containerId === id && event.sessionId === spec.sessionId),
      );
    });

    test('nothing rings after the listener was taken away', async () => {
      const rung: DriverEvent[] = [];
      const silence = driver.events((event) => rung.push(event));
      await until('the stream is open', () => rung.length > 0);
      silence();
      const heard = rung.length;
      const { id } = await start();
      await driver.remove(id);
      expect(rung).toHaveLength(heard);
    });
  });
}

async function expectFault(action: Promise<unknown>, kind: DriverFaultKind): Promise<void> {
  const outcome = await action.then(
    () => 'it succeeded',
    (error: unknown) => error,
  );
  expect(outcome).toBeInstanceOf(DriverFault);
  expect(outcome).toMatchObject({ name: 'DriverFault', kind });
}

/** Looks until the condition holds; fails by name after 15 s. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  await untilAsync(what, async () => holds());
}

export async function untilAsync(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
