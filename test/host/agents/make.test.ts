/** `create_agent`, from a container's row to the folder of the new agent. */
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { MAX_MADE_PER_DAY } from '../../../host/agents/limits.ts';
import { installFailpointHook } from '../../../host/observe/failpoint.ts';
import { agentGid } from '../../../host/sessions/folder.ts';
import type { AgentGroup } from '../../../host/store/agents.ts';
import { deriveAgentGroupId } from '../../../shared/ids.ts';
import { parseInboundContent } from '../../../shared/messages.ts';
import { Spine } from '../../support/spine.ts';
import { until } from '../../support/until.ts';

afterEach(() => installFailpointHook(null));

async function setUp(options: { isAdmin?: boolean } = {}) {
  const spine = new Spine();
  spine.addChannel('test');
  const agent = spine.agents.create({
    name: 'main',
    folder: 'main',
    isAdmin: options.isAdmin ?? true,
    provider: 'echo',
    service: 'ollama',
    effort: 'low',
    model: 'small',
    timezone: 'Europe/Berlin',
    now: spine.now(),
  });
  const chat = spine.addChat(agent, 'test', 'family');
  spine.addChat(agent, 'test', 'work');
  const { session, messageId, paths } = await spine.say(chat, 'hire a writer');
  const container = spine.container(paths);
  const ask = (content: Record<string, unknown>, id?: string): string =>
    container.send({
      kind: 'request',
      inReplyTo: messageId,
      ...(id === undefined ? {} : { id }),
      content: { action: 'create_agent', name: 'writer', instructions: 'Write short.', ...content },
    });
  const ring = () => spine.delivery.ring(session.id);
  const answerTo = (id: string) => spine.inboxes.read(session, (tables) => tables.getDelivery(id));
  const settle = async (id: string) => {
    ring();
    return until('an answer', () => answerTo(id));
  };
  const told = () =>
    spine.inboxes.read(session, (tables) =>
      tables.listOpen(100).flatMap((row) => {
        const content = parseInboundContent(row.content);
        return content.ok && content.value.event === 'agent_ready' ? [{ ...row, text: content.value.text }] : [];
      }),
    );
  return { spine, agent, chat, session, container, ask, ring, settle, answerTo, told };
}

type World = Awaited<ReturnType<typeof setUp>>;

function child(world: World, messageId: string): AgentGroup {
  const made = world.spine.agents.get(deriveAgentGroupId(world.session.id, messageId));
  if (made === null) throw new Error('nothing was made');
  return made;
}

function namesOf({ spine }: World, agent: AgentGroup): string[] {
  return spine.destinations.listFor(agent.id).map((row) => row.localName);
}

describe('an admin agent creates an agent', () => {
  it('with a folder, the instructions, its parent’s provider, and destinations both ways; and is told', async () => {
    const world = await setUp();
    const id = world.ask({ destinations: ['family'] });
    expect(await world.settle(id)).toMatchObject({ state: 'delivered' });
    const [ready] = await until('the parent is told', () => (world.told().length > 0 ? world.told() : null));
    const writer = child(world, id);
    expect(writer).toMatchObject({
      name: 'writer',
      folder: 'writer',
      isAdmin: false,
      config: { provider: 'echo', model: 'small', service: 'ollama', effort: 'low', timezone: 'Europe/Berlin' },
    });
    expect(namesOf(world, writer)).toEqual(['family', 'main']);
    expect(namesOf(world, world.agent)).toEqual(['family', 'work', 'writer']);
    expect(ready).toMatchObject({ text: 'Agent “writer” is ready. Write to it as `writer`.', platformId: 'family' });
    expect(world.spine.recharted).toContain(world.agent.id);
    const folder = join(world.spine.home.groups, 'writer');
    expect(readFileSync(join(folder, 'AGENTS.md'), 'utf8')).toBe('Write short.\n');
    expect(lstatSync(folder).mode & 0o7777).toBe(0o2770);
    if (process.getuid?.() === 0) expect(lstatSync(folder).gid).toBe(agentGid(writer.id));
    await until('nothing is open', () => world.spine.agents.listOpenWork().length === 0);
    expect(world.spine.ledger.findBreak()).toBeNull();
  });

  it('whose name a destination of its parent has already: both keep a name of their own', async () => {
    const world = await setUp();
    const id = world.ask({ name: 'Family', destinations: ['family'] });
    await world.settle(id);
    const [ready] = await until('told', () => (world.told().length > 0 ? world.told() : null));
    expect(ready?.text).toContain('`family-2`');
    expect(namesOf(world, child(world, id))).toEqual(['family', 'main']);
  });

  it('beside a folder of its name that no agent has: it gets another, with its instructions, and that one stays', async () => {
    const world = await setUp();
    const { groups } = world.spine.home;
    for (const name of ['writer', 'reader']) {
      mkdirSync(join(groups, name));
      writeFileSync(join(groups, name, 'AGENTS.md'), 'Of somebody else.\n');
    }
    const id = world.ask({});
    expect(await world.settle(id)).toMatchObject({ state: 'delivered' });
    await until('the parent is told', () => world.told().length > 0);
    const byPerson = world.spine.maker.make({ name: 'reader', instructions: 'Write short.' }, 'user');
    for (const made of [child(world, id), byPerson]) {
      if ('kind' in made) throw new Error(made.reason);
      expect(made.folder).toBe(`${made.name}-2`);
      expect(readFileSync(join(groups, made.folder, 'AGENTS.md'), 'utf8')).toBe('Write short.\n');
      expect(readFileSync(join(groups, made.name, 'AGENTS.md'), 'utf8')).toBe('Of somebody else.\n');
    }
  });

  it('given one place under two names, which it had one after the other, gets it once', async () => {
    const world = await setUp();
    const row = world.spine.destinations.find(world.agent.id, 'family');
    world.spine.destinations.rename(row?.id ?? '', 1, 'kin', 2);
    const id = world.ask({ destinations: ['family', 'kin'] });
    await world.settle(id);
    expect(namesOf(world, child(world, id))).toEqual(['kin', 'main']);
  });
});

describe('a hostile request', () => {
  it('of an agent that is no admin makes nothing and is recorded (who may: create_agent says “admin only” and checks nothing)', async () => {
    const world = await setUp({ isAdmin: false });
    // The container forges what it is told of itself; the host asks its own table.
    writeFileSync(join(world.spine.paths(world.session).in, 'session.json'), JSON.stringify({ isAdmin: true }));
    const id = world.ask({ isAdmin: true });
    expect(await world.settle(id)).toMatchObject({ state: 'refused', reason: expect.stringContaining('admin agent') });
    expect(world.spine.agents.list(10)).toHaveLength(1);
    await until('it is recorded', () => world.spine.ledger.listRefusals(10).length === 1);
    expect(world.spine.ledger.listRefusals(10)[0]).toMatchObject({ messageId: id, actor: world.agent.id });
    expect(readdirSync(world.spine.home.groups)).toEqual([]);
  });

  it('never makes an admin agent', async () => {
    const world = await setUp();
    const id = world.ask({ isAdmin: true, is_admin: 1 });
    await world.settle(id);
    expect(child(world, id).isAdmin).toBe(false);
  });

  it.each([
    ['../../evil'],
    ['/etc/cron.d'],
    ['..'],
    ['con'],
    ['template'],
    ['.making'],
    ['MAIN'],
    ['Маin'],
    ['mаіn'],
    ['x\u0000y'],
    ['🚀'],
  ])('that names the agent %j makes nothing, in the table or on the disk', async (name) => {
    const world = await setUp();
    const id = world.ask({ name });
    expect(await world.settle(id)).toMatchObject({ state: 'refused' });
    expect(world.spine.agents.list(10)).toHaveLength(1);
    expect(readdirSync(world.spine.home.groups)).toEqual([]);
  });

  it('for a destination that is not its own makes nothing at all', async () => {
    const world = await setUp();
    const other = world.spine.addAgent('other');
    world.spine.addChat(other, 'test', 'secret');
    const id = world.ask({ destinations: ['family', 'secret'] });
    expect(await world.settle(id)).toMatchObject({ state: 'refused', reason: expect.stringContaining('"secret"') });
    expect(world.spine.agents.list(10)).toHaveLength(2);
    expect(namesOf(world, world.agent)).toEqual(['family', 'work']);
  });

  it('finds an end after so many agents of one day', async () => {
    const world = await setUp();
    for (let n = 0; n < MAX_MADE_PER_DAY; n++) world.ask({ name: `worker ${n}` });
    const last = world.ask({ name: 'one too many' });
    expect(await world.settle(last)).toMatchObject({ state: 'refused', reason: expect.stringContaining('in a day') });
    expect(world.spine.agents.list(100)).toHaveLength(1 + MAX_MADE_PER_DAY);
    const day = 24 * 3_600_000;
    world.spine.now = () => Date.now() + day;
    expect(await world.settle(world.ask({ name: 'the next day' }))).toMatchObject({ state: 'delivered' });
  });

  it('whose folder a link stands for writes nothing through it, and tells of it', async () => {
    const world = await setUp();
    const outside = join(world.spine.home.home, 'outside');
    mkdirSync(outside);
    symlinkSync(outside, join(world.spine.home.groups, 'writer'));
    const id = world.ask({});
    await world.settle(id);
    const writer = child(world, id);
    expect(() => world.spine.folders.ensure(writer)).toThrow(expect.objectContaining({ code: 'folder_in_the_way' }));
    expect(readdirSync(outside)).toEqual([]);
    expect(lstatSync(join(world.spine.home.groups, 'writer')).isSymbolicLink()).toBe(true);
    expect(world.spine.agents.listOpenWork()).toHaveLength(1);
  });

  it.each(['.making', '.archive'])('cannot have the host work through a link named %s', async (name) => {
    const world = await setUp();
    const outside = join(world.spine.home.home, 'outside');
    mkdirSync(outside);
    symlinkSync(outside, join(world.spine.home.groups, name));
    const work = { kind: 'restore', archiveFolder: 'x' } as const;
    const agent = { ...world.agent, openWork: name === '.archive' ? work : null };
    expect(() => world.spine.folders.ensure(agent)).toThrow(expect.objectContaining({ code: 'folder_in_the_way' }));
    expect(readdirSync(outside)).toEqual([]);
  });
});

describe('a crash', () => {
  class Crash extends Error {}

  /** The process ends at this point: what runs throws, and nothing after it is done. */
  function crashAt(point: string): { reached: () => boolean } {
    let reached = false;
    installFailpointHook((name) => {
      if (name !== point) return;
      reached = true;
      installFailpointHook(null);
      throw Object.assign(new Crash(point), { code: 'ENOSPC' });
    });
    return { reached: () => reached };
  }

  it.each([
    'agents.made',
    'agents.folder-made',
    'agents.folder-placed',
    'agents.parent-told',
    'inbox.begin',
    'inbox.committed',
  ])(
    'at %s leaves one agent, one folder, one notice (doubled: a request re-run after a crash makes a second agent)',
    async (point) => {
      const world = await setUp();
      const id = world.ask({ destinations: ['family'] });
      const crash = crashAt(point);
      world.ring();
      await until('the crash', crash.reached);
      // The next host: everything in memory is new.
      await world.spine.delivery[Symbol.asyncDispose]();
      void world.spine.maker[Symbol.asyncDispose]();
      Object.assign(world.spine, { maker: world.spine.makeMaker() });
      world.spine.delivery = world.spine.makeDelivery();
      world.spine.maker.resume();
      world.spine.delivery.ring(world.session.id);
      await until('the answer', () => world.answerTo(id)?.state === 'delivered');
      await until('nothing is open', () => world.spine.agents.listOpenWork().length === 0);
      expect(world.told()).toHaveLength(1);
      expect(world.spine.agents.list(10)).toHaveLength(2);
      expect(namesOf(world, child(world, id))).toEqual(['family', 'main']);
      expect(namesOf(world, world.agent)).toEqual(['family', 'work', 'writer']);
      expect(readFileSync(join(world.spine.home.groups, 'writer', 'AGENTS.md'), 'utf8')).toBe('Write short.\n');
      expect(readdirSync(join(world.spine.home.groups, '.making'))).toEqual([]);
      expect(existsSync(join(world.spine.home.groups, 'writer-2'))).toBe(false);
    },
  );
});
