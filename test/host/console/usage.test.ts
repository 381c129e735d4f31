/** What models cost over the API: who sees it, who sets caps, and what stands at each message. */
import { expect, test } from 'vitest';
import type { ModelCallRecord } from '../../../host/store/model-calls.ts';
import { type MessageId, makeId, type SessionId } from '../../../shared/ids.ts';
import { NANOUSD_PER_USD as USD } from '../../../shared/money.ts';
import { type ApiFixture, OWNER, startApi } from '../../support/api-server.ts';
import { type Caller, ConsolePeople } from '../../support/console-people.ts';

function record(api: ApiFixture, sessionId: SessionId, messageId: MessageId | null): ModelCallRecord {
  return {
    ...{ at: Date.now(), agentGroupId: api.agent.id, sessionId, messageId, userId: OWNER },
    ...{ service: 'anthropic', model: 'claude-opus-5-5', inputTokens: 12, outputTokens: 3, cacheReadTokens: 5 },
    ...{ cacheWriteTokens: 7, costNanousd: 1_000, isEstimated: false, status: 200, firstByteMs: 1, durationMs: 2 },
  };
}

test('a message that came in carries what answering it cost, exactly, and answers carry nothing', async () => {
  const api = await startApi();
  const session = api.openSession('one');
  const said = await api.call(`/sessions/${session.id}/messages`, { method: 'POST', json: { text: 'hello' } });
  expect(said).toMatchObject({ status: 201, json: { usage: null } });
  const one = record(api, session.id, said.json.id);
  api.spine.modelCalls.appendAll([one, { ...one, costNanousd: null, isEstimated: true }]);
  const page = await api.call(`/sessions/${session.id}/messages`);
  expect(page.json.items[0].usage).toEqual({
    ...{ calls: 2, inputTokens: 24, outputTokens: 6, cacheReadTokens: 10, cacheWriteTokens: 14 },
    ...{ costNanousd: 1_000, unpricedCalls: 1, isEstimated: true },
  });
  expect((await api.call(`/messages/${said.json.id}`)).json.usage.calls).toBe(2);
  const { sum } = (await api.call(`/usage?session=${session.id}`)).json;
  expect(sum).toMatchObject({ calls: 2, inputTokens: 24, costNanousd: 1_000 });
});

test('a message without a price anywhere says that its cost is not known, not that it is nothing', async () => {
  const api = await startApi();
  const session = api.openSession('one');
  const said = await api.call(`/sessions/${session.id}/messages`, { method: 'POST', json: { text: 'hello' } });
  api.spine.modelCalls.appendAll([{ ...record(api, session.id, said.json.id), costNanousd: null }]);
  expect((await api.call(`/messages/${said.json.id}`)).json.usage.costNanousd).toBeNull();
});

test('admins of an agent see its sums and budgets alone; members and strangers none', async () => {
  const people = new ConsolePeople(await startApi());
  const { api, main, other } = people;
  const of = (agentGroupId: string) =>
    ({ ...record(api, people.ofMia.session.id, null), agentGroupId }) as ModelCallRecord;
  api.spine.modelCalls.appendAll([of(main.id), of(other.id), of(other.id)]);
  for (const scope of [main.id, other.id]) {
    api.spine.budgetChanges.set({ scope: 'agent', subject: scope, period: 'day', unit: 'usd' }, USD, OWNER);
  }
  api.spine.budgetChanges.set({ scope: 'host', subject: '', period: 'day', unit: 'usd' }, USD, OWNER);
  const seen = async (who: Caller) => {
    const usage = await people.call(who, '/usage');
    const budgets = await people.call(who, '/budgets');
    return usage.status === 200 ? [usage.json.sum.calls, budgets.json.items.length] : [usage.status, budgets.status];
  };
  expect(await seen('ada')).toEqual([1, 1]);
  expect(await seen('bob')).toEqual([2, 1]);
  for (const who of ['gus', 'owner', 'machine'] as const) expect(await seen(who), who).toEqual([3, 3]);
  for (const who of ['mia', 'mo', 'nora', 'rita'] as const) expect(await seen(who), who).toEqual([403, 403]);
  expect(await seen('stranger')).toEqual([401, 401]);
  expect((await people.call('ada', `/usage?agent=${other.id}`)).status).toBe(404);
  expect((await people.call('ada', `/usage?session=${people.ofOther.session.id}`)).status).toBe(404);
});

test('an admin of one agent sets no cap and no price: it is the owner’s money', async () => {
  const people = new ConsolePeople(await startApi());
  const budget = { scope: 'agent', subject: people.main.id, period: 'day', unit: 'usd', amount: 5 * USD };
  const price = { service: 'anthropic', model: 'x', input: 1, output: 1, cacheRead: 1, cacheWrite: 1 };
  for (const who of ['ada', 'mia'] as const) {
    expect((await people.call(who, '/budgets', { method: 'PUT', json: budget })).status, who).toBe(403);
    expect((await people.call(who, '/prices', { method: 'PUT', json: price })).status, who).toBe(403);
  }
  const made = await people.call('gus', '/budgets', { method: 'PUT', json: budget });
  expect(made).toMatchObject({ status: 200, json: { name: 'main', amount: 5 * USD, spent: 0, held: 0 } });
  const { scope, subject, period, unit } = budget;
  const query = new URLSearchParams({ scope, subject, period, unit });
  expect((await people.call('ada', `/budgets?${query}`, { method: 'DELETE' })).status).toBe(403);
  expect((await people.call('gus', `/budgets?${query}`, { method: 'DELETE' })).status).toBe(204);
  expect((await people.call('gus', `/budgets?${query}`, { method: 'DELETE' })).status).toBe(404);
});

test.each([
  [{ amount: -1 }],
  [{ amount: 1.5 }],
  [{ amount: 1e18 }],
  [{ scope: 'world' }],
  [{ subject: 'agt_00000000000000000000' }],
  [{ scope: 'host' }],
  [{ unit: 'eur' }],
  [{ more: 1 }],
])('a budget with %j is refused', async (wrong) => {
  const api = await startApi();
  const budget = { scope: 'agent', subject: api.agent.id, period: 'day', unit: 'usd', amount: 5, ...wrong };
  const { status } = await api.call('/budgets', { method: 'PUT', json: budget });
  expect([400, 404]).toContain(status);
  expect(api.spine.budgets.list()).toEqual([]);
});

test('budgets and prices change on top of what was seen, when the caller says what that was', async () => {
  const api = await startApi();
  const key = { scope: 'agent', subject: api.agent.id, period: 'day', unit: 'usd' };
  const model = { service: 'anthropic', model: 'claude-x' };
  const tokens = { input: 1, output: 2, cacheRead: 1, cacheWrite: 1 };
  const kinds = [
    { path: '/budgets', of: key, bodies: [5, 6, 7].map((amount) => ({ ...key, amount })) },
    { path: '/prices', of: model, bodies: [1, 2, 3].map((output) => ({ ...model, ...tokens, output })) },
  ];
  for (const { path, of, bodies } of kinds) {
    const put = (json: unknown, revision?: string) =>
      api.call(path, { method: 'PUT', json, ...(revision !== undefined && { headers: { 'if-match': revision } }) });
    const remove = (revision: string) =>
      api.call(`${path}?${new URLSearchParams(of)}`, { method: 'DELETE', headers: { 'if-match': revision } });
    expect((await put(bodies[0], '"1"')).status, 'there is none yet').toBe(404);
    const made = await put(bodies[0]);
    expect(made).toMatchObject({ status: 200, json: { revision: 1 } });
    expect(made.headers.etag).toBe('"1"');
    expect((await put(bodies[1], '"1"')).json).toMatchObject({ revision: 2 });
    const stale = await put(bodies[2], '"1"');
    expect(stale).toMatchObject({ status: 412, json: { error: { code: 'stale', revision: 2 } } });
    // People at the page and the terminal read it too.
    expect(stale.json.error.next).toMatch(/^look at it as it is now/);
    expect((await put(bodies[2], 'x')).status).toBe(400);
    expect((await remove('"1"')).status).toBe(412);
    expect((await api.call(path)).json.items).toContainEqual(expect.objectContaining(bodies[1]));
    expect((await remove('"2"')).status).toBe(204);
    expect((await remove('"2"')).status).toBe(404);
  }
});

test('sums by person join what one person wrote under several names', async () => {
  const api = await startApi();
  const { spine } = api;
  const ids = ['telegram:7', 'slack:U7'];
  const one = record(api, makeId('session'), null);
  for (const id of ids) spine.users.ensure(id as never, 'Anna', 0);
  spine.db.prepare(`UPDATE users SET person_id = 'per_00000000000000000001' WHERE id IN (?, ?)`).run(...ids);
  spine.modelCalls.appendAll(ids.map((id) => ({ ...one, userId: id as never })));
  const { json } = await api.call('/usage?by=person');
  expect(json.items).toMatchObject([{ name: 'Anna', calls: 2 }]);
  expect((await api.call('/usage?person=telegram:7')).json.sum.calls).toBe(2);
});
