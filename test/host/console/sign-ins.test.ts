/** How other people than the owner come in, and how they are shown out. */
import { describe, expect, it } from 'vitest';
import { type ConsolePeople, idOf, startWithPeople } from '../../support/console-people.ts';

async function redeem(people: ConsolePeople, url: string) {
  const token = url.split('#token=')[1] ?? '';
  const headers = { origin: people.api.origin };
  const answer = await people.api.call('/login', { method: 'POST', as: 'nobody', json: { token }, headers });
  return { answer, cookie: answer.headers['set-cookie']?.[0]?.split(';')[0] ?? '' };
}

function offer(people: ConsolePeople, who: 'machine' | 'owner' | 'gus' | 'ada', id: string, json: object = {}) {
  return people.call(who, `/people/${id}/sign-in-links`, { method: 'POST', json });
}

describe('a link for somebody else', () => {
  it('signs them in once, under the name they were given, with the rights they have and no more', async () => {
    const people = await startWithPeople();
    const made = await offer(people, 'machine', 'web:anna', { name: 'Anna Example' });
    expect(made.status).toBe(201);
    const { answer, cookie } = await redeem(people, made.json.url);
    expect([answer.status, answer.json]).toMatchObject([200, { userId: 'web:anna', name: 'Anna Example', roles: [] }]);
    const asAnna = (path: string) => people.api.call(path, { as: 'nobody', headers: { cookie } });
    expect([(await asAnna('/sessions')).json.items, (await asAnna('/agents')).json.items]).toEqual([[], []]);
    expect((await asAnna('/refusals')).status).toBe(403);
    people.api.spine.users.addMember(people.main.id, 'web:anna' as never, 1);
    expect([(await asAnna('/sessions')).json.items, (await asAnna('/agents')).json.items.length]).toEqual([[], 1]);
    expect((await redeem(people, made.json.url)).answer.status).toBe(401);
    const record = people.api.spine.ledger.listAbout('web:anna', 10).map(({ kind, actor }) => [kind, actor]);
    expect(record).toContainEqual(['sign_in.offered', idOf('owner')]);
  });

  it('is made by owners; of owners, by the machine alone, whatever identity they come by', async () => {
    const people = await startWithPeople();
    for (const who of ['gus', 'ada'] as const) expect((await offer(people, who, 'web:mia')).status).toBe(403);
    expect((await offer(people, 'owner', 'web:mia')).status).toBe(201);
    expect((await offer(people, 'owner', 'web:owner')).json.error.code).toBe('machine_only');
    people.api.spine.db.prepare(`UPDATE users SET person_id = 'per_1' WHERE id IN ('web:nora', 'web:owner')`).run();
    expect((await offer(people, 'owner', 'web:nora')).status).toBe(403);
    expect((await offer(people, 'machine', 'web:nora')).status).toBe(201);
  });

  it('is for people of this page alone, named as people type them', async () => {
    const people = await startWithPeople();
    const names = [
      'telegram:123',
      'web:',
      'web:Anna',
      'web:-a',
      `web:${'a'.repeat(64)}`,
      'web:a%2Fb',
      'anna',
      'web:ann%C3%A4',
    ];
    for (const id of names) expect([id, (await offer(people, 'machine', id)).status]).toEqual([id, 400]);
    const bad = await offer(people, 'machine', 'web:anna', { name: 'An\nna' });
    expect([bad.status, people.api.spine.users.get('web:anna' as never)]).toEqual([400, null]);
  });

  it('gives a person who is known no other name', async () => {
    const people = await startWithPeople();
    await offer(people, 'machine', 'web:mia', { name: 'The Owner' });
    expect(people.api.spine.users.get(idOf('mia'))?.displayName).toBe('mia');
  });
});

describe('signing out', () => {
  it('ends every browser of a person at once, by all their identities, and links that were not used', async () => {
    const people = await startWithPeople();
    people.api.spine.db.prepare(`UPDATE users SET person_id = 'per_1' WHERE id IN ('web:mia', 'web:nora')`).run();
    const { url } = (await offer(people, 'machine', 'web:mia')).json;
    people.signIn('mia');
    const list = (await people.call('owner', '/people/web:mia/sign-ins')).json.items;
    expect(list.map((one: { userId: string }) => one.userId).toSorted()).toEqual(['web:mia', 'web:mia', 'web:nora']);
    expect((await people.call('owner', '/people/web:mia/sign-ins', { method: 'DELETE' })).json).toEqual({ ended: 3 });
    for (const who of ['mia', 'nora'] as const) expect((await people.call(who, '/me')).status).toBe(401);
    expect((await redeem(people, url)).answer.status).toBe(401);
    expect((await people.call('max', '/me')).status).toBe(200);
    expect((await people.call('owner', '/people/web:nobody/sign-ins', { method: 'DELETE' })).status).toBe(404);
  });

  it('everywhere but here is for everybody, about themselves', async () => {
    const people = await startWithPeople();
    const elsewhere = people.signIn('mia');
    const mine = (await people.call('mia', '/me/sign-ins')).json.items;
    expect(mine.map((one: { isThis: boolean }) => one.isThis).toSorted()).toEqual([false, true]);
    const left = (await people.call('mia', '/me/sign-ins', { method: 'DELETE' })).json.items;
    expect(left).toMatchObject([{ userId: 'web:mia', isThis: true }]);
    expect((await people.api.call('/me', { as: 'nobody', headers: { cookie: elsewhere } })).status).toBe(401);
    expect((await people.call('mia', '/me')).status).toBe(200);
    expect((await people.call('max', '/me')).status).toBe(200);
  });

  it('lists nothing that could be used as a cookie', async () => {
    const people = await startWithPeople();
    const { items } = (await people.call('mia', '/me/sign-ins')).json;
    for (const { id } of items) {
      const headers = { cookie: `${people.api.cookieName}=${id}` };
      expect((await people.api.call('/me', { as: 'nobody', headers })).status).toBe(401);
    }
  });
});

describe('a cookie', () => {
  it('of one person beside one of another signs nobody in, in either order', async () => {
    const people = await startWithPeople();
    const [mia, ada] = [people.cookieOf('mia'), people.cookieOf('ada')];
    for (const cookie of [`${mia}; ${ada}`, `${ada}; ${mia}`, `${mia}; other=1; ${mia}`, `${mia};${ada}`]) {
      expect([cookie, (await people.api.call('/me', { as: 'nobody', headers: { cookie } })).status]).toEqual([
        cookie,
        401,
      ]);
    }
    const cookie = `other=${ada.split('=')[1]}; ${mia}; portolan=1`;
    expect((await people.api.call('/me', { as: 'nobody', headers: { cookie } })).json.userId).toBe('web:mia');
  });

  it('of a member changes nothing for another site', async () => {
    const people = await startWithPeople();
    const headers = { cookie: people.cookieOf('mia'), origin: 'https://evil.example' };
    const call = { method: 'POST', as: 'nobody' as const, json: { agentId: people.main.id }, headers };
    expect((await people.api.call('/sessions', call)).json.error.code).toBe('foreign_origin');
    const { origin: _origin, ...without } = headers;
    expect((await people.api.call('/sessions', { ...call, headers: without })).json.error.code).toBe('foreign_origin');
  });

  it('of who lost every role shows nothing more, and a bearer token beside it counts alone', async () => {
    const people = await startWithPeople();
    const { ofMia, api } = people;
    const read = (path: string) => people.call('mia', path);
    const paths = [
      `/sessions/${ofMia.session.id}`,
      `/messages/${ofMia.message}`,
      `/messages/${ofMia.message}/files/plan.txt`,
    ];
    for (const path of paths) expect([path, (await read(path)).status]).toEqual([path, 200]);
    api.spine.users.removeMember(people.main.id, idOf('mia'));
    for (const path of paths) expect([path, (await read(path)).status]).toEqual([path, 404]);
    for (const list of ['/sessions', '/chats', '/agents', '/tasks']) expect((await read(list)).json.items).toEqual([]);
    const headers = { authorization: 'Bearer wrong' };
    expect((await people.call('owner', '/me', { headers })).status).toBe(401);
  });
});
