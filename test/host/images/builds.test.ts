/** Images built for real, from layers that need no network: what is built when, what misbehaves, what is left. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { BUILD_DEADLINE_MS, FAILURE_HOLDS_MS, MAX_OUTPUT_BYTES } from '../../../host/images/limits.ts';
import { makeId } from '../../../shared/ids.ts';
import { NO_PACKAGES } from '../../../shared/packages.ts';
import { until } from '../../support/until.ts';
import { asAgent, asRoot, BASE_IMAGE, docker, listContainers, needs, Workshop } from './workshop.ts';

const ENDLESS = 'setInterval(() => console.log("still here"), 50)';

function begun(workshop: Workshop) {
  return until(
    'a build runs',
    async () => {
      const [container] = await listContainers(workshop.installId);
      return container?.State === 'running' && workshop.builds.listOpen().some(({ state }) => state === 'building');
    },
    60_000,
  );
}

describe('an image', { timeout: 120_000 }, () => {
  test('is built on the base, runs as the base does, and is recorded with its log', async () => {
    const workshop = new Workshop();
    const agent = workshop.addAgent('main');
    const approvalId = makeId('approval');
    const result = await workshop.images.ensure(agent, needs('one'), { approvalId });
    if (result.kind !== 'built') throw new Error(result.tail);
    const made = await docker.getImage(result.image).inspect();
    const base = await docker.getImage(BASE_IMAGE).inspect();
    expect(made.Config).toMatchObject({ User: base.Config.User, Entrypoint: base.Config.Entrypoint });
    expect(made.Config.Labels).toMatchObject(base.Config.Labels);
    expect(made.Config.Env.find((each) => each.startsWith('PATH='))).toMatch(/:\/opt\/agent\/bin$/);
    const [build] = workshop.images.list(agent.id, 10, null);
    expect(build).toMatchObject({ approvalId, image: result.image, state: 'built', failure: null });
    expect(readFileSync(workshop.images.logOf(build?.id ?? makeId('imageBuild'))?.path ?? '', 'utf8')).toMatch(
      /^\+ touch \/opt\/one\n/,
    );
    expect(workshop.ledger.countByMessage(agent.id, 'image.built')).toBe(1);
    expect(await listContainers(workshop.installId)).toEqual([]);
  });

  test('is built once, for one approval that is carried out twice and for two agents at once', async () => {
    const workshop = new Workshop();
    const [main, writer] = [workshop.addAgent('main'), workshop.addAgent('writer')];
    const approvalId = makeId('approval');
    const results = await Promise.all([
      workshop.images.ensure(main, needs('one'), { approvalId }),
      workshop.images.ensure(main, needs('one'), { approvalId }),
      workshop.images.ensure(writer, needs('one'), { approvalId: null }),
    ]);
    expect(new Set(results.map((result) => JSON.stringify(result))).size).toBe(1);
    expect(await workshop.images.ensure(main, needs('one'), { approvalId })).toEqual(results[0]);
    expect(workshop.images.list(main.id, 10, null)).toHaveLength(1);
    const [its] = workshop.images.list(writer.id, 10, null);
    expect(its?.state).toBe('built');
    expect(existsSync(workshop.images.logOf(its?.id ?? makeId('imageBuild'))?.path ?? '')).toBe(true);
    expect((await workshop.engine.listOwn()).flatMap(({ names }) => names)).toHaveLength(1);
    expect(workshop.engine.builds).toBe(1);
  });

  test('of an agent without packages is the base, at once and without a look', async () => {
    const workshop = new Workshop();
    const agent = workshop.addAgent('main');
    expect(workshop.images.imageFor(agent)).toEqual({ kind: 'ready', image: BASE_IMAGE });
    expect(await workshop.images.ensure(agent, NO_PACKAGES, { approvalId: null })).toEqual({
      kind: 'built',
      image: BASE_IMAGE,
    });
    expect(workshop.builds.listAgents()).toEqual([]);
  });

  test('that is not there is built when it is asked for; the agent is rung when it is', async () => {
    const workshop = new Workshop();
    const agent = workshop.addAgent('main', needs('one'));
    expect(workshop.images.imageFor(agent).kind).toBe('waiting');
    const state = await until(
      'it is ready',
      () => {
        const now = workshop.images.imageFor(agent);
        return now.kind === 'ready' ? now : null;
      },
      60_000,
    );
    expect(await workshop.engine.find(state.image)).not.toBeNull();
    expect(workshop.changed).toContain(agent.id);
    // Somebody removes it: found right before a start.
    await workshop.engine.remove(state.image);
    expect((await workshop.images.confirm(agent)).kind).toBe('waiting');
    await until('it is there again', () => workshop.engine.find(state.image), 60_000);
  });

  test('cannot be had with plain processes, and why is said', async () => {
    const workshop = new Workshop();
    const agent = workshop.addAgent('main');
    const images = workshop.makeImages({ engine: null });
    expect(await images.ensure(agent, needs('one'), { approvalId: null })).toMatchObject({
      kind: 'failed',
      tail: expect.stringMatching(/plain processes/),
    });
    expect(images.describe(agent, needs('one'))).toMatchObject({ kind: 'impossible' });
    expect(images.imageFor(workshop.give(agent, needs('one')))).toEqual({ kind: 'ready', image: BASE_IMAGE });
  });
});

describe('a build that misbehaves', { timeout: 180_000 }, () => {
  test('and fails leaves no image and no container, and says its last lines', async () => {
    const workshop = new Workshop();
    const agent = workshop.addAgent('main');
    workshop.layers.set('bad', [
      asRoot('node', '-e', 'console.log("\\u001b[31mno such thing\\u001b[0m"); process.exit(3)'),
    ]);
    const approvalId = makeId('approval');
    const result = await workshop.images.ensure(agent, needs('bad'), { approvalId });
    expect(result).toMatchObject({ kind: 'failed', tail: expect.stringMatching(/no such thing\nnode ended with 3\n/) });
    expect(JSON.stringify(result)).not.toContain('spawnSync');
    expect(await workshop.images.ensure(agent, needs('bad'), { approvalId })).toEqual(result);
    expect(workshop.images.list(agent.id, 10, null)).toMatchObject([{ state: 'failed' }]);
    expect((await workshop.engine.listOwn()).flatMap(({ names }) => names)).toEqual([]);
    expect(await listContainers(workshop.installId)).toEqual([]);
    expect(workshop.ledger.countByMessage(agent.id, 'image.failed')).toBe(1);
  });

  test('and loops for ever is ended at its deadline; the next one begins', async () => {
    const workshop = new Workshop();
    const [main, writer] = [workshop.addAgent('main'), workshop.addAgent('writer')];
    workshop.layers.set('endless', [asAgent('node', '-e', ENDLESS)]);
    const endless = workshop.images.ensure(main, needs('endless'), { approvalId: null });
    await begun(workshop);
    const next = workshop.images.ensure(writer, needs('one'), { approvalId: null });
    workshop.skippedMs = BUILD_DEADLINE_MS;
    expect(await endless).toMatchObject({ kind: 'failed', tail: expect.stringMatching(/longer than 15 minutes\.$/) });
    workshop.skippedMs = 0;
    expect(await next).toMatchObject({ kind: 'built' });
    expect(await listContainers(workshop.installId)).toEqual([]);
  });

  test('and prints without end is ended; its log stays small, and the host answers meanwhile', async () => {
    const workshop = new Workshop();
    const agent = workshop.addAgent('main');
    const flood = `const line = 'x'.repeat(65535) + '\\n'; for (;;) require('node:fs').writeSync(1, line);`;
    workshop.layers.set('flood', [asAgent('node', '-e', flood)]);
    let longestMs = 0;
    let last = performance.now();
    const beat = setInterval(() => {
      longestMs = Math.max(longestMs, performance.now() - last);
      last = performance.now();
    }, 10);
    const began = last;
    const result = await workshop.images.ensure(agent, needs('flood'), { approvalId: null });
    const tookMs = performance.now() - began;
    clearInterval(beat);
    expect(result).toMatchObject({ kind: 'failed', tail: expect.stringMatching(/It prints without end\.$/) });
    const [build] = workshop.images.list(agent.id, 1, null);
    const text = readFileSync(workshop.images.logOf(build?.id ?? makeId('imageBuild'))?.path ?? '', 'utf8');
    expect(text.length).toBeLessThan(MAX_OUTPUT_BYTES / 32);
    expect(workshop.engine.outputChars).toBeLessThan(1.5 * MAX_OUTPUT_BYTES);
    // A host that stands still does so to the end; one that a busy machine held up for a moment does not.
    expect(longestMs).toBeLessThan(Math.max(1_000, tookMs / 2));
    await until('its container is gone', async () => (await listContainers(workshop.installId)).length === 0);
  });

  test('runs as a user without rights, with bounded processes, files and memory', async () => {
    const workshop = new Workshop();
    const agent = workshop.addAgent('main');
    const look = `const { execFileSync } = require('node:child_process');
      const limit = (what) => execFileSync('bash', ['-c', 'ulimit ' + what]).toString().trim();
      let wrote = 'nothing'; try { require('node:fs').writeFileSync('/app/runner.mjs', ''); wrote = 'the runner'; } catch {}
      console.log('uid', process.getuid(), 'groups', process.getgroups().join(), 'processes', limit('-u'), 'core', limit('-c'), 'wrote', wrote);
      console.log('memory', require('node:fs').existsSync('/sys/fs/cgroup/memory.max') ? require('node:fs').readFileSync('/sys/fs/cgroup/memory.max', 'utf8').trim() : require('node:fs').readFileSync('/sys/fs/cgroup/memory/memory.limit_in_bytes', 'utf8').trim());`;
    workshop.layers.set('look', [asAgent('node', '-e', look)]);
    await workshop.images.ensure(agent, needs('look'), { approvalId: null });
    const [build] = workshop.images.list(agent.id, 1, null);
    const text = readFileSync(workshop.images.logOf(build?.id ?? makeId('imageBuild'))?.path ?? '', 'utf8');
    expect(text).toContain('uid 10001 groups 10001 processes 512 core 0 wrote nothing');
    expect(text).toContain(`memory ${2 * 1024 ** 3}`);
  });

  test('and breaks the runner is refused: the image gets no name', async () => {
    const workshop = new Workshop();
    const agent = workshop.addAgent('main');
    workshop.layers.set('vandal', [asRoot('rm', '/app/runner.mjs')]);
    const result = await workshop.images.ensure(agent, needs('vandal'), { approvalId: null });
    expect(result).toMatchObject({
      kind: 'failed',
      tail: expect.stringMatching(/The runner does not start in it: 1\.$/),
    });
    expect((await workshop.engine.listOwn()).flatMap(({ names }) => names)).toEqual([]);
  });

  test('for an agent that is removed meanwhile is ended', async () => {
    const workshop = new Workshop();
    const agent = workshop.addAgent('main');
    workshop.layers.set('endless', [asAgent('node', '-e', ENDLESS)]);
    const build = workshop.images.ensure(agent, needs('endless'), { approvalId: null });
    await begun(workshop);
    workshop.remove(agent);
    expect(await build).toMatchObject({ kind: 'failed', tail: expect.stringMatching(/The agent was removed\.$/) });
    expect(await listContainers(workshop.installId)).toEqual([]);
  });
});

describe('when the base changed', { timeout: 120_000 }, () => {
  test('an image that cannot be built again leaves the older one in use, and admins are told', async () => {
    const workshop = new Workshop();
    const agent = workshop.addAgent('main', needs('one'));
    const first = await workshop.images.ensure(agent, needs('one'), { approvalId: null });
    if (first.kind !== 'built') throw new Error(first.tail);
    await workshop.images[Symbol.asyncDispose]();
    workshop.layers.set('one', [asRoot('false')]);
    const images = workshop.makeImages();
    workshop.images = images;
    // As after an upgrade: the same packages, to be taken anew.
    const newer = workshop.give(agent, { ...needs('one'), generation: 1 });
    expect(images.imageFor(newer).kind).toBe('waiting');
    const state = await until(
      'it is ready',
      () => {
        const now = images.imageFor(newer);
        return now.kind === 'ready' ? now : null;
      },
      60_000,
    );
    expect(state.image).toBe(first.image);
    expect(workshop.told).toEqual([
      expect.stringMatching(/could not be built again\. It goes on with its older image/),
    ]);
    // Tried again in a while, with the older one in use meanwhile; admins are not told each time.
    workshop.skippedMs = FAILURE_HOLDS_MS;
    expect(images.imageFor(newer)).toEqual(state);
    await until('it was tried again', () => workshop.builds.listOfAgent(agent.id, 10).length === 3, 60_000);
    expect(images.imageFor(newer)).toEqual(state);
    await until('it failed again', () => workshop.builds.listOpen().length === 0, 60_000);
    expect(images.imageFor(newer)).toEqual(state);
    expect(workshop.told).toHaveLength(1);
  });

  test('an agent that has no older one fails visibly, says what to type, and tries again when a person asks', async () => {
    const workshop = new Workshop();
    const agent = workshop.addAgent('main', needs('one'));
    workshop.layers.set('one', [asRoot('false')]);
    workshop.images.imageFor(agent);
    const failed = await until(
      'it failed',
      () => {
        const now = workshop.images.imageFor(agent);
        return now.kind === 'failed' ? now : null;
      },
      60_000,
    );
    expect(failed.reason).toContain('npx portolan builds retry main');
    workshop.layers.delete('one');
    workshop.images.retry(agent);
    await until('it is ready', () => workshop.images.imageFor(agent).kind === 'ready', 60_000);
  });
});

describe('the next host', { timeout: 120_000 }, () => {
  test('takes up what one left under way, clears its containers away, and touches no other', async () => {
    const workshop = new Workshop();
    const agent = workshop.addAgent('main');
    workshop.layers.set('endless', [asAgent('node', '-e', ENDLESS)]);
    const approvalId = makeId('approval');
    const cut = workshop.images.ensure(agent, needs('endless'), { approvalId });
    await begun(workshop);
    const [first] = await Promise.allSettled([cut, workshop.images[Symbol.asyncDispose]()]);
    expect(first).toMatchObject({ status: 'rejected', reason: { code: 'host_stopping' } });
    expect(workshop.builds.listOpen()).toHaveLength(1);
    const labels = { 'portolan.image.install': workshop.installId };
    const left = await docker.createContainer({ Image: BASE_IMAGE, Labels: labels });
    const session = { ...labels, 'portolan.session': makeId('session') };
    const kept = await docker.createContainer({ Image: BASE_IMAGE, Labels: session });
    workshop.layers.delete('endless');
    workshop.images = workshop.makeImages();
    workshop.images.start();
    const result = await workshop.images.ensure(agent, needs('endless'), { approvalId });
    expect(result.kind).toBe('built');
    expect(workshop.images.list(agent.id, 10, null)).toMatchObject([{ state: 'built', approvalId }]);
    const there = (await listContainers(workshop.installId)).map(({ Id }) => Id);
    await kept.remove({ force: true });
    expect(there).toEqual([kept.id]);
    expect(there).not.toContain(left.id);
  });

  test('does not clean away an image that was built when its host died, before that was written down', async () => {
    const workshop = new Workshop();
    const agent = workshop.addAgent('main');
    const approvalId = makeId('approval');
    const result = await workshop.images.ensure(agent, needs('one'), { approvalId });
    if (result.kind !== 'built') throw new Error(result.tail);
    await workshop.images[Symbol.asyncDispose]();
    workshop.db.prepare(`UPDATE image_builds SET state = 'building', ended_at = NULL`).run();
    // Looked for only when the cleaning of the start has chosen what goes: the open row alone tells it to leave this.
    const hasChosen = new Promise<void>((resolve) => {
      workshop.engine.onUsedListed = resolve;
    });
    workshop.engine.beforeFind = (image) => (image === result.image ? hasChosen : Promise.resolve());
    workshop.images = workshop.makeImages();
    workshop.images.start();
    expect(await workshop.images.ensure(agent, needs('one'), { approvalId })).toEqual(result);
    expect(workshop.engine.builds).toBe(1);
    await workshop.images[Symbol.asyncDispose]();
    expect(await workshop.engine.find(result.image)).not.toBeNull();
    const [build] = workshop.images.list(agent.id, 10, null);
    expect(build).toMatchObject({ state: 'built' });
    // What is there of its log ends where that host died, and says so.
    const { path = '' } = (build && workshop.images.logOf(build.id)) ?? {};
    expect(readFileSync(path, 'utf8').trimEnd().split('\n').at(-1)).toMatch(/^The host stopped in the middle/);
  });

  test('finds open whatever was being looked for when the one before it stopped, which keeps nobody waiting', async () => {
    const workshop = new Workshop();
    const agents = [workshop.addAgent('first', needs('one')), workshop.addAgent('second', needs('two'))];
    let goOn = () => {};
    const isStopped = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    let looking = 0;
    workshop.engine.beforeFind = async (image) => {
      if (image === BASE_IMAGE) return;
      looking++;
      await isStopped;
    };
    const asked = agents.map((agent) =>
      workshop.images.ensure(agent, agent.config.packages, { approvalId: makeId('approval') }),
    );
    const outcomes = Promise.allSettled(asked);
    await until('both are looked for', () => looking === 2);
    const stopped = workshop.images[Symbol.asyncDispose]();
    goOn();
    const left = { status: 'rejected', reason: { code: 'host_stopping' } };
    expect(await outcomes).toMatchObject([left, left]);
    await stopped;
    expect(workshop.builds.listOpen()).toHaveLength(2);
    workshop.engine.beforeFind = async () => {};
  });

  test('is stopped only when nothing writes any more: the database is closed after that', async () => {
    const workshop = new Workshop();
    const agent = workshop.addAgent('main');
    const built = await workshop.images.ensure(agent, needs('one'), { approvalId: null });
    if (built.kind !== 'built') throw new Error(built.tail);
    const order: string[] = [];
    let goOn = () => {};
    const isLooking = new Promise<void>((resolve) => {
      workshop.engine.beforeFind = async (image) => {
        if (image !== built.image) return;
        resolve();
        await new Promise<void>((each) => {
          goOn = each;
        });
      };
    });
    await workshop.images[Symbol.asyncDispose]();
    workshop.images = workshop.makeImages();
    // There already, which is written down without a turn in the queue.
    const work = workshop.images
      .ensure(agent, needs('one'), { approvalId: makeId('approval') })
      .then(({ kind }) => order.push(kind));
    await isLooking;
    const stop = workshop.images[Symbol.asyncDispose]().then(() => order.push('stopped'));
    await new Promise((resolve) => setImmediate(resolve));
    goOn();
    await Promise.all([work, stop]);
    expect(order).toEqual(['built', 'stopped']);
  });

  test('removes old images: neither the newest two of an agent, nor one that is in use, nor anybody else’s', async () => {
    const workshop = new Workshop();
    const agent = workshop.addAgent('main');
    const made: string[] = [];
    for (const name of ['one', 'two', 'three', 'four']) {
      workshop.give(agent, needs(name));
      const result = await workshop.images.ensure(agent, needs(name), { approvalId: null });
      if (result.kind !== 'built') throw new Error(result.tail);
      made.push(result.image);
      // A container holds the first.
      if (name === 'one') await docker.createContainer({ Image: result.image, Labels: { 'portolan.session': 'x' } });
    }
    const names = async () => (await workshop.engine.listOwn()).flatMap((image) => image.names).toSorted();
    await until('the second is gone', async () => !(await names()).includes(made[1] ?? ''));
    expect(await names()).toEqual([made[0], made[2], made[3]].toSorted());
    expect(await docker.getImage(BASE_IMAGE).inspect()).toBeDefined();
    for (const { Id } of await docker.listContainers({ all: true, filters: { ancestor: [made[0] ?? ''] } })) {
      await docker.getContainer(Id).remove({ force: true });
    }
  });
});
