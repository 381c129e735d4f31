/** Removing an agent, at any moment of its work, and bringing it back. */
import { lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { planRemoval, planRemovalStep, QUIET_PATIENCE_MS } from '../../../host/agents/plan-removal.ts';
import { installFailpointHook } from '../../../host/observe/failpoint.ts';
import type { AgentGroup } from '../../../host/store/agents.ts';
import type { Session } from '../../../host/store/sessions.ts';
import type { AgentGroupId, SessionId, TaskId } from '../../../shared/ids.ts';
import { Spine } from '../../support/spine.ts';
import { until } from '../../support/until.ts';

afterEach(() => installFailpointHook(null));

const OBSERVED = { containerId: null, epoch: 1, failures: 0, stateReason: null };

async function setUp() {
  const spine = new Spine();
  const channel = spine.addChannel('test');
  const main = spine.addAgent('main');
  const made = spine.maker.make({ name: 'Writer', instructions: 'Write short.' }, 'web:owner');
  if ('kind' in made) throw new Error(made.reason);
  const writer = made;
  const chat = spine.addChat(writer, 'test', 'room');
  spine.destinations.add({
    agentGroupId: main.id,
    localName: 'writer',
    targetType: 'agent',
    targetId: writer.id,
    now: 1,
  });
  const { session, messageId, paths } = await spine.say(chat, 'write something');
  const remove = () => spine.removals.remove(writer.id, spine.agents.get(writer.id)?.revision ?? 0, 'web:owner');
  const done = () => until('the end of it', () => spine.agents.getArchived(writer.id)?.openWork === null);
  return { spine, channel, main, writer, chat, session, messageId, paths, remove, done };
}

type World = Awaited<ReturnType<typeof setUp>>;

function archived({ spine }: World): string[] {
  return readdirSync(join(spine.home.groups, '.archive'));
}

function statusOf({ spine, session }: World, id: string) {
  return spine.inboxes.read(session, (tables) => tables.getStatus(id));
}

describe('a removed agent', () => {
  it('is out of sight with all that led to it; what waited ends visibly; its folder is kept', async () => {
    const world = await setUp();
    const { spine, writer, main, session, messageId, channel } = world;
    const removal = world.remove();
    expect(removal).toMatchObject({ kind: 'removed', routes: { wirings: 1, destinations: 1, pointing: [main.id] } });
    expect(spine.agents.get(writer.id)).toBeNull();
    await world.done();
    expect(spine.wirings.list(10)).toEqual([]);
    expect(spine.destinations.listFor(writer.id)).toEqual([]);
    expect(spine.destinations.listFor(main.id)).toEqual([]);
    expect(spine.recharted).toEqual([main.id, writer.id]);
    expect(spine.sessions.listRecent(10)).toEqual([]);
    expect(spine.sessions.listOpenIds()).toEqual([]);
    expect(statusOf(world, messageId)).toBe('failed');
    expect(spine.transcript.get(messageId)).toMatchObject({ state: 'failed', stateReason: 'its agent was removed' });
    await until('people are told', () => channel.visible.length === 1);
    expect(channel.visible[0]?.text).toContain('“Writer” was removed');
    expect(readdirSync(spine.home.groups).filter((name) => !name.startsWith('.'))).toEqual([]);
    const [folder = ''] = archived(world);
    expect(folder).toMatch(/^writer-\d{4}-\d\d-\d\d-/);
    expect(readFileSync(join(spine.home.groups, '.archive', folder, 'AGENTS.md'), 'utf8')).toBe('Write short.\n');
    expect(lstatSync(spine.paths(session).inboundDb).isFile()).toBe(true);
    expect(spine.ledger.findBreak()).toBeNull();
  });

  it('hears nothing more: a message to its chat is not accepted', async () => {
    const world = await setUp();
    world.remove();
    await world.done();
    const outcome = await world.spine.router.receive(world.spine.event(world.chat, 'still there?'));
    expect(outcome.kind).not.toBe('routed');
  });

  it('ends after its container is gone, and after what that wrote has been read and refused (wrong place: an ended session keeps its route)', async () => {
    const world = await setUp();
    const { spine, session, chat } = world;
    spine.sessions.saveObserved(session.id, { ...OBSERVED, runtimeState: 'running', containerId: 'c1' }, 1);
    const container = spine.container(world.paths);
    world.remove();
    await until('its container is planned anew', () => spine.reconciled.includes(session.id));
    expect(spine.sessions.get(session.id)).not.toBeNull();
    expect(readdirSync(spine.home.groups)).toContain('writer');
    const late = container.send({
      destination: 'room',
      channelType: 'test',
      platformId: chat.platformId,
      content: { text: 'one last word' },
    });
    spine.delivery.ring(session.id);
    await until('it is refused', () => spine.ledger.listRefusals(10).some((entry) => entry.messageId === late));
    spine.sessions.saveObserved(session.id, { ...OBSERVED, runtimeState: 'absent' }, 2);
    await until('nothing is under way', () => spine.delivery.isQuiet(session.id));
    spine.removals.ring();
    await world.done();
    expect(spine.sessions.get(session.id)).toBeNull();
    expect(world.channel.visible.filter((sent) => sent.text === 'one last word')).toEqual([]);
  });

  it('leaves no task that fires, no question that waits, and tells the agent that waited for it', async () => {
    const world = await setUp();
    const { spine, writer, session, main } = world;
    const mainChat = spine.addChat(main, 'test', 'office');
    const asker = (await spine.say(mainChat, 'ask the writer')).session;
    const task = 'tsk_00000000000000000001' as TaskId;
    spine.db
      .prepare(
        `INSERT INTO tasks (id, session_id, agent_group_id, prompt, at, timezone, state, next_at, created_at, updated_at)
         VALUES (?, ?, ?, 'wake up', 9999999999999, 'UTC', 'active', 9999999999999, 1, 1)`,
      )
      .run(task, session.id, writer.id);
    await spine.inboxes.commit(session, (tables) =>
      tables.append([
        {
          id: 'msg_00000000000000000001' as never,
          kind: 'chat',
          timestamp: 1,
          processAfter: null,
          trigger: true,
          onWake: false,
          channelType: 'agent',
          platformId: main.id,
          threadId: null,
          senderId: null,
          sourceSessionId: asker.id,
          inReplyTo: null,
          hop: 1,
          traceId: 'trc_00000000000000000001' as never,
          content: JSON.stringify({ text: 'write a poem' }),
        },
      ]),
    );
    world.remove();
    await world.done();
    expect(spine.tasks.get(task)).toMatchObject({ state: 'cancelled', nextAt: null });
    const heard = spine.inboxes.read(asker, (tables) => tables.listOpen(10).map((row) => row.content));
    expect(heard.filter((content) => content.includes('agent_removed'))).toHaveLength(1);
  });

  it('also ends a message that was accepted while its session ended (lost: accepted and never answered)', async () => {
    const world = await setUp();
    const { spine, session } = world;
    world.remove();
    await world.done();
    await spine.inboxes.commit(session, (tables) =>
      tables.append([
        {
          id: 'msg_00000000000000000002' as never,
          kind: 'chat',
          timestamp: 1,
          processAfter: null,
          trigger: true,
          onWake: false,
          channelType: 'test',
          platformId: 'room',
          threadId: null,
          senderId: null,
          sourceSessionId: null,
          inReplyTo: null,
          hop: 0,
          traceId: 'trc_00000000000000000001' as never,
          content: JSON.stringify({ text: 'in the same moment' }),
        },
      ]),
    );
    spine.sessions.markOpen(session.id, 1);
    spine.removals.endLate([{ sessionId: session.id }]);
    await until('it ends', () => statusOf(world, 'msg_00000000000000000002') === 'failed');
    await until('it is closed', () => spine.sessions.listOpenIds().length === 0);
  });

  it('whose databases are gone or corrupt does not hold up its own removal', async () => {
    const world = await setUp();
    writeFileSync(world.paths.inboundDb, 'this is no database, and never was one, however long one looks at it');
    world.remove();
    await world.done();
    expect(world.spine.transcript.get(world.messageId)?.state).toBe('failed');
  });

  it('with a link in the archive’s place is not moved through it, and the rest is done', async () => {
    const world = await setUp();
    const outside = join(world.spine.home.home, 'outside');
    mkdirSync(outside);
    symlinkSync(outside, join(world.spine.home.groups, '.archive'));
    world.remove();
    await until('the session ends', () => world.spine.sessions.get(world.session.id) === null);
    expect(readdirSync(outside)).toEqual([]);
    expect(readdirSync(world.spine.home.groups)).toContain('writer');
  });

  it('is not the only one of its host, and not one that changed meanwhile', async () => {
    const { spine, main, writer } = await setUp();
    expect(spine.removals.remove(main.id, 99, 'x')).toEqual({ kind: 'stale' });
    spine.removals.remove(main.id, 1, 'x');
    expect(spine.removals.remove(writer.id, 1, 'x')).toEqual({ kind: 'refused', reason: 'only_agent' });
    expect(spine.agents.get(writer.id)).not.toBeNull();
  });
});

describe('a restored agent', () => {
  it('has its folder and its conversations again, and a new wiring finds the same session', async () => {
    const world = await setUp();
    const { spine, writer, chat, session } = world;
    writeFileSync(join(spine.home.groups, 'writer', 'memory.md'), 'what I know');
    world.remove();
    await world.done();
    expect(spine.removals.restore(writer.id, 'web:owner')).toMatchObject({ kind: 'restored' });
    expect(readFileSync(join(spine.home.groups, 'writer', 'memory.md'), 'utf8')).toBe('what I know');
    expect(archived(world)).toEqual([]);
    expect(spine.agents.get(writer.id)).toMatchObject({ name: 'Writer', openWork: null });
    spine.addChat(spine.agents.get(writer.id) as AgentGroup, 'test', chat.platformId);
    expect((await spine.say(chat, 'back?')).session.id).toBe(session.id);
  });

  it('waits until its removal is over, and until its name is free', async () => {
    const world = await setUp();
    const { spine, writer, session } = world;
    spine.sessions.saveObserved(session.id, { ...OBSERVED, runtimeState: 'running', containerId: 'c1' }, 1);
    world.remove();
    expect(spine.removals.restore(writer.id, 'x')).toMatchObject({ kind: 'refused', reason: 'still_removing' });
    spine.sessions.saveObserved(session.id, { ...OBSERVED, runtimeState: 'absent' }, 2);
    spine.sessions.setOpen(session.id, false);
    spine.removals.ring();
    await world.done();
    const second = spine.maker.make({ name: 'writer' }, 'x');
    expect(second).toMatchObject({ folder: 'writer-2' });
    expect(spine.removals.restore(writer.id, 'x')).toMatchObject({ kind: 'refused', reason: 'name_taken' });
    expect(spine.removals.restore('agt_00000000000000000000' as AgentGroupId, 'x')).toMatchObject({
      reason: 'unknown',
    });
  });
});

describe('a crash', () => {
  function crashAt(point: string): () => boolean {
    let reached = false;
    installFailpointHook((name) => {
      if (name !== point) return;
      reached = true;
      installFailpointHook(null);
      throw Object.assign(new Error(point), { code: 'ENOSPC' });
    });
    return () => reached;
  }

  it.each([
    'agents.removal-decided',
    'inbox.begin',
    'inbox.committed',
    'agents.work-ended',
    'agents.session-ended',
    'agents.put-away',
  ])('at %s: the next host carries the removal to its end', async (point) => {
    const world = await setUp();
    const { spine, messageId, channel } = world;
    const reached = crashAt(point);
    try {
      world.remove();
    } catch (error) {
      expect(error).toMatchObject({ message: point });
    }
    await until('the crash', reached);
    await spine.removals[Symbol.asyncDispose]();
    spine.removals = spine.makeRemovals();
    spine.removals.resume();
    await world.done();
    expect(statusOf(world, messageId)).toBe('failed');
    expect(spine.transcript.get(messageId)?.state).toBe('failed');
    expect(spine.sessions.listRecent(10)).toEqual([]);
    expect(archived(world)).toHaveLength(1);
    await until('people are told', () => channel.visible.length > 0);
    expect(channel.visible).toHaveLength(1);
    expect(spine.ledger.findBreak()).toBeNull();
  });

  it('while it is brought back leaves the folder where the next host finds it', async () => {
    const world = await setUp();
    const { spine, writer } = world;
    world.remove();
    await world.done();
    crashAt('agents.restore-decided');
    spine.removals.restore(writer.id, 'x');
    expect(archived(world)).toHaveLength(1);
    spine.removals = spine.makeRemovals();
    spine.removals.resume();
    expect(readFileSync(join(spine.home.groups, 'writer', 'AGENTS.md'), 'utf8')).toBe('Write short.\n');
    expect(spine.agents.listOpenWork()).toEqual([]);
  });
});

describe('the plan of a removal', () => {
  const session = (change: object) => ({
    id: 'ses_1' as SessionId,
    isSettled: true,
    isQuiet: true,
    waitingSince: 0,
    ...change,
  });

  it.each([
    [[], 'put-away'],
    [[session({})], 'end'],
    [[session({ isSettled: false })], 'wait'],
    [[session({ isSettled: false, waitingSince: -QUIET_PATIENCE_MS })], 'wait'],
    [[session({ isQuiet: false })], 'wait'],
    [[session({ isQuiet: false, waitingSince: -QUIET_PATIENCE_MS })], 'end'],
    [[session({ isSettled: false }), session({})], 'end'],
  ])('%j → %s', (sessions, kind) => {
    expect(planRemovalStep(sessions, 0).kind).toBe(kind);
  });

  it('never ends a session whose container may live, and never moves the folder before the last has ended', () => {
    const any = fc.record({
      id: fc.constant('ses_1' as Session['id']),
      isSettled: fc.boolean(),
      isQuiet: fc.boolean(),
      waitingSince: fc.integer({ min: 0, max: 100_000 }),
    });
    fc.assert(
      fc.property(fc.array(any), fc.integer({ min: 0, max: 200_000 }), (sessions, now) => {
        const numbered = sessions.map((one, at) => ({ ...one, id: `ses_${at}` as SessionId }));
        const step = planRemovalStep(numbered, now);
        if (step.kind === 'end') {
          for (const id of step.sessionIds) expect(numbered.find((one) => one.id === id)?.isSettled).toBe(true);
        }
        expect(step.kind === 'put-away').toBe(sessions.length === 0);
      }),
    );
  });

  it('warns of the last admin agent, and refuses the only agent', () => {
    const [a, b] = ['a', 'b'].map((id) => ({ id: id as AgentGroupId, isAdmin: id === 'a' }));
    if (a === undefined || b === undefined) throw new Error('two agents');
    expect(planRemoval(a, [a, b])).toMatchObject({ kind: 'allow', warning: expect.stringContaining('--admin') });
    expect(planRemoval(b, [a, b])).toEqual({ kind: 'allow', warning: null });
    expect(planRemoval(a, [a])).toEqual({ kind: 'refuse', reason: 'only_agent' });
  });
});
