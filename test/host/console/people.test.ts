/** People over the API: pages, changes under a revision, and what an admin of one agent sees and may. */
import { expect, it } from 'vitest';
import type { UserId } from '../../../shared/ids.ts';
import { type ApiFixture, startApi } from '../../support/api-server.ts';

const ANNA = 'telegram:1';
const BEN = 'slack:U/2é';
const ADA = 'web:ada';

async function setUp() {
  const api = await startApi();
  for (const [id, name] of [
    [ANNA, 'Anna'],
    [BEN, 'Ben'],
    [ADA, 'Ada'],
  ] as const) {
    api.spine.users.ensure(id as UserId, name, api.spine.now());
  }
  return api;
}

const path = (id: string, rest = '') => `/people/${encodeURIComponent(id)}${rest}`;

/** With the ETag of now, unless another is given. */
async function change(api: ApiFixture, method: 'PUT' | 'DELETE', id: string, rest: string, etag?: string) {
  const revision = etag ?? (await api.call(path(id))).headers.etag ?? '';
  return api.call(path(id, rest), {
    method,
    headers: { 'if-match': revision },
    ...(method === 'PUT' ? { json: {} } : {}),
  });
}

/** What somebody else’s page sends: a cookie, from the page itself. */
function pageOf(api: ApiFixture, id: string) {
  const cookie = `${api.cookieName}=${api.logins.create('cookie', id as UserId, api.spine.now()).token}`;
  return { as: 'nobody', headers: { cookie, origin: api.origin } } as const;
}

it('a role is given and taken under the person’s revision, also to ids that a path must encode', async () => {
  const api = await setUp();
  for (const id of [ANNA, BEN]) {
    const made = await change(api, 'PUT', id, '/roles/admin/all');
    expect([made.status, made.json.roles]).toMatchObject([
      200,
      [{ role: 'admin', agentId: null, grantedBy: 'web:owner' }],
    ]);
    expect(made.headers.etag).toBe(`"${made.json.revision}"`);
    const stale = await change(api, 'DELETE', id, '/roles/admin/all', '"1"');
    expect([stale.status, stale.json.error.code]).toEqual([412, 'stale']);
    const gone = await change(api, 'DELETE', id, '/roles/admin/all');
    expect([gone.status, gone.json.roles]).toEqual([200, []]);
  }
  const bare = await api.call(path(ANNA, '/roles/owner/all'), { method: 'PUT', json: {} });
  expect(bare.status).toBe(428);
});

it('roles that there are not are refused: an owner of one agent, a member of all, of no agent', async () => {
  const api = await setUp();
  for (const role of [
    `owner/${api.agent.id}`,
    'member/all',
    'king/all',
    'admin/main',
    'admin/agt_00000000000000000000',
  ]) {
    const { status } = await change(api, 'PUT', ANNA, `/roles/${role}`);
    expect([400, 404], role).toContain(status);
  }
  expect((await change(api, 'DELETE', 'web:owner', '/roles/owner/all')).json.error.code).toBe('last_owner');
});

it('who has not written yet is made under a name, and only so', async () => {
  const api = await setUp();
  const put = (json: object) => api.call(path('discord:9', `/roles/member/${api.agent.id}`), { method: 'PUT', json });
  expect((await put({})).status).toBe(404);
  expect((await put({ name: 'Dora' })).json).toMatchObject({ id: 'discord:9', name: 'Dora' });
  expect((await put({ name: 'a\nb' })).status).toBe(400);
});

it('two are joined and parted; both directions say what is left', async () => {
  const api = await setUp();
  await change(api, 'PUT', ANNA, '/roles/admin/all');
  const joined = await change(api, 'PUT', ANNA, `/links/${encodeURIComponent(BEN)}`);
  expect(joined.json.identities.map(({ userId }: { userId: string }) => userId).toSorted()).toEqual([BEN, ANNA]);
  expect((await api.call(path(BEN))).json.roles).toMatchObject([{ role: 'admin', userId: ANNA }]);
  const parted = await change(api, 'DELETE', ANNA, `/links/${encodeURIComponent(BEN)}`);
  expect(parted.json).toMatchObject({ id: ANNA, identities: [{ userId: ANNA }], roles: [{ role: 'admin' }] });
  expect((await api.call(path(BEN))).json.roles).toEqual([]);
  expect((await change(api, 'DELETE', ANNA, `/links/${encodeURIComponent(BEN)}`)).status).toBe(404);
});

it('pages hold each person once, however many identities, in an order that a change does not upset', async () => {
  const api = await setUp();
  const ids = Array.from({ length: 25 }, (_, n) => `irc:ü${String(n).padStart(2, '0')}` as UserId);
  for (const id of ids) {
    api.spine.users.ensure(id, 'Crowd', api.spine.now());
    api.spine.users.addMember(api.agent.id, id, api.spine.now());
  }
  await change(api, 'PUT', ids[3] ?? '', `/links/${encodeURIComponent(ids[20] ?? '')}`);
  const seen: string[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const query = cursor === '' ? '' : `&cursor=${cursor}`;
    const { json } = await api.call(`/people?agent=${api.agent.id}&limit=4${query}`);
    seen.push(
      ...json.items.flatMap((one: { identities: { userId: string }[] }) => one.identities.map((i) => i.userId)),
    );
    cursor = json.nextCursor;
  }
  expect(seen.toSorted()).toEqual([...ids, 'web:owner'].toSorted());
});

it('people are found by parts of names and ids; strangers when asked for', async () => {
  const api = await setUp();
  const names = async (query: string) =>
    (await api.call(`/people?${query}`)).json.items.map(({ name }: { name: string }) => name);
  expect(await names('')).toEqual(['Owner']);
  expect(await names('who=all')).toHaveLength(4);
  expect(await names('who=all&q=ANN')).toEqual(['Anna']);
  expect(await names('who=all&q=u/2%C3%A9')).toEqual(['Ben']);
  expect(await names('who=all&q=%25')).toEqual([]);
  expect((await api.call('/people?cursor=%00')).status).toBe(400);
});

it('an admin of one agent sees and changes what is of that agent, and learns of nobody else', async () => {
  const api = await setUp();
  const other = api.spine.addAgent('other');
  const { users } = api.spine;
  users.grant(ADA as UserId, 'admin', api.agent.id, null, 1);
  users.addMember(api.agent.id, ANNA as UserId, 1);
  users.addMember(other.id, ANNA as UserId, 1);
  users.addMember(other.id, BEN as UserId, 1);
  const ada = pageOf(api, ADA);
  const list = await api.call('/people?who=all', ada);
  expect(list.json.items.map(({ name }: { name: string }) => name)).toEqual(['Anna', 'Ada']);
  expect(list.json.items[0].roles).toMatchObject([{ role: 'member', agentId: api.agent.id }]);
  expect(list.json.items[0].roles).toHaveLength(1);
  expect((await api.call(`/people?agent=${other.id}`, ada)).json.items).toEqual([]);
  expect((await api.call(path(BEN), ada)).status).toBe(404);
  const act = async (method: 'PUT' | 'DELETE', id: string, rest: string, json?: object) => {
    const etag = (await api.call(path(id))).headers.etag ?? '"1"';
    const headers = { ...ada.headers, 'if-match': etag };
    return api.call(path(id, rest), { ...ada, method, headers, ...(json === undefined ? {} : { json }) });
  };
  // What is not seen is not there, whether it is or not.
  for (const id of [BEN, 'telegram:404']) {
    expect((await act('DELETE', id, `/roles/member/${api.agent.id}`)).status, id).toBe(404);
    expect((await act('PUT', id, `/roles/member/${api.agent.id}`, {})).status, id).toBe(404);
  }
  for (const role of ['owner/all', 'admin/all', `admin/${api.agent.id}`, `member/${other.id}`]) {
    expect((await act('PUT', ANNA, `/roles/${role}`, {})).status, role).toBe(403);
    expect((await act('PUT', ADA, `/roles/${role}`, {})).status, role).toBe(403);
  }
  expect((await act('PUT', ADA, `/roles/member/${api.agent.id}`, {})).json.error.code).toBe('yourself');
  expect((await act('PUT', ADA, `/links/${encodeURIComponent(ANNA)}`, {})).status).toBe(403);
  expect((await act('DELETE', ANNA, `/roles/member/${api.agent.id}`)).status).toBe(200);
  // By name somebody new to them is taken in; by then they are theirs to see.
  expect((await act('PUT', BEN, `/roles/member/${api.agent.id}`, { name: 'Not Ben' })).json).toMatchObject({
    name: 'Ben',
  });
});

it('a role that was taken a moment ago changes nobody any more', async () => {
  const api = await setUp();
  api.spine.users.grant(ADA as UserId, 'admin', null, null, 1);
  const ada = pageOf(api, ADA);
  expect((await api.call('/people', ada)).status).toBe(200);
  await change(api, 'DELETE', ADA, '/roles/admin/all');
  const late = { ...ada, method: 'PUT', json: { name: 'x' } };
  expect((await api.call(path(ANNA, `/roles/member/${api.agent.id}`), late)).status).toBe(403);
  expect((await api.call('/people', ada)).status).toBe(403);
});
