import { chmodSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { UserId } from '../../../shared/ids.ts';
import { type ApiFixture, OWNER, startApi } from '../../support/api-server.ts';

const VALUE = 'sk-never-seen-again-0123456789';
const PASSPHRASE = 'five words of a passphrase';

function put(api: ApiFixture, path: string, json: unknown) {
  return api.call(path, { method: 'PUT', json });
}

/** The cookie of a person with this role. */
function cookieOf(api: ApiFixture, role: 'owner' | 'admin', agentId: ApiFixture['agent']['id'] | null): string {
  const userId = `web:${role}-${agentId ?? 'all'}` as UserId;
  const { users, now } = api.spine;
  users.ensure(userId, userId, now());
  users.grant(userId, role, role === 'owner' ? null : agentId, null, now());
  return `${api.cookieName}=${api.logins.create('cookie', userId, now()).token}`;
}

describe('a secret over the API', () => {
  it('goes in, is named, and never comes out', async () => {
    const api = await startApi();
    const set = await put(api, '/secrets/anthropic', { value: VALUE });
    expect(set.status).toBe(200);
    expect(set.json).toMatchObject({
      name: 'anthropic',
      isNew: true,
      assignedTo: 'anthropic',
      next: 'portolan provider set main claude',
      uses: [{ service: 'anthropic', agent: null, thinkers: [] }],
    });
    const answers = await Promise.all(
      ['/secrets', '/services', '/vault', '/status', '/ledger', '/openapi.json'].map((path) => api.call(path)),
    );
    for (const answer of [set, ...answers]) {
      expect(answer.status).toBe(200);
      expect(answer.text).not.toContain('never-seen');
    }
    expect(readFileSync(api.spine.home.centralDb).includes('never-seen')).toBe(false);
  });

  it('names the agents that think with it, each with its own or with that of all', async () => {
    const api = await startApi();
    const bert = api.spine.addAgent('bert');
    for (const { id } of [api.agent, bert]) {
      api.spine.db.prepare("UPDATE container_configs SET provider = 'claude' WHERE agent_group_id = ?").run(id);
    }
    await put(api, '/secrets/anthropic', { value: VALUE });
    await put(api, '/secrets/berts', { value: VALUE });
    const assigned = await put(api, `/services/anthropic/secrets/${bert.id}`, { secret: 'berts' });
    expect(assigned.json).toEqual({ service: 'anthropic', agent: { id: bert.id, name: 'bert' }, thinkers: ['bert'] });
    const { items } = (await api.call('/secrets')).json;
    expect(items.map((one: { uses: unknown }) => one.uses)).toMatchObject([
      [{ service: 'anthropic', agent: null, thinkers: ['main'] }],
      [{ service: 'anthropic', agent: { name: 'bert' }, thinkers: ['bert'] }],
    ]);
    const gone = await api.call(`/services/anthropic/secrets/${bert.id}`, { method: 'DELETE' });
    expect(gone.status).toBe(204);
    expect((await api.call(`/services/anthropic/secrets/${bert.id}`, { method: 'DELETE' })).status).toBe(404);
  });

  it.each([
    [{ value: '' }, 400, 'bad_secret'],
    [{ value: 'sk-1\nx-more: 1' }, 400, 'bad_secret'],
    [{ value: 'sk-€' }, 400, 'bad_secret'],
    [{ value: 'sk-1'.repeat(4_000) }, 400, 'bad_secret'],
    [{ value: 7_700_000 }, 400, 'bad_input'],
    [{ text: 'sk-1' }, 400, 'bad_input'],
  ])('that cannot be one is refused without being repeated (%#)', async (body, status, code) => {
    const api = await startApi();
    const answer = await put(api, '/secrets/anthropic', body);
    expect(answer).toMatchObject({ status, json: { error: { code } } });
    expect(answer.text).not.toMatch(/sk-|7700000/);
  });

  it('is removed on top of what was seen', async () => {
    const api = await startApi();
    await put(api, '/secrets/anthropic', { value: VALUE });
    const remove = (revision: string | null) =>
      api.call('/secrets/anthropic', { method: 'DELETE', headers: revision === null ? {} : { 'if-match': revision } });
    expect((await remove(null)).status).toBe(428);
    expect((await remove('"2"')).status).toBe(412);
    expect((await remove('"1"')).status).toBe(204);
    expect((await remove('"1"')).status).toBe(404);
    expect((await api.call('/secrets')).json.items).toEqual([]);
  });

  it('is the owners’ alone: an admin of all sees neither names nor the vault', async () => {
    const api = await startApi();
    await put(api, '/secrets/anthropic', { value: VALUE });
    const as = (cookie: string) => (method: string, path: string, json?: unknown) =>
      api.call(path, {
        method,
        as: 'nobody',
        headers: { cookie, origin: api.origin },
        ...(json === undefined ? {} : { json }),
      });
    const admin = as(cookieOf(api, 'admin', null));
    for (const [method, path, json] of [
      ['GET', '/secrets'],
      ['PUT', '/secrets/anthropic', { value: 'sk-mine' }],
      ['DELETE', '/secrets/anthropic'],
      ['POST', '/services', { name: 'mine', url: 'https://mine.example.com' }],
      ['DELETE', '/services/mine'],
      ['PUT', '/services/github/secrets/all', { secret: 'anthropic' }],
      ['DELETE', '/services/anthropic/secrets/all'],
      ['GET', '/vault'],
      ['POST', '/vault/unlock', {}],
      ['POST', '/vault/lock'],
    ] as const) {
      expect([path, (await admin(method, path, json)).status]).toEqual([path, 403]);
    }
    expect((await admin('GET', '/services')).status).toBe(200);
    expect((await as(cookieOf(api, 'admin', api.agent.id))('GET', '/services')).status).toBe(200);
    // What changes the key is not for a page, which somebody may have taken over.
    const owner = as(cookieOf(api, 'owner', null));
    expect((await owner('GET', '/secrets')).status).toBe(200);
    expect((await owner('PUT', '/vault/passphrase', { passphrase: PASSPHRASE })).status).toBe(403);
    expect((await owner('POST', '/vault/rotate-key', {})).status).toBe(403);
    expect((await owner('DELETE', '/vault/passphrase')).status).toBe(403);
  });
});

describe('services over the API', () => {
  it('are listed, added, refused while in use, and removed', async () => {
    const api = await startApi();
    const added = await api.call('/services', {
      method: 'POST',
      json: { name: 'ollama', url: 'http://127.0.0.1:11434/v1/', api: 'openai', private: true },
    });
    expect(added.status).toBe(201);
    expect(added.json).toMatchObject({ name: 'ollama', baseUrl: 'http://127.0.0.1:11434/v1', revision: 1 });
    const { items } = (await api.call('/services')).json;
    expect(items.map(({ name }: { name: string }) => name)).toEqual(expect.arrayContaining(['anthropic', 'ollama']));
    const remove = (name: string) =>
      api.call(`/services/${name}`, { method: 'DELETE', headers: { 'if-match': '"1"' } });
    api.spine.db
      .prepare("UPDATE container_configs SET provider = 'openai', service = 'ollama' WHERE agent_group_id = ?")
      .run(api.agent.id);
    expect(await remove('ollama')).toMatchObject({ status: 409, json: { error: { code: 'service_used' } } });
    expect(await remove('anthropic')).toMatchObject({ status: 409, json: { error: { code: 'known_service' } } });
    api.spine.db.prepare('UPDATE container_configs SET service = NULL').run();
    expect((await remove('ollama')).status).toBe(204);
    const refused = await api.call('/services', { method: 'POST', json: { name: 'x', url: 'http://10.0.0.1' } });
    expect(refused).toMatchObject({ status: 400, json: { error: { code: 'private_url' } } });
  });
});

describe('the vault over the API', () => {
  it('is closed with a passphrase, and opened with it', async () => {
    const api = await startApi();
    await put(api, '/secrets/anthropic', { value: VALUE });
    expect((await put(api, '/vault/passphrase', { passphrase: 'short' })).json.error.code).toBe('bad_passphrase');
    const closed = await put(api, '/vault/passphrase', { passphrase: PASSPHRASE });
    expect(closed.json).toMatchObject({ state: 'open', source: 'passphrase' });
    const lock = () => api.call('/vault/lock', { method: 'POST' });
    expect((await lock()).json).toMatchObject({ state: 'locked', next: expect.stringContaining('secrets unlock') });
    expect((await put(api, '/secrets/anthropic', { value: VALUE })).status).toBe(423);
    expect((await api.call('/vault/unlock', { method: 'POST', json: { passphrase: PASSPHRASE } })).status).toBe(200);
    const rotated = await api.call('/vault/rotate-key', { method: 'POST', json: { passphrase: PASSPHRASE } });
    expect(rotated.json).toMatchObject({ state: 'open', source: 'passphrase' });
    expect(rotated.json.keyId).not.toBe(closed.json.keyId);
    const wrong = await api.call('/vault/rotate-key', { method: 'POST', json: { passphrase: 'not that one, no' } });
    expect(wrong).toMatchObject({ status: 403, json: { error: { code: 'wrong_passphrase' } } });
    const again = await api.call('/vault/rotate-key', { method: 'POST', json: { passphrase: PASSPHRASE } });
    expect(again).toMatchObject({ status: 429, json: { error: { code: 'slow_down' } } });
    expect((await api.call('/vault/passphrase', { method: 'DELETE' })).json).toMatchObject({ source: 'file' });
    expect(await lock()).toMatchObject({ status: 409, json: { error: { code: 'no_passphrase' } } });
  });

  it('says what is wrong with its file, and looks again when that is mended', async () => {
    const api = await startApi();
    await put(api, '/secrets/anthropic', { value: VALUE });
    chmodSync(api.spine.home.vaultKey, 0o644);
    const unlock = () => api.call('/vault/unlock', { method: 'POST', json: {} });
    expect((await unlock()).json).toMatchObject({ state: 'unusable', why: expect.stringContaining('0644') });
    expect((await api.call('/status')).json.vault).toMatchObject({ state: 'unusable' });
    expect(await put(api, '/secrets/other', { value: 'x' })).toMatchObject({
      status: 409,
      json: { error: { code: 'vault_unusable' } },
    });
    chmodSync(api.spine.home.vaultKey, 0o600);
    expect((await unlock()).json).toMatchObject({ state: 'open' });
  });
});

it('who set a secret is in the ledger, in words', async () => {
  const api = await startApi();
  await put(api, '/secrets/anthropic', { value: VALUE });
  const { items } = (await api.call('/ledger')).json;
  const told = items.map(({ actor, words }: { actor: string; words: string }) => [actor, words]);
  expect(told).toEqual([
    [OWNER, 'Owner (web:owner) gave the secret anthropic to the service anthropic, for all agents'],
    [OWNER, 'Owner (web:owner) set the secret anthropic'],
  ]);
});
