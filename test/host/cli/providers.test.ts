/** `portolan provider` against the real API: each line as a newcomer reads it. */
import { expect, it } from 'vitest';
import type { ProbeReport } from '../../../host/runtime/probe/report.ts';
import { startApi } from '../../support/api-server.ts';
import { portolan, type RunOptions } from './support/run.ts';

async function setUp() {
  const api = await startApi();
  const run = (words: string, options: RunOptions = {}) => portolan(api.spine.home, words.split(' '), options);
  return { api, run };
}

it('lists what there is and what agents do, and how to begin', async () => {
  const { run } = await setUp();
  const { out, code } = await run('provider');
  expect(code).toBe(0);
  expect(out).toMatch(/^demo +fixed rules; no model, no key +–$/m);
  expect(out).toMatch(/^claude +Claude, by Anthropic’s agent SDK +anthropic$/m);
  expect(out).toMatch(/^main +demo +– +– +– +–$/m);
  expect(out).toMatch(
    /For a real model, type:\n {2}portolan secrets set anthropic\n {2}portolan provider set main claude\n$/,
  );
  expect(JSON.parse((await run('provider list --json')).out).agents[0]).toMatchObject({ agentName: 'main' });
});

it('types the name of an agent as a shell reads it', async () => {
  const { api, run } = await setUp();
  api.spine.db.prepare('UPDATE agent_groups SET name = ?').run('a (new) one');
  expect((await run('provider')).out).toContain("portolan provider set 'a (new) one' claude");
});

it('asks before claude, and names its terms; nothing changes without a yes', async () => {
  const { api, run } = await setUp();
  const asked = await run('provider set main claude --model opus');
  expect(asked).toMatchObject({ code: 2, out: '' });
  expect(asked.err).toContain('https://code.claude.com/docs/en/legal-and-compliance');
  expect(asked.err).toContain('provider set main claude --model opus --yes');
  const no = await run('provider set main claude', { stdin: 'n\n', isStdinInteractive: true });
  expect(no).toMatchObject({ code: 5, err: expect.stringContaining('Nothing was changed.') });
  expect(api.spine.agents.get(api.agent.id)?.config.provider).toBe('demo');
});

it('sets claude without a key all the same, and says exactly what to type next', async () => {
  const { run } = await setUp();
  const set = await run('provider set main claude', { stdin: 'y\n', isStdinInteractive: true });
  expect(set.out).toBe(
    [
      '✓ main thinks with claude, model sonnet, through anthropic; its sessions restart when idle.',
      'To undo: portolan config rollback main 1',
      '! It cannot answer yet: the service anthropic has no secret for this agent.',
      'Next, type (the key, then one call to see that it works):',
      '  portolan secrets set anthropic',
      '  portolan provider test main',
      '',
    ].join('\n'),
  );
  // Nobody is asked twice for the same.
  const again = await run('provider set main claude');
  expect(again).toMatchObject({ code: 0, out: expect.stringContaining('It was so already.') });
  expect((await run('provider list')).out).toMatch(/^main +claude +sonnet +anthropic +default +missing$/m);
});

it('asks for a model with the names that the service has, and says of one that it lacks', async () => {
  const { api, run } = await setUp();
  api.services.add(
    { name: 'ollama', url: 'http://127.0.0.1:11434/v1', api: 'openai', header: null, isPrivate: true },
    'web:owner',
  );
  api.prober = { ...api.prober, listModels: async () => ({ kind: 'models', models: ['llama3.2', 'qwen3'] }) };
  const without = await run('provider set main openai --service ollama');
  expect(without).toMatchObject({ code: 5, out: '' });
  expect(without.err).toContain('expected: --model with one of: llama3.2, qwen3');
  expect(without.err).toContain('provider set main openai --service ollama --model <model>');
  const odd = await run('provider set main openai --service ollama --model lama');
  expect(odd.out).toContain('! ollama lists no model lama; it has: llama3.2, qwen3\n');
  expect(odd.out).toContain('Next, type (one call to ollama, to see that it works):\n  portolan provider test main\n');
  const unknown = await run('provider set main gemini');
  expect(unknown).toMatchObject({ code: 2, err: expect.stringContaining('There is no provider “gemini”.') });
  expect(unknown.err).toContain('expected: one of demo, claude, openai, echo');
  expect((await run('provider set main claude --effort hard')).err).toContain('one of low, medium, high, max, default');
  const right = await run('provider set main openai --service ollama --model qwen3 --effort high --json');
  expect(JSON.parse(right.out)).toMatchObject({ model: 'qwen3', service: 'ollama', effort: 'high' });
});

it('says of a test what came of it, and ends with 1 when it did not go through', async () => {
  const { api, run } = await setUp();
  const says = (report: ProbeReport) => {
    api.prober = { ...api.prober, test: async () => ({ kind: 'report', report }) };
  };
  says({ ok: true, code: 'works', text: 'main reaches m through s.', said: null, next: null, models: [] });
  expect(await run('provider test main')).toMatchObject({ code: 0, out: '✓ main reaches m through s.\n' });
  const next = 'portolan provider set main openai --model <model>';
  says({ ok: false, code: 'unknown_model', text: 'No such model.', said: 'not found', next, models: ['a', 'b'] });
  expect(await run('provider test main')).toMatchObject({
    code: 1,
    out: `✗ No such model.\n  it said: not found\n  it has: a, b\n\nNext, type:\n  ${next}\n`,
  });
  const json = await run('provider test main --json');
  expect([json.code, JSON.parse(json.out).code]).toEqual([1, 'unknown_model']);
  api.prober = { ...api.prober, test: async () => ({ kind: 'busy' }) };
  expect(await run('provider test main')).toMatchObject({ code: 5, err: expect.stringContaining('under way already') });
});

it('announces a call where one is tried, and none for an agent that needs no model', async () => {
  const { api, run } = await setUp();
  const report: ProbeReport = {
    ok: true,
    code: 'no_model',
    text: 'Nothing to test.',
    said: null,
    next: null,
    models: [],
  };
  api.prober = { ...api.prober, test: async () => ({ kind: 'report', report }) };
  expect((await run('provider test main', { columns: 80 })).out).toBe('✓ Nothing to test.\n');
  await run('provider set main claude --yes');
  expect((await run('provider test main', { columns: 80 })).out).toBe(
    'Trying one call, in a container of its own …\n✓ Nothing to test.\n',
  );
});
