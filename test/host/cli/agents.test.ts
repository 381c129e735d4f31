/** Agents, destinations and wirings on the command line, against the real API and its store. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type ApiFixture, startApi } from '../../support/api-server.ts';
import { until } from '../../support/until.ts';
import { portolan, type Run, type RunOptions } from './support/run.ts';

async function setUp() {
  const api = await startApi();
  const run = (words: string, options?: RunOptions): Promise<Run> =>
    portolan(api.spine.home, words.match(/"[^"]*"|\S+/g)?.map((word) => word.replaceAll('"', '')) ?? [], options);
  const ensure = (platformId: string, name: string) =>
    api.spine.chats.ensure({ channelType: 'telegram', platformId, name, now: 1 });
  const names = (agent = api.agent) => api.spine.destinations.listFor(agent.id).map((row) => row.localName);
  return { api, run, ensure, names };
}

async function gone(api: ApiFixture): Promise<void> {
  await until('nothing is open', () => api.spine.agents.listOpenWork().length === 0);
}

/** The command after `To undo:`. */
function undoOf(run: Run): string {
  return /To undo: portolan (.*)/.exec(run.out)?.[1] ?? '';
}

describe('destinations', () => {
  it('are added by place, name or id of a chat, listed, renamed, removed, and put back by what is printed', async () => {
    const { run, ensure, names } = await setUp();
    const chat = ensure('-100123', 'Family');
    expect(await run('destinations add main family --chat telegram/-100123')).toMatchObject({ code: 0, err: '' });
    expect((await run('destinations add main kin --chat Family')).out).toContain('as “kin”');
    expect((await run(`destinations add main clan --chat ${chat.id}`)).code).toBe(0);
    const renamed = await run('destinations rename main clan tribe');
    expect(renamed.out).toContain('still arrive');
    const list = await run('destinations list main', { columns: 120 });
    expect(list.out).toMatch(/tribe +chat +telegram\/-100123 +Family +clan/);
    expect((await run('destinations main', { columns: 120 })).out).toBe(list.out);
    const removed = await run('destinations remove main family');
    expect(names()).toEqual(['kin', 'tribe']);
    expect(await run(undoOf(removed))).toMatchObject({ code: 0 });
    expect(names()).toEqual(['family', 'kin', 'tribe']);
    expect(await run(undoOf(renamed))).toMatchObject({ code: 0 });
    expect(names()).toEqual(['clan', 'family', 'kin']);
  });

  it('to an agent can lead both ways', async () => {
    const { api, run, names } = await setUp();
    const researcher = api.spine.addAgent('researcher');
    const added = await run('destinations add main researcher --agent researcher --both');
    expect(added.out).toContain('may answer and write to it, as “main”');
    expect([names(), names(researcher)]).toEqual([['researcher'], ['main']]);
    expect((await run('destinations researcher', { columns: 120 })).out).toMatch(/main +agent +main/);
  });

  it.each([
    ['destinations add main family', 2, 'one chat or one agent'],
    ['destinations add main family --chat telegram/1 --agent main', 2, 'one chat or one agent'],
    ['destinations add main family --chat nowhere', 4, 'no chat'],
    ['destinations add main FAMILY --chat telegram/1', 2, 'a–z'],
    ['destinations add main ../x --chat telegram/1', 2, 'a–z'],
    ['destinations add nobody x --chat telegram/1', 4, 'one of main'],
    ['destinations remove main nothing', 4, ' destinations main\n'],
    ['destinations rename main nothing else', 4, 'no destination'],
    ['destinations add main twin --chat Twin', 2, 'telegram/2'],
    ['agents remove nobody --yes', 4, 'one of main'],
    ['agents restore nobody', 4, 'there is none'],
    ['agents create ../../evil', 5, 'not a path'],
    ['agents create ../evil', 5, 'Next: choose another name\n'],
    ['agents create ""', 2, 'name: expected 1 to 64 characters'],
    ['agents create Main', 5, 'looks like the agent "main"'],
    ['agents create x --provider nobody', 2, 'demo'],
    ['agents create x --instructions nothing.md', 2, 'cannot be read'],
    ['wire nowhere main', 4, 'no chat'],
    ['wire telegram/1 main --engage sometimes', 2, 'always'],
    ['wire telegram/1 main --pattern (', 2, 'regular expression'],
    ['wire telegram/1 main --priority 5000', 2, '-1000 to 1000'],
    ['unwire telegram/1 main', 4, 'does not listen'],
  ])('`%s` ends with %i, and says what was expected', async (words, code, told) => {
    const { api, run, ensure, names } = await setUp();
    ensure('1', 'Room');
    ensure('2', 'Twin');
    ensure('3', 'twin');
    ensure('4', 'Twin');
    const ended = await run(words);
    expect(ended.code).toBe(code);
    expect(ended.err).toContain(told);
    expect(names()).toEqual([]);
    expect(api.spine.agents.list(10)).toHaveLength(1);
    const json = await run(`${words} --json`);
    if (!ended.err.startsWith('✗ option')) expect(JSON.parse(json.err)).toHaveProperty('error.message');
  });
});

describe('wirings', () => {
  it('are made with their destination, changed by the same word, and undone by what is printed', async () => {
    const { api, run, ensure, names } = await setUp();
    ensure('1', 'Family');
    const wired = await run(
      'wire Family main --engage always --sender-scope all --session-mode per-thread --priority -3',
    );
    expect(wired.out).toContain('it answers every message');
    expect(wired.out).toContain('It answers there as “family”');
    expect(names()).toEqual(['family']);
    expect(await run('wire Family main')).toMatchObject({ code: 5, err: expect.stringContaining('already') });
    expect((await run('wire telegram/1 main --pattern ^bot')).out).toContain('/^bot/');
    const before = api.spine.wirings.list(10)[0];
    expect(before).toMatchObject({ engageMode: 'pattern', engagePattern: '^bot', sessionMode: 'per-thread' });
    const unwired = await run('unwire telegram/1 main');
    expect(unwired.out).toContain('may still send there, as “family”');
    expect(unwired.out).toContain('portolan destinations remove main family');
    expect([api.spine.wirings.list(10), names()]).toEqual([[], ['family']]);
    expect(await run(undoOf(unwired).replaceAll("'", ''))).toMatchObject({ code: 0 });
    const { id: _, revision: __, createdAt: ___, ...settings } = before ?? {};
    expect(api.spine.wirings.list(10)[0]).toMatchObject({ ...settings });
  });
});

describe('agents', () => {
  it('are made with instructions, removed with what led to them, listed as removed, and restored', async () => {
    const { api, run, ensure } = await setUp();
    writeFileSync(join(api.spine.home.home, 'writer.md'), 'Write short.');
    const made = await run('agents create "The Writer" --instructions writer.md --provider echo');
    expect(made.out).toContain('groups/the-writer');
    expect(readFileSync(join(api.spine.home.groups, 'the-writer', 'AGENTS.md'), 'utf8')).toBe('Write short.\n');
    ensure('1', 'Family');
    await run('wire Family "The Writer"');
    expect(await run('agents remove "The Writer"')).toMatchObject({ code: 2, err: expect.stringContaining('--yes') });
    const removed = await run('agents remove "The Writer" --yes');
    expect(removed.out).toContain('1 wiring, 1 destination');
    expect(removed.out).toContain('groups/.archive/the-writer-');
    await gone(api);
    expect((await run('agents')).out).not.toContain('Writer');
    expect((await run('agents --removed')).out).toContain('The Writer');
    expect(undoOf(removed)).toContain("agents restore 'The Writer'");
    const restored = await run('agents restore "The Writer"');
    expect(restored.out).toContain('is back');
    expect((await run('agents list')).out).toContain('The Writer');
  });

  it('that may make others are made for the command line alone, and their end is warned of', async () => {
    const { api, run } = await setUp();
    await run('agents create boss --admin');
    expect((await run('agents', { columns: 120 })).out).toMatch(/boss +demo +– +\S+ +yes/);
    expect((await run('agents remove boss --yes')).out).toContain('last admin agent');
    await gone(api);
    expect(await run('agents remove main --yes')).toMatchObject({
      code: 5,
      err: expect.stringContaining('only agent'),
    });
  });

  it('whose names have dashes or are words of commands are names (who may: ids with dashes are split as command words)', async () => {
    const { api, run } = await setUp();
    for (const name of ['desk-list', 'list', 'remove']) expect((await run(`agents create ${name}`)).code).toBe(0);
    expect((await run('destinations desk-list')).code).toBe(0);
    expect((await run('destinations list list')).code).toBe(0);
    expect((await run('agents remove list --yes')).code).toBe(0);
    await gone(api);
    expect(api.spine.agents.list(10).map((agent) => agent.name)).toEqual(['main', 'desk-list', 'remove']);
  });
});

describe('dropped', () => {
  it('shows who was turned away and what agents were refused, as text and as one document', async () => {
    const { api, run } = await setUp();
    expect((await run('dropped')).out).toMatch(/Nothing was dropped\.[\s\S]*Nothing was refused\./);
    const place = { channelType: 'telegram', platformId: '5' };
    api.spine.dropped.record({ ...place, senderId: 'telegram:77', reason: 'unknown_sender', now: Date.now() });
    const detail = {
      destination: 'secret',
      ...place,
      threadId: null,
      reason: 'this agent has no destination "secret"',
    };
    api.spine.ledger.append(
      { kind: 'delivery.refused', sessionId: null, messageId: 'm', actor: api.agent.id, detail },
      Date.now(),
    );
    const { out } = await run('dropped', { columns: 140 });
    expect(out).toMatch(/1 +telegram:77 +telegram\/5 +The agents there do not know this person\./);
    expect(out).toMatch(/main +secret \(telegram\/5\) +this agent has no destination/);
    const json = JSON.parse((await run('dropped --json')).out);
    expect(json.refused.items[0]).toMatchObject({ agentName: 'main', destination: 'secret' });
    expect(json.dropped.items).toHaveLength(1);
  });

  it('shows nothing of a container’s text as a control character', async () => {
    const { api, run } = await setUp();
    const detail = {
      destination: 'x\u001b[2Jx',
      channelType: null,
      platformId: null,
      threadId: null,
      reason: '\u001b]0;y',
    };
    api.spine.ledger.append({ kind: 'delivery.refused', sessionId: null, messageId: 'm', actor: null, detail }, 1);
    expect((await run('dropped')).out).not.toContain('\u001b');
  });
});

describe('a removal at a terminal', () => {
  it.each([
    ['y\n', 0, false],
    ['yes\n', 0, false],
    ['\n', 5, true],
    ['no\n', 5, true],
    ['yesterday\n', 5, true],
  ])('asks first: %j ends with %i', async (stdin, code, stays) => {
    const { api, run } = await setUp();
    api.spine.addAgent('writer');
    const ended = await run('agents remove writer', { stdin, isStdinInteractive: true });
    expect(ended.code).toBe(code);
    expect(ended.err).toContain('Remove the agent writer');
    expect(api.spine.agents.findByName('writer') !== null).toBe(stays);
    await gone(api);
  });
});
