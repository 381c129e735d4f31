/** Agents' configs and mounts over the API: read, changed on top of what was seen, compared, rolled back. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { UserId } from '../../../shared/ids.ts';
import type { Packages } from '../../../shared/packages.ts';
import { type ApiFixture, startApi } from '../../support/api-server.ts';
import { type Caller, startWithPeople } from '../../support/console-people.ts';

const SERVER = { name: 'files', command: 'node', args: ["it's"], env: { KEY: 'a b' } };

async function setUp() {
  const api = await startApi();
  const { agent, spine } = api;
  const path = `/agents/${agent.id}/config`;
  const patch = (json: unknown, revision: number) =>
    api.call(path, { method: 'PATCH', json, headers: { 'if-match': `"${revision}"` } });
  const rollBack = (to: number, revision: number) =>
    api.call(`${path}/rollback`, { method: 'POST', json: { revision: to }, headers: { 'if-match': `"${revision}"` } });
  return { api, agent, spine, path, patch, rollBack };
}

/** A folder that the allowlist of this host allows. */
function allow(api: ApiFixture, name: string, readOnly = true): string {
  const root = join(api.spine.home.home, '..');
  mkdirSync(join(root, 'srv', name), { recursive: true });
  writeFileSync(
    api.spine.allowlistPath,
    JSON.stringify({ version: 1, allow: [{ path: join(root, 'srv'), readOnly }] }),
    { mode: 0o600 },
  );
  return join(root, 'srv', name);
}

describe('a config', () => {
  it('is shown whole, with who changed it last, and is changed on top of what was seen', async () => {
    const { api, spine, agent, path, patch } = await setUp();
    spine.configs.change(agent.id, { mcpServers: [SERVER] }, { by: 'host', approvalId: null, reason: 'x' });
    const seen = await api.call(path);
    expect(seen.headers.etag).toBe('"2"');
    expect(seen.json).toMatchObject({
      revision: 2,
      provider: 'demo',
      resources: { memoryMb: null, cpus: null, pids: null },
      mcpServers: [{ name: 'files', commandLine: "KEY='a b' node 'it'\\''s'" }],
      image: { state: 'ready', reason: null },
    });
    const changed = await patch({ memoryMb: 1024, cpus: 2 }, 2);
    expect(changed.json).toMatchObject({
      revision: 3,
      resources: { memoryMb: 1024, cpus: 2, pids: null },
      changedBy: { id: 'web:owner', name: 'Owner' },
    });
    expect((await patch({ memoryMb: null }, 3)).json.resources).toEqual({ memoryMb: null, cpus: 2, pids: null });
    expect(await patch({ cpus: 1 }, 3)).toMatchObject({ status: 412, json: { error: { revision: 4 } } });
    expect(await api.call(path, { method: 'PATCH', json: { cpus: 1 } })).toMatchObject({ status: 428 });
    expect((await patch({ effort: 'high' }, 4)).json).toMatchObject({ service: null, effort: 'high' });
    for (const bad of [
      {},
      { effort: 'huge' },
      { service: '../x' },
      { network: 'bridge' },
      { memoryMb: 1 },
      { cpus: 0 },
      { provider: 'gpt' },
      { mounts: [] },
      { packages: {} },
    ]) {
      expect(await patch(bad, 5)).toMatchObject({ status: 400 });
    }
  });

  it('Cost and growth: takes no more than a machine has to share, and says how much that is', async () => {
    const { patch } = await setUp();
    const most: [string, number][] = [
      ['memoryMb', 65_536],
      ['cpus', 64],
      ['pids', 4_096],
    ];
    let revision = 1;
    for (const [name, value] of most) {
      const refused = await patch({ [name]: value + 1 }, revision);
      expect([name, refused.status]).toEqual([name, 400]);
      expect(refused.text).toContain(String(value));
      expect((await patch({ [name]: value }, revision++)).status).toBe(200);
    }
  });

  it('Cost and growth: gets more than the default from a global admin, not from an admin of that agent', async () => {
    const people = await startWithPeople();
    const path = `/agents/${people.main.id}/config`;
    let revision = 1;
    const patch = async (who: Caller, json: object) => {
      const headers = { 'if-match': `"${revision}"` };
      const answer = await people.call(who, path, { method: 'PATCH', json, headers });
      if (answer.status === 200) revision = answer.json.revision;
      return answer;
    };
    for (const more of [{ memoryMb: 513 }, { cpus: 1.5 }, { pids: 129 }]) {
      const refused = await patch('ada', more);
      expect([more, refused.status]).toEqual([more, 403]);
      expect(refused.json.error.expected).toMatch(/at most (512|1|128), or an owner or a global admin/);
    }
    expect((await patch('ada', { memoryMb: 256, cpus: 1, pids: 128 })).status).toBe(200);
    expect((await patch('gus', { memoryMb: 2_048 })).status).toBe(200);
    const raised = revision;
    // What was given stays while she changes other things, and may become less.
    expect((await patch('ada', { timezone: 'Asia/Tokyo' })).status).toBe(200);
    expect((await patch('ada', { memoryMb: 4_096 })).status).toBe(403);
    expect((await patch('ada', { memoryMb: null })).status).toBe(200);
    expect((await patch('ada', { memoryMb: 2_048 })).status).toBe(403);
    const back = { method: 'POST', json: { revision: raised }, headers: { 'if-match': `"${revision}"` } };
    expect((await people.call('ada', `${path}/rollback`, back)).status).toBe(403);
    expect((await people.call('gus', `${path}/rollback`, back)).status).toBe(200);
  });

  it('has a history in pages, newest first, and differences between any two revisions', async () => {
    const { api, path, patch } = await setUp();
    await patch({ model: 'a' }, 1);
    await patch({ model: 'b', timezone: 'Asia/Tokyo' }, 2);
    const first = await api.call(`${path}/history?limit=2`);
    expect(first.json.items).toMatchObject([
      { revision: 3, changes: ['model: a → b', 'timezone: UTC → Asia/Tokyo'], changedBy: { id: 'web:owner' } },
      { revision: 2, changes: ['+ model: a'] },
    ]);
    const rest = await api.call(`${path}/history?limit=2&cursor=${first.json.nextCursor}`);
    expect(rest.json).toMatchObject({ items: [{ revision: 1, reason: 'made', changes: [] }], nextCursor: null });
    const lines = async (query: string) =>
      (await api.call(`${path}/diff${query}`)).json.changes.map(({ line }: { line: string }) => line);
    expect(await lines('')).toEqual(['model: a → b', 'timezone: UTC → Asia/Tokyo']);
    expect(await lines('?from=1&to=2')).toEqual(['+ model: a']);
    expect(await lines('?from=3&to=1')).toEqual(['- model: b', 'timezone: Asia/Tokyo → UTC']);
    expect(await api.call(`${path}/diff?from=9`)).toMatchObject({ status: 404 });
    expect((await api.call(`${path}/history/2`)).json).toMatchObject({ revision: 2, model: 'a', timezone: 'UTC' });
  });

  it('goes back as a new revision, after its image is built; when that fails nothing changes', async () => {
    const { api, spine, agent, path, rollBack } = await setUp();
    const packages: Packages = { apt: ['cowsay'], npm: [], generation: 0 };
    const by = { by: 'host', approvalId: null, reason: 'x' };
    spine.configs.change(agent.id, { packages }, by);
    spine.configs.change(agent.id, { packages: { ...packages, apt: [] }, model: 'm' }, by);
    spine.images.ensure = async () => ({ kind: 'failed', tail: 'E: no such package' });
    expect(await rollBack(2, 3)).toMatchObject({
      status: 409,
      json: { error: { code: 'build_failed', message: expect.stringContaining('E: no such package') } },
    });
    expect((await api.call(path)).json.revision).toBe(3);
    const built: Packages[] = [];
    spine.images.ensure = async (_agent, wanted) => {
      built.push(wanted);
      return { kind: 'built', image: 'x' };
    };
    expect(await rollBack(2, 2)).toMatchObject({ status: 412 });
    expect(built).toEqual([]);
    expect((await rollBack(2, 3)).json).toMatchObject({
      revision: 4,
      reason: 'rolled back to revision 2',
      model: null,
    });
    expect(built).toEqual([packages]);
    expect(spine.configHistory.get(agent.id, 2)?.content).toEqual(spine.configHistory.get(agent.id, 4)?.content);
    expect(await rollBack(77, 4)).toMatchObject({ status: 404 });
  });
});

describe('a rollback', () => {
  /** What somebody else’s page sends. */
  const pageOf = (api: ApiFixture, id: string) => {
    const cookie = `${api.cookieName}=${api.logins.create('cookie', id as UserId, api.spine.now()).token}`;
    return { as: 'nobody', headers: { cookie, origin: api.origin } } as const;
  };
  const note = { by: 'host', approvalId: null, reason: 'x' };

  async function setUpAdmin(role: 'owner' | 'admin', of: 'main' | 'all') {
    const set = await setUp();
    const { api, agent, spine, path } = set;
    const id = 'web:ada' as UserId;
    spine.users.ensure(id, 'Ada', 1);
    spine.users.grant(id, role, of === 'all' ? null : agent.id, null, 1);
    const page = pageOf(api, id);
    const rollBack = (to: number, revision: number) => {
      const headers = { ...page.headers, 'if-match': `"${revision}"` };
      return api.call(`${path}/rollback`, { ...page, method: 'POST', json: { revision: to }, headers });
    };
    return { ...set, rollBack };
  }

  it('does not stand in for the several people who must approve packages and MCP servers', async () => {
    const { api, agent, spine, rollBack } = await setUpAdmin('admin', 'all');
    spine.configs.change(agent.id, { mcpServers: [SERVER] }, note);
    spine.configs.change(agent.id, { mcpServers: [], packages: { apt: ['cowsay'], npm: [], generation: 0 } }, note);
    spine.configs.change(agent.id, { packages: { apt: [], npm: [], generation: 0 } }, note);
    const machine = { userId: 'web:owner' as UserId, isMachine: true };
    for (const action of ['install_packages', 'add_mcp_server'] as const) {
      spine.approvals.policies.change(action, { quorum: 2 }, null, machine);
    }
    for (const to of [2, 3]) {
      const refused = await rollBack(to, 4);
      expect([refused.status, refused.json.error.message]).toEqual([403, expect.stringContaining('2 people')]);
    }
    expect(spine.agents.get(agent.id)?.config.revision).toBe(4);
    // What nobody has to approve goes back all the same; and owners say how many there must be.
    expect((await rollBack(1, 4)).status).toBe(200);
    const headers = { 'if-match': '"4"' };
    const byOwner = { method: 'POST', json: { revision: 2 }, headers };
    expect((await api.call(`/agents/${agent.id}/config/rollback`, byOwner)).json).toMatchObject({ revision: 5 });
  });
});

describe('a mount', () => {
  it('is given and taken over the API, judged by the allowlist of that moment', async () => {
    const { api, agent, path, rollBack } = await setUp();
    const mounts = `/agents/${agent.id}/mounts`;
    const add = (json: unknown, revision: number) =>
      api.call(mounts, { method: 'POST', json, headers: { 'if-match': `"${revision}"` } });
    expect((await api.call('/mounts/allowed')).json).toMatchObject({ state: 'absent', folders: [] });
    const folder = allow(api, 'reports');
    expect((await api.call('/mounts/allowed')).json).toMatchObject({ state: 'used', folders: [{ isReadOnly: true }] });
    expect(await add({ name: 'keys', path: '/etc/ssl' }, 1)).toMatchObject({
      status: 409,
      json: { error: { code: 'mount_refused' } },
    });
    expect(await add({ name: 'reports', path: folder, write: true }, 1)).toMatchObject({
      status: 409,
      json: { error: { message: expect.stringContaining('read-only alone') } },
    });
    expect((await add({ name: 'reports', path: `${folder}/` }, 1)).json).toMatchObject({
      revision: 2,
      mounts: [{ name: 'reports', path: folder, isReadOnly: true, containerPath: '/workspace/mounts/reports' }],
    });
    expect(await add({ name: 'reports', path: folder }, 2)).toMatchObject({
      status: 409,
      json: { error: { code: 'name_taken' } },
    });
    expect((await api.call(mounts)).json.items).toMatchObject([
      { name: 'reports', mountedAs: { realPath: folder }, why: null },
    ]);
    const removed = await api.call(`${mounts}/reports`, { method: 'DELETE', headers: { 'if-match': '"2"' } });
    expect(removed.json).toMatchObject({ revision: 3, mounts: [] });
    // Not allowed any more, it does not come back by a rollback either.
    rmSync(api.spine.allowlistPath);
    expect(await rollBack(2, 3)).toMatchObject({ status: 409, json: { error: { code: 'not_possible_now' } } });
    expect((await api.call(path)).json).toMatchObject({ revision: 3, mounts: [] });
  });
});
