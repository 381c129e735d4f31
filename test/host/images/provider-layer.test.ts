/** Images of providers that need more than the base has: built once for a machine, below the agents' packages. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { projectRoot } from '../../../host/config/home.ts';
import { FAILURE_HOLDS_MS, KEEP_LAYERS } from '../../../host/images/limits.ts';
import { planLayerRemovals } from '../../../host/images/plan.ts';
import { hasLayer, layerImageName, type ProviderLayer, providerLayers } from '../../../host/images/provider-layer.ts';
import { imageName } from '../../../host/images/recipe.ts';
import type { AgentGroup } from '../../../host/store/agents.ts';
import { makeId } from '../../../shared/ids.ts';
import { until } from '../../support/until.ts';
import { asAgent, asRoot, BASE_IMAGE, docker, needs, Workshop } from './workshop.ts';

/** Like the one of claude, but made of nothing that is downloaded. */
function layer(
  word: string,
  commands: ProviderLayer['commands'] = [asRoot('chmod', '-R', 'a+rX', '/opt/claude')],
  checks: ProviderLayer['checks'] = [asAgent('cat', '/opt/claude/note.txt')],
): ProviderLayer {
  return { name: 'claude', files: { 'note.txt': word }, folder: '/opt/claude', commands, checks, key: word };
}

/** Another agent image, as an upgrade brings it: with `/etc/mark`, which says `word`. */
async function makeBase(workshop: Workshop, word: string): Promise<string> {
  const Dockerfile = `FROM ${BASE_IMAGE}\nUSER root\nCOPY mark /etc/mark\nUSER 10001:10001\n`;
  const made = await workshop.engine.build({ Dockerfile, mark: word }, () => {}, new AbortController().signal);
  if (made.kind === 'failed') throw new Error(made.why);
  const name = `portolan-test-base:${makeId('message')}`;
  await workshop.engine.name(made.imageId, name);
  onTestFinished(async () => void (await workshop.engine.remove(name)));
  return name;
}

/** The host after an upgrade. */
async function upgrade(workshop: Workshop, baseImage: string): Promise<void> {
  await workshop.images[Symbol.asyncDispose]();
  workshop.images = workshop.makeImages({ baseImage });
}

/** What each installation writes anew. */
const INSTALL = [
  asRoot('node', '-e', "require('fs').writeFileSync('/opt/claude/made', require('crypto').randomUUID())"),
  asRoot('chmod', '-R', 'a+rX,go-w', '/opt/claude'),
];
/** What is copied from another base does not pass the check. */
const INSTALL_FOR_BASE = [asRoot('cp', '/etc/mark', '/opt/claude/mark')];
const CHECK_BASE = [asAgent('cmp', '/etc/mark', '/opt/claude/mark')];

/** A workshop whose agents all think with a provider that needs this layer. */
function workshopWith(made: ProviderLayer): { workshop: Workshop; agent: AgentGroup } {
  const workshop = new Workshop();
  workshop.layer = made;
  return { workshop, agent: workshop.addAgent('main') };
}

async function ready(workshop: Workshop, agent: AgentGroup): Promise<string> {
  return until(
    'its image is ready',
    () => {
      const state = workshop.images.imageFor(agent);
      return state.kind === 'ready' ? state.image : null;
    },
    60_000,
  );
}

/** What a program prints in a container of an image. */
async function print(image: string, ...command: string[]): Promise<string> {
  const container = await docker.createContainer({
    Image: image,
    Entrypoint: command,
    HostConfig: { NetworkMode: 'none' },
  });
  try {
    await container.start();
    await container.wait();
    return (await container.logs({ stdout: true, stderr: true })).toString('utf8');
  } finally {
    await container.remove({ force: true });
  }
}

describe('the image of a provider', { timeout: 120_000 }, () => {
  test('is built when an agent is to run on it, runs as the base does, and is recorded', async () => {
    const { workshop, agent } = workshopWith(layer(`one ${makeId('message')}`));
    expect(workshop.images.imageFor(agent).kind).toBe('waiting');
    const image = await ready(workshop, agent);
    expect(image).toMatch(/^portolan-agent-claude:[0-9a-f]{16}$/);
    expect(workshop.changed).toContain(agent.id);
    const made = await docker.getImage(image).inspect();
    const base = await docker.getImage(BASE_IMAGE).inspect();
    expect(made.Config).toMatchObject({ User: base.Config.User, Entrypoint: base.Config.Entrypoint });
    expect(made.Config.Labels).toMatchObject(base.Config.Labels);
    expect(workshop.images.list(agent.id, 10, null)).toMatchObject([{ image, state: 'built', failure: null }]);
    expect(await print(image, 'cat', '/opt/claude/note.txt')).toContain('one');
  });

  test('is not built again by another install of the machine', async () => {
    const shared = layer(`shared ${makeId('message')}`);
    const [first, second] = [workshopWith(shared), workshopWith(shared)];
    const image = await ready(first.workshop, first.agent);
    expect(await ready(second.workshop, second.agent)).toBe(image);
    expect(second.workshop.engine.builds).toBe(0);
  });

  test('is what the packages of its agents stand on, also when both are missing', async () => {
    const { workshop, agent } = workshopWith(layer(`below ${makeId('message')}`));
    const given = workshop.give(agent, needs('one'));
    const image = await ready(workshop, given);
    expect(image).toMatch(/^portolan-agent-[0-9a-z]{8}:claude-[0-9a-f]{16}$/);
    expect(await print(image, 'ls', '/opt/one', '/opt/claude/note.txt')).toMatch(
      /\/opt\/claude\/note\.txt[\s\S]*\/opt\/one/,
    );
    expect(workshop.images.list(agent.id, 10, null).map((build) => build.state)).toEqual(['built', 'built']);
    // Removed by a person.
    await workshop.engine.remove(image);
    expect((await workshop.images.confirm(given)).kind).toBe('waiting');
    expect(await ready(workshop, given)).toBe(image);
  });

  test('that cannot be built is told with its last lines, and tried again later', async () => {
    const bad = layer(`bad ${makeId('message')}`, [
      asAgent('node', '-e', 'console.log("no such registry"); process.exit(1)'),
    ]);
    const { workshop, agent } = workshopWith(bad);
    workshop.images.imageFor(agent);
    await until('it failed', () => workshop.images.imageFor(agent).kind === 'failed', 60_000);
    expect(workshop.images.imageFor(agent)).toMatchObject({ reason: expect.stringContaining('could not be built') });
    expect(workshop.told).toEqual([expect.stringContaining('no such registry')]);
    expect(
      await workshop.images.ensure(workshop.give(agent, needs('one')), needs('one'), { approvalId: null }),
    ).toMatchObject({ kind: 'failed', tail: expect.stringContaining('no such registry') });
    // The registry is back.
    workshop.layer = { ...bad, commands: [asRoot('true')], key: `${bad.key} mended` };
    workshop.skippedMs = FAILURE_HOLDS_MS;
    await ready(workshop, workshop.give(agent, needs()));
  });

  test('never stands in for the one of an agent without it', async () => {
    const { workshop, agent } = workshopWith(layer(`apart ${makeId('message')}`));
    const given = workshop.give(agent, needs('one'));
    const image = await ready(workshop, given);
    workshop.layer = null;
    const without = await ready(workshop, given);
    expect([hasLayer(image, null), hasLayer(without, null)]).toEqual([false, true]);
  });
});

describe('a new base under the image of a provider', { timeout: 120_000 }, () => {
  test('has the layer copied from the image before it, with owners and modes, and nothing is installed again', async () => {
    const { workshop, agent } = workshopWith(layer(`copied ${makeId('message')}`, INSTALL));
    const show = (image: string) =>
      print(image, 'sh', '-c', 'cd /opt/claude; cat made note.txt; stat -c "%n %u:%g %a" . made');
    const before = await ready(workshop, agent);
    await upgrade(workshop, await makeBase(workshop, 'second'));
    const after = await ready(workshop, agent);
    expect(after).not.toBe(before);
    expect(await show(after)).toBe(await show(before));
    expect(await print(after, 'cat', '/etc/mark')).toMatch(/second$/);
    // And from the copy, when the first is gone.
    await workshop.engine.remove(before);
    await upgrade(workshop, await makeBase(workshop, 'third'));
    expect(await show(await ready(workshop, agent))).toBe(await show(after));
  });

  test('has it installed where the copy does not work', async () => {
    const { workshop, agent } = workshopWith(layer(`broken ${makeId('message')}`, INSTALL_FOR_BASE, CHECK_BASE));
    await upgrade(workshop, await makeBase(workshop, 'first'));
    const before = await ready(workshop, agent);
    await upgrade(workshop, await makeBase(workshop, 'second'));
    // The host asks again whenever it hears of a change.
    const ask = () => workshop.images.imageFor(agent);
    await until('the copy failed', () => ask() && workshop.told.length === 1, 60_000);
    expect(await ready(workshop, agent)).toBe(before);
    workshop.images.retry(agent);
    const isAnother = async () => ((await ready(workshop, agent)) === before ? null : ready(workshop, agent));
    const after = await until('it is installed', isAnother, 60_000);
    expect(await print(after, 'cat', '/opt/claude/mark')).toMatch(/second$/);
  });

  test('takes nothing from an image that stands on what one agent alone was given', async () => {
    const { workshop, agent } = workshopWith(layer(`own ${makeId('message')}`, INSTALL));
    const own = await makeBase(workshop, 'own');
    workshop.db.prepare('UPDATE container_configs SET image = ? WHERE agent_group_id = ?').run(own, agent.id);
    const one = await ready(workshop, workshop.give(agent, needs()));
    const another = await ready(workshop, workshop.addAgent('other'));
    expect(await print(another, 'cat', '/opt/claude/made')).not.toBe(await print(one, 'cat', '/opt/claude/made'));
  });
});

describe('the layer of claude', () => {
  const claude = providerLayers(projectRoot())('claude');

  test('is for agents on claude alone', () => {
    expect(['demo', 'echo', 'openai', '', 'toString'].map(providerLayers(projectRoot()))).toEqual([
      null,
      null,
      null,
      null,
      null,
    ]);
    expect(claude).not.toBeNull();
  });

  test('installs what its lockfile says, without scripts, as a user without rights', () => {
    const install = claude?.commands.find(({ run }) => run.includes('ci'));
    expect(install?.as).toBe('agent');
    expect(install?.run).toContain('--ignore-scripts');
    const lock = JSON.parse(claude?.files['package-lock.json'] ?? '{}') as { packages: Record<string, object> };
    for (const [path, entry] of Object.entries(lock.packages)) {
      if (path !== '') expect(entry).toMatchObject({ integrity: expect.stringMatching(/^sha512-/) });
      // No registry of whoever made it.
      expect(entry).not.toHaveProperty('resolved');
    }
  });

  test('has another name on another base, and packages on it another than without', () => {
    if (claude === null) throw new Error('there is one');
    const [a, b] = [`sha256:${'a'.repeat(64)}`, `sha256:${'b'.repeat(64)}`];
    expect(layerImageName(a, claude)).not.toBe(layerImageName(b, claude));
    const install = makeId('install');
    expect(imageName(install, a, needs('one'), claude)).not.toBe(imageName(install, a, needs('one')));
    expect(hasLayer(imageName(install, a, needs('one'), claude), claude)).toBe(true);
    expect(hasLayer(imageName(install, a, needs('one')), claude)).toBe(false);
  });
});

test('of the images of providers all but the newest go, unless they are used or wanted', () => {
  const layers = Array.from({ length: KEEP_LAYERS + 3 }, (_, age) => ({ id: `id${age}`, names: [`name${age}`] }));
  const [used, wanted, old] = [KEEP_LAYERS, KEEP_LAYERS + 1, KEEP_LAYERS + 2];
  const kept = { used: new Set([`id${used}`]), wanted: new Set([`name${wanted}`]) };
  expect(planLayerRemovals(layers, kept)).toEqual([`name${old}`]);
});
