/** What agents may reach outside and what they reached, over the API: who may see, give and take it. */
import { request } from 'node:http';
import { expect, it } from 'vitest';
import type { EgressEntry, NewEgressEntry } from '../../../host/store/egress-log.ts';
import { makeId } from '../../../shared/ids.ts';
import { type ApiFixture, BEARER, startApi } from '../../support/api-server.ts';
import { type Caller, ConsolePeople } from '../../support/console-people.ts';
import { until } from '../../support/until.ts';

const pathOf = (api: ApiFixture) => `/agents/${api.agent.id}/access`;
const EXAMPLE = { host: 'API.example.com', methods: ['HEAD', 'GET', 'GET'], path: '/v1/' };

function entry(api: ApiFixture, more: Partial<EgressEntry> = {}): NewEgressEntry {
  return {
    ...{ at: api.spine.now(), agentGroupId: api.agent.id, sessionId: makeId('session'), kind: 'https', method: 'GET' },
    ...{ host: 'api.example.com', port: 443, path: '/v1', address: '203.0.113.7', outcome: 'allowed', status: 200 },
    ...{ reason: null, rule: null, bytesOut: 10, bytesIn: 20, durationMs: 5, repeats: 1 },
    ...more,
  };
}

/** What a tail is told, as it comes. */
function follow(api: ApiFixture, query = '', headers: Record<string, string> = { Authorization: `Bearer ${BEARER}` }) {
  const seen = { text: '', status: 0, isOver: false, close: () => undefined as unknown };
  const call = request({
    port: api.port,
    path: `/api/v1/egress${query}`,
    headers: { ...headers, Accept: 'text/event-stream' },
  });
  call.on('response', (response) => {
    seen.status = response.statusCode ?? 0;
    response.setEncoding('utf8').on('data', (piece: string) => {
      seen.text += piece;
    });
    response.on('close', () => {
      seen.isOver = true;
    });
    response.on('error', () => undefined);
  });
  call.on('error', () => undefined);
  call.end();
  seen.close = () => call.destroy();
  return seen;
}

const isOpen = (seen: ReturnType<typeof follow>) => until('the tail is open', () => seen.text.includes('retry'));

it('gives, lists and takes a rule, in one form, and says each to the gateway and the ledger', async () => {
  const api = await startApi();
  expect((await api.call(pathOf(api))).json).toEqual({ items: [] });
  const made = await api.call(pathOf(api), { method: 'POST', json: { ...EXAMPLE, reason: 'weather' } });
  expect(made.status).toBe(201);
  expect(made.json).toMatchObject({
    ...{ host: 'api.example.com', port: 443, methods: ['GET', 'HEAD'], path: '/v1', service: null, isPrivate: false },
    ...{ place: 'https://api.example.com', reason: 'weather', approvalId: null, createdBy: { name: 'Owner' } },
  });
  expect((await api.call(pathOf(api))).json.items).toEqual([made.json]);
  expect(api.spine.accessChanged).toEqual([api.agent.id]);
  const removed = await api.call(`${pathOf(api)}/${made.json.id}`, { method: 'DELETE' });
  expect(removed.status).toBe(204);
  expect((await api.call(`${pathOf(api)}/${made.json.id}`, { method: 'DELETE' })).status).toBe(404);
  expect((await api.call(pathOf(api))).json).toEqual({ items: [] });
  const words = (await api.call('/ledger?kind=access.')).json.items.map((one: { words: string }) => one.words);
  expect(words).toEqual([
    'Owner (web:owner) took from main: GET, HEAD on https://api.example.com under /v1',
    'Owner (web:owner) let main out to: GET, HEAD on https://api.example.com under /v1',
  ]);
});

it.each([
  [{ host: '*.co.uk' }, 409, /others register/],
  [{ host: '127.0.0.1' }, 409, /is an address/],
  [{ host: '0x7f.1' }, 409, /127\.0\.0\.1 is an address/],
  [{ host: 'metadata.google.internal', private: true }, 409, /nobody may reach it/],
  [{ host: 'nas' }, 409, /--private/],
  [{ host: 'a b' }, 400, /no host/],
  [{ host: '*.10.0.0.1', private: true }, 400, /no host/],
  [{ service: 'nowhere' }, 409, /no service/],
  [{}, 400, /./],
  [{ host: 'a.example.com', service: 'github' }, 400, /./],
  [{ host: 'a.example.com', methods: ['CONNECT'] }, 400, /./],
  [{ host: 'a.example.com', path: '/a/../b' }, 400, /./],
  [{ host: 'a.example.com', isPrivate: true }, 400, /./],
])('refuses %j in words', async (json, status, words) => {
  const api = await startApi();
  const answer = await api.call(pathOf(api), { method: 'POST', json });
  expect(answer).toMatchObject({ status });
  expect(answer.json.error.message).toMatch(words);
  expect(api.spine.access.list(api.agent.id)).toEqual([]);
});

it('says what is allowed already, instead of a second rule', async () => {
  const api = await startApi();
  await api.call(pathOf(api), { method: 'POST', json: EXAMPLE });
  const again = await api.call(pathOf(api), { method: 'POST', json: { ...EXAMPLE, path: '/v1/items' } });
  expect(again.json.error).toMatchObject({ code: 'allowed_already', message: expect.stringContaining('GET, HEAD on') });
});

it('lets admins of the agent decide what it reaches outside, and owners alone what lies inside', async () => {
  const people = new ConsolePeople(await startApi());
  const { api } = people;
  const ask = async (who: Caller, json: object) =>
    (await people.call(who, pathOf(api), { method: 'POST', json })).status;
  for (const [who, status] of [
    ...(['stranger'] as const).map((one) => [one, 401] as const),
    ...(['nora', 'mo', 'bob', 'rita'] as const).map((one) => [one, 404] as const),
    ['mia', 403],
    ...(['ada', 'gus', 'owner', 'machine'] as const).map((one) => [one, 201] as const),
  ] as const) {
    expect([who, await ask(who, { host: `${who}.example.com` })]).toEqual([who, status]);
  }
  for (const [who, status] of [
    ['ada', 403],
    ['gus', 403],
    ['owner', 201],
    ['machine', 201],
  ] as const) {
    expect([who, await ask(who, { host: `nas-of-${who}`, private: true })]).toEqual([who, status]);
  }
  const rule = api.spine.access.list(api.agent.id)[0]?.id ?? '';
  // A rule of an agent is no rule of another's.
  const bob = await people.call('bob', `/agents/${people.other.id}/access/${rule}`, { method: 'DELETE' });
  expect(bob.status).toBe(404);
  expect((await people.call('ada', `${pathOf(api)}/${rule}`, { method: 'DELETE' })).status).toBe(204);
});

it('shows requests newest first, page by page, by agent, session, outcome and words', async () => {
  const api = await startApi();
  const other = api.spine.addAgent('other');
  const sessionId = api.openSession().id;
  api.egressTail.add(entry(api, { path: '/one' }));
  api.egressTail.add(entry(api, { path: '/two', outcome: 'refused', status: 403, reason: 'not_allowed', sessionId }));
  api.egressTail.add(entry(api, { host: 'other.example.com', agentGroupId: other.id }));
  const list = async (query: string) =>
    (await api.call(`/egress${query}`)).json.items.map((one: EgressEntry) => `${one.host}${one.path}`);
  await until('the rows are written', async () => (await list('')).length === 3);
  const page = (await api.call('/egress?limit=2')).json;
  expect(page.items.map((one: EgressEntry) => one.path)).toEqual(['/v1', '/two']);
  expect((await api.call(`/egress?cursor=${page.nextCursor}`)).json).toMatchObject({
    items: [{ path: '/one', agentId: api.agent.id }],
    nextCursor: null,
  });
  expect(await list(`?agent=${other.id}`)).toEqual(['other.example.com/v1']);
  expect(await list('?outcome=refused')).toEqual(['api.example.com/two']);
  expect(await list(`?session=${sessionId}`)).toEqual(['api.example.com/two']);
  expect(await list('?q=OTHER')).toEqual(['other.example.com/v1']);
  expect((await api.call('/egress?outcome=odd')).status).toBe(400);
});

it('shows an admin the requests of their agents alone, in the list and in the tail', async () => {
  const people = new ConsolePeople(await startApi());
  const { api } = people;
  const tails = Object.fromEntries(
    (['ada', 'bob', 'owner'] as const).map((who) => [who, follow(api, '', { cookie: people.cookieOf(who) })]),
  );
  for (const tail of Object.values(tails)) await isOpen(tail);
  api.egressTail.add(entry(api, { path: '/of-main' }));
  api.egressTail.add(entry(api, { path: '/of-other', agentGroupId: people.other.id }));
  await until(
    'all of it is told',
    () => tails.owner?.text.includes('/of-other') && tails.bob?.text.includes('/of-other'),
  );
  await until('ada hears', () => tails.ada?.text.includes('/of-main'));
  expect(tails.ada?.text).not.toContain('/of-other');
  expect(tails.bob?.text).not.toContain('/of-main');
  expect(tails.owner?.text).toContain('/of-main');
  const paths = async (who: Caller, query = '') =>
    (await people.call(who, `/egress${query}`)).json.items.map(({ path }: EgressEntry) => path);
  expect(await paths('ada')).toEqual(['/of-main']);
  expect((await people.call('ada', `/egress?agent=${people.other.id}`)).status).toBe(404);
  expect(await paths('gus')).toEqual(['/of-other', '/of-main']);
  for (const who of ['mia', 'nora', 'rita'] as const) expect((await people.call(who, '/egress')).status).toBe(403);
  for (const tail of Object.values(tails)) tail.close();
});

it('who loses the role, or signs out, hears no further row', async () => {
  const people = new ConsolePeople(await startApi());
  const { api } = people;
  const tail = follow(api, '', { cookie: people.cookieOf('ada') });
  const owner = follow(api);
  await isOpen(tail);
  await isOpen(owner);
  api.spine.users.revoke('web:ada' as never, 'admin', api.agent.id);
  api.egressTail.add(entry(api, { path: '/later' }));
  await until('it is told', () => owner.text.includes('/later'));
  expect(tail.text).not.toContain('/later');
  tail.close();
  owner.close();
});

it('a tail goes on where it was cut, tells a row again when more are counted in it, and filters', async () => {
  const api = await startApi();
  for (const path of ['/1', '/2', '/3']) api.egressTail.add(entry(api, { path }));
  await until('the rows are written', async () => (await api.call('/egress')).json.items.length === 3);
  const ids = (await api.call('/egress')).json.items.map(({ id }: EgressEntry) => id).toReversed();
  const bearer = { Authorization: `Bearer ${BEARER}` };
  const tail = follow(api, '', { ...bearer, 'Last-Event-ID': String(ids[0]) });
  const refused = follow(api, '?outcome=refused', { ...bearer, 'Last-Event-ID': '0' });
  await isOpen(refused);
  await until('what was missed', () => tail.text.includes('"/3"'));
  expect(tail.text).not.toContain('"/1"');
  const sessionId = makeId('session');
  const no = entry(api, { path: '/no', outcome: 'refused', status: 403, reason: 'not_allowed', sessionId });
  api.egressTail.add(no);
  await until('the refusal', () => refused.text.includes('"/no"'));
  api.egressTail.add(no);
  await until('it is counted', () => refused.text.includes('"repeats":2'));
  const rows = [...refused.text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => id);
  expect(new Set(rows).size).toBe(1);
  expect(refused.text).not.toContain('"/1"');
  tail.close();
  refused.close();
});
