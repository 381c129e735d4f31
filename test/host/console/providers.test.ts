/** What agents think with, over the API: shown, set, refused with words, tested at a pace. */
import { describe, expect, it } from 'vitest';
import { startApi } from '../../support/api-server.ts';
import { startWithPeople } from '../../support/console-people.ts';

async function setUp() {
  const api = await startApi();
  const { agent, spine } = api;
  api.services.add(
    { name: 'ollama', url: 'http://127.0.0.1:11434/v1', api: 'openai', header: null, isPrivate: true },
    'web:owner',
  );
  const path = `/agents/${agent.id}/provider`;
  const put = (json: unknown, revision = 1) =>
    api.call(path, { method: 'PUT', json, headers: { 'if-match': `"${revision}"` } });
  return { api, agent, spine, path, put };
}

describe('a provider', () => {
  it('is shown with the services that it can talk to, and with what agents think with', async () => {
    const { api, agent } = await setUp();
    const { providers, services, agents } = (await api.call('/providers')).json;
    expect(providers[0]).toMatchObject({ name: 'demo', needsModel: false, services: [], notice: null });
    expect(services).toContainEqual({ name: 'ollama', api: 'openai', isPrivate: true });
    expect(services.map(({ name }: { name: string }) => name)).not.toContain('github');
    expect(agents).toMatchObject([
      { agentId: agent.id, provider: 'demo', service: null, key: { state: 'not_needed', next: null } },
    ]);
  });

  it('that is set replaces the whole choice, is one revision of the config, and tells what is missing', async () => {
    const { api, agent, spine, put } = await setUp();
    const set = await put({ provider: 'openai', service: 'ollama', model: 'llama3.2', effort: 'low' });
    expect(set.json).toMatchObject({
      ...{ revision: 2, provider: 'openai', model: 'llama3.2', service: 'ollama', api: 'openai', effort: 'low' },
      // Servers of one's own often ask for none.
      key: { state: 'not_taken' },
    });
    const claude = await put({ provider: 'claude' }, 2);
    expect(claude.json).toMatchObject({
      ...{ revision: 3, model: 'sonnet', service: 'anthropic', effort: null },
      key: { state: 'missing', next: 'portolan secrets set anthropic' },
    });
    expect(spine.agents.get(agent.id)?.config).toMatchObject({ provider: 'claude', service: null, effort: null });
    expect(spine.reconfigured).toEqual([agent.id, agent.id]);
    const [entry] = (await api.call('/ledger?limit=1')).json.items;
    expect(entry).toMatchObject({ kind: 'config.changed', detail: { reason: 'provider set to claude' } });
    expect((await put({ provider: 'demo' }, 2)).status).toBe(412);
  });

  it('is told of each conversation, as it is now', async () => {
    const { api, agent, put } = await setUp();
    const { id } = (await api.call('/sessions', { method: 'POST', json: { agentId: agent.id } })).json;
    expect((await api.call(`/sessions/${id}`)).json).toMatchObject({ provider: 'demo', model: null });
    await put({ provider: 'openai', service: 'ollama', model: 'llama3.2' });
    expect((await api.call(`/sessions/${id}`)).json).toMatchObject({ provider: 'openai', model: 'llama3.2' });
    expect((await api.call('/sessions')).json.items).toMatchObject([{ provider: 'openai', model: 'llama3.2' }]);
  });

  it.each([
    [{ provider: 'claude', service: 'ollama' }, 'wrong_api', 'provider set main openai --service ollama'],
    [{ provider: 'openai' }, 'model_needed', 'provider set main openai --model <model>'],
    [{ provider: 'openai', service: 'nowhere', model: 'x' }, 'unknown_service', 'services add nowhere'],
    [{ provider: 'demo', service: 'ollama' }, 'no_service_taken', 'provider list'],
  ])('%j is refused: %s', async (choice, code, next) => {
    const { api, agent, spine, put } = await setUp();
    const refused = await put(choice);
    expect(refused).toMatchObject({ status: 409, json: { error: { code, next: expect.stringContaining(next) } } });
    // No other door leads there.
    for (const path of [`/agents/${agent.id}`, `/agents/${agent.id}/config`]) {
      const headers = { 'if-match': '"1"' };
      expect((await api.call(path, { method: 'PATCH', json: choice, headers })).json.error.code).toBe(code);
    }
    expect((await api.call('/agents', { method: 'POST', json: { name: 'new', ...choice } })).json.error.code).toBe(
      code,
    );
    expect(spine.agents.get(agent.id)?.config.revision).toBe(1);
  });

  it('leaves the model of another behind when a patch changes it, and other patches leave it alone', async () => {
    const { api, agent, put } = await setUp();
    await put({ provider: 'openai', service: 'ollama', model: 'llama3.2' });
    const patch = (json: unknown, revision: number) =>
      api.call(`/agents/${agent.id}/config`, { method: 'PATCH', json, headers: { 'if-match': `"${revision}"` } });
    expect((await patch({ cpus: 1 }, 2)).json).toMatchObject({ service: 'ollama', model: 'llama3.2' });
    expect((await patch({ provider: 'demo' }, 3)).json).toMatchObject({ service: null, model: null });
  });

  it('is set and tested by admins of the agent, and by nobody else', async () => {
    const people = await startWithPeople();
    const path = `/agents/${people.main.id}/provider`;
    const headers = { 'if-match': '"1"' };
    const tryAll = async (who: 'ada' | 'mia') => [
      (await people.call(who, path, { method: 'PUT', json: { provider: 'demo' }, headers })).status,
      (await people.call(who, `${path}/test`, { method: 'POST', json: {} })).status,
      (await people.call(who, `/agents/${people.main.id}/models`)).status,
      (await people.call(who, '/providers')).status,
    ];
    expect(await tryAll('ada')).toEqual([200, 429, 200, 200]);
    for (const status of await tryAll('mia')) expect([403, 404]).toContain(status);
  });
});

it('does not come back by a rollback when its service is gone', async () => {
  const { api, agent, put } = await setUp();
  await put({ provider: 'openai', service: 'ollama', model: 'llama3.2' });
  await put({ provider: 'demo' }, 2);
  expect(api.services.remove('ollama', 1, 'web:owner')).toEqual({ kind: 'removed' });
  const back = (revision: number) =>
    api.call(`/agents/${agent.id}/config/rollback`, {
      ...{ method: 'POST', json: { revision }, headers: { 'if-match': '"3"' } },
    });
  expect(await back(2)).toMatchObject({ status: 409, json: { error: { code: 'not_possible_now' } } });
  expect((await back(2)).json.error.message).toContain('There is no service "ollama" on this host.');
  expect((await back(1)).status).toBe(200);
});

describe('a test of a provider', () => {
  it('is told in words, and refused when it comes too often', async () => {
    const { api, path } = await setUp();
    const call = () => api.call(`${path}/test`, { method: 'POST', json: {} });
    const report = {
      ok: false,
      code: 'bad_key',
      text: 'no',
      said: null,
      next: 'portolan secrets set x',
      models: [],
    } as const;
    api.prober = { ...api.prober, test: async () => ({ kind: 'report', report }) };
    expect(await call()).toMatchObject({ status: 200, json: report });
    api.prober = { ...api.prober, test: async () => ({ kind: 'too-often', waitMs: 61_000 }) };
    expect(await call()).toMatchObject({ status: 429, json: { error: { expected: 'the next one in 2 min' } } });
  });

  it('asks for the models of what the agent would be set to', async () => {
    const { api, agent } = await setUp();
    const asked: unknown[] = [];
    api.prober = {
      ...api.prober,
      listModels: async ({ config: { provider, service } }) => {
        asked.push([provider, service]);
        return { kind: 'models', models: ['a'] };
      },
    };
    const path = `/agents/${agent.id}/models`;
    expect((await api.call(`${path}?provider=openai&service=ollama`)).json).toEqual({ models: ['a'] });
    await api.call(`${path}?provider=openai`);
    expect(asked).toEqual([
      ['openai', 'ollama'],
      ['openai', null],
    ]);
  });
});
