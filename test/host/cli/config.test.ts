/** `portolan config` and `portolan mounts` against the real API. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startApi } from '../../support/api-server.ts';
import { portolan } from './support/run.ts';

async function setUp() {
  const api = await startApi();
  const run = (...words: string[]) => portolan(api.spine.home, words);
  return { api, spine: api.spine, agent: api.agent, run };
}

it('shows, sets and compares a config, and says how to take a change back', async () => {
  const { run, spine, agent } = await setUp();
  const set = await run('config', 'set', 'main', '--memory', '1024', '--model', 'large');
  expect(set).toMatchObject({ code: 0, err: '' });
  expect(set.out).toContain('main is at revision 2; its sessions restart when idle.');
  expect(set.out).toContain('+ model: large\n  + memory: 1024 MB');
  expect(set.out).toContain('To undo: portolan config rollback main 1');
  const server = { name: 'files', command: 'node', args: ['a b'], env: {} };
  spine.configs.change(agent.id, { mcpServers: [server] }, { by: 'host', approvalId: null, reason: 'x' });
  const shown = await run('config', 'main');
  for (const line of [
    /^revision +3, .* by host: x$/m,
    /^memory +1024 MB$/m,
    /^cpus +default$/m,
    /^MCP files +node 'a b'$/m,
  ]) {
    expect(shown.out).toMatch(line);
  }
  expect(JSON.parse((await run('config', 'show', 'main', '--json')).out)).toMatchObject({ revision: 3 });
  expect((await run('config', 'show', 'main', '--revision', '1')).out).toMatch(/^memory +default$/m);
  expect((await run('config', 'diff', 'main')).out).toBe("revision 2 → 3\n+ MCP server files: node 'a b'\n");
  expect((await run('config', 'diff', 'main', '--from', '3', '--to', '1')).out).toContain('- memory: 1024 MB');
  expect((await run('config', 'history', 'main')).out).toMatch(
    /^ +2 .* Owner +set by hand +\+ model: large; \+ memory/m,
  );
  expect(await run('config', 'set', 'main', '--memory', 'default')).toMatchObject({
    err: '',
    out: expect.stringContaining('- memory: 1024 MB'),
  });
  expect((await run('config', 'set', 'main', '--memory', 'default')).out).toContain('so already');
});

it('rolls back only when it is confirmed, and says what a failed build said', async () => {
  const { run, spine, agent } = await setUp();
  const packages = { apt: ['cowsay'], npm: [], generation: 0 };
  spine.configs.change(agent.id, { packages }, { by: 'host', approvalId: null, reason: 'x' });
  await run('config', 'set', 'main', '--cpus', '2');
  expect(await run('config', 'rollback', 'main', '1')).toMatchObject({
    code: 2,
    err: expect.stringContaining('config rollback main 1 --yes'),
  });
  spine.configs.change(agent.id, { packages: { ...packages, apt: [] } }, { by: 'host', approvalId: null, reason: 'x' });
  spine.images.ensure = async () => ({ kind: 'failed', tail: 'E: no such package' });
  expect(await run('config', 'rollback', 'main', '2', '--yes')).toMatchObject({
    code: 5,
    err: expect.stringContaining('E: no such package'),
  });
  expect(spine.agents.get(agent.id)?.config.revision).toBe(4);
  const back = await run('config', 'rollback', 'main', '1', '--yes');
  expect(back.out).toContain('main is as in revision 1, which is revision 5 now.');
  expect((await run('config', 'rollback', 'main', '1', '--yes')).out).toContain('as in revision 1 already');
  expect(await run('config', 'rollback', 'main', 'x')).toMatchObject({ code: 2 });
  expect(await run('config', 'rollback', 'main', '77', '--yes')).toMatchObject({ code: 4 });
});

it('says what is wrong with a setting and what was expected', async () => {
  const { run } = await setUp();
  expect(await run('config', 'set', 'main')).toMatchObject({ code: 2, err: expect.stringContaining('--memory') });
  expect(await run('config', 'set', 'main', '--cpus', 'many')).toMatchObject({ code: 2 });
  expect((await run('config', 'set', 'main', '--pids', '1')).code).not.toBe(0);
  expect(await run('config', 'nobody')).toMatchObject({ code: 4 });
});

it('gives and takes folders, and shows where they are allowed', async () => {
  const { run, spine } = await setUp();
  expect((await run('mounts', 'allowed')).out).toContain('"allow": [{ "path": "/srv/reports"');
  const root = join(spine.home.home, '..', 'srv');
  mkdirSync(join(root, 'reports'), { recursive: true });
  writeFileSync(spine.allowlistPath, JSON.stringify({ version: 1, allow: [{ path: root }] }), { mode: 0o600 });
  expect((await run('mounts', 'allowed')).out).toMatch(/srv +read\n/);
  expect(await run('mounts', 'add', 'main', 'keys', '/etc')).toMatchObject({
    code: 5,
    err: expect.stringContaining('portolan'),
  });
  const added = await run('mounts', 'add', 'main', 'reports', join(root, 'reports'));
  expect(added).toMatchObject({ code: 0, err: '' });
  expect(added.out).toContain('/workspace/mounts/reports');
  expect((await run('mounts', 'main')).out).toMatch(/reports .*\/workspace\/mounts\/reports +read +fine/);
  writeFileSync(spine.allowlistPath, '{}');
  expect((await run('mounts', 'main')).out).toContain('refused: the allowlist');
  expect((await run('mounts', 'allowed')).out).toContain('It is not used');
  expect((await run('mounts', 'remove', 'main', 'reports')).out).toContain('To undo: portolan config rollback main 2');
  expect((await run('mounts', 'main')).out).toContain('sees no folder');
});
