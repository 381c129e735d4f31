/** The event stream shows each person what they may see at that moment. */
import { describe, expect, it } from 'vitest';
import { MAX_OWN_EVENT_READERS } from '../../../host/console/api/limits.ts';
import { type Caller, type ConsolePeople, idOf, startWithPeople } from '../../support/console-people.ts';
import { type EventReader, openEvents } from '../../support/event-reader.ts';
import { until } from '../../support/until.ts';

function listen(people: ConsolePeople, who: Caller, query = '', last: number | null = null): Promise<EventReader> {
  if (who === 'machine' || who === 'stranger') return openEvents(people.api, query, last);
  return openEvents(people.api, query, last, people.cookieOf(who));
}

const idsOf = (reader: EventReader, event: string) =>
  reader.events.filter((one) => one.event === event).map((one) => one.data.id ?? one.data.sessionId);

describe('the event stream', () => {
  it('tells each person of what they may see, and of nothing else', async () => {
    const people = await startWithPeople();
    const { ofMia, ofMax, ofOther, onPlatform } = people;
    const callers = ['nora', 'rita', 'mia', 'max', 'mo', 'ada', 'bob', 'gus', 'owner', 'machine'] as const;
    const readers = new Map<Caller, EventReader>();
    for (const who of callers) readers.set(who, await listen(people, who));
    for (const reader of readers.values()) await reader.next('ready');
    const told = [ofMia, ofMax, onPlatform, ofOther].map(({ session }) => ({
      session,
      id: people.say(session, 'news'),
    }));
    const [mia, max, platform, other] = told.map(({ id }) => id);
    await until('the owner hears it all', () => idsOf(readers.get('owner') ?? fail(), 'session').length >= told.length);
    const sees: [Caller, unknown[]][] = [
      ['nora', []],
      ['rita', []],
      ['mia', [mia]],
      ['max', [max]],
      ['mo', []],
      ['ada', [mia, max, platform]],
      ['bob', [other]],
      ['gus', [mia, max, platform, other]],
      ['owner', [mia, max, platform, other]],
      ['machine', [mia, max, platform, other]],
    ];
    for (const [who, ids] of sees) {
      const reader = readers.get(who) ?? fail();
      const sessions = told.filter(({ id }) => ids.includes(id)).map(({ session }) => session.id);
      expect([who, idsOf(reader, 'message')]).toEqual([who, ids]);
      expect([who, idsOf(reader, 'session').toSorted()]).toEqual([who, sessions.toSorted()]);
      const kinds = new Set(reader.events.map((one) => one.event));
      if (ids.length === 0) expect([who, kinds]).toEqual([who, new Set(['ready'])]);
    }
  });

  it('stops at the next event for who lost a role a moment ago, and goes on when it is given back', async () => {
    const people = await startWithPeople();
    const { users } = people.api.spine;
    const { ofMia, onPlatform } = people;
    const [ada, mia, owner] = [await listen(people, 'ada'), await listen(people, 'mia'), await listen(people, 'owner')];
    for (const reader of [ada, mia, owner]) await reader.next('ready');
    const first = [people.say(ofMia.session, 'one'), people.say(onPlatform.session, 'two')];
    users.revoke(idOf('ada'), 'admin', people.main.id);
    users.removeMember(people.main.id, idOf('mia'));
    people.say(ofMia.session, 'three');
    people.say(onPlatform.session, 'four');
    people.api.feed.tellSession(onPlatform.session.id);
    await until(
      'the owner hears it',
      () => idsOf(owner, 'message').length === 4 && idsOf(owner, 'session').length >= 2,
    );
    expect([idsOf(ada, 'message'), idsOf(mia, 'message')]).toEqual([first, [first[0]]]);
    // What changed together is told together, after both were lost.
    expect([idsOf(ada, 'session'), idsOf(mia, 'session')]).toEqual([[], []]);
    users.addMember(people.main.id, idOf('mia'), 1);
    const after = people.say(ofMia.session, 'five');
    await until('she hears again', () => idsOf(mia, 'message').includes(after));
  });

  it('tells a person, and nobody else, that they are somebody else than a moment ago', async () => {
    const people = await startWithPeople();
    const { users } = people.api.spine;
    const [mia, max, owner] = [await listen(people, 'mia'), await listen(people, 'max'), await listen(people, 'owner')];
    for (const reader of [mia, max, owner]) await reader.next('ready');
    users.addMember(people.other.id, idOf('mia'), 1);
    expect((await mia.next('me')).data).toEqual({});
    expect((await people.call('mia', '/me')).json.roles).toContainEqual({ role: 'member', agentId: people.other.id });
    const grant = { role: 'admin', agentGroupId: people.main.id } as const;
    const change = { by: { userId: idOf('owner'), isMachine: false }, userId: idOf('mia'), grant };
    expect(people.api.parts.people.grant(change).kind).toBe('changed');
    await mia.next('me');
    expect(people.api.parts.people.revoke(change).kind).toBe('changed');
    await mia.next('me');
    users.addMember(people.other.id, idOf('mia'), 1);
    people.say(people.ofMia.session, 'after all of it');
    await mia.next('message');
    expect(mia.events.filter(({ event }) => event === 'me')).toHaveLength(3);
    for (const other of [max, owner]) expect(other.events.map(({ event }) => event)).not.toContain('me');
  });

  it('tells each identity that was linked or parted, once for what changed together', async () => {
    const people = await startWithPeople();
    const [mia, max] = [await listen(people, 'mia'), await listen(people, 'max')];
    for (const reader of [mia, max]) await reader.next('ready');
    const by = { userId: idOf('owner'), isMachine: true };
    expect(people.api.parts.people.join({ by, userId: idOf('mia'), other: idOf('max') }).kind).toBe('changed');
    for (const reader of [mia, max]) await reader.next('me');
    expect(people.api.parts.people.part({ by, userId: idOf('max') }).kind).toBe('changed');
    for (const reader of [mia, max]) await reader.next('me');
    people.api.spine.commit(() => {
      for (const agent of [people.main, people.other]) {
        people.api.spine.users.grant(idOf('mia'), 'admin', agent.id, null, 1);
      }
    });
    await mia.next('me');
    people.say(people.ofMia.session, 'news');
    await mia.next('message');
    expect(mia.events.filter(({ event }) => event === 'me')).toHaveLength(3);
    expect(max.events.filter(({ event }) => event === 'me')).toHaveLength(2);
  });

  it('ends at once when its person is signed out, without waiting for news', async () => {
    const people = await startWithPeople();
    const [mia, out] = [await listen(people, 'mia'), await listen(people, 'max')];
    for (const reader of [mia, out]) await reader.next('ready');
    await people.call('owner', '/people/web:mia/sign-ins', { method: 'DELETE' });
    await until('her stream ends', () => mia.ended);
    expect((await people.call('max', '/logout', { method: 'POST' })).status).toBe(204);
    await until('his stream ends', () => out.ended);
  });

  it('ends with the sign-in that opened it', async () => {
    const people = await startWithPeople();
    const mia = await listen(people, 'mia');
    const other = await openEvents(people.api, '', null, people.signIn('max'));
    for (const reader of [mia, other]) await reader.next('ready');
    expect((await people.call('owner', '/people/web:mia/sign-ins', { method: 'DELETE' })).json).toEqual({ ended: 1 });
    people.say(people.ofMia.session, 'not for that browser');
    await until('the stream ends', () => mia.ended);
    expect(idsOf(mia, 'message')).toEqual([]);
    expect([other.ended, (await listen(people, 'mia')).status]).toEqual([false, 401]);
  });

  it('names no conversation that one may not see', async () => {
    const people = await startWithPeople();
    const { ofMia, ofMax, ofOther } = people;
    expect((await listen(people, 'mia', `?session=${ofMax.session.id}`)).status).toBe(404);
    expect((await listen(people, 'ada', `?session=${ofOther.session.id}`)).status).toBe(404);
    expect((await listen(people, 'mia', `?session=${ofMia.session.id}`)).status).toBe(200);
  });

  it('tells again after the last revision what one may see by then, once and in order', async () => {
    const people = await startWithPeople();
    const { transcript, users } = people.api.spine;
    const last = transcript.revision;
    const own = [people.say(people.ofMia.session, 'one')];
    people.say(people.ofMax.session, 'not hers');
    own.push(people.say(people.ofMia.session, 'two'));
    const mia = await listen(people, 'mia', '', last);
    own.push(people.say(people.ofMia.session, 'three'));
    await until('all of it', () => idsOf(mia, 'message').length === 3);
    expect(idsOf(mia, 'message')).toEqual(own);
    users.removeMember(people.main.id, idOf('mia'));
    const later = await listen(people, 'mia', '', last);
    people.say(people.ofMia.session, 'four');
    const owner = await listen(people, 'owner', '', last);
    await until('the owner', () => idsOf(owner, 'message').length === 5);
    expect(later.events).toEqual([]);
  });

  it('tells by revisions and positions nothing of how much others say', async () => {
    const people = await startWithPeople();
    const mia = await listen(people, 'mia');
    await mia.next('ready');
    const gaps: number[] = [];
    for (const others of [0, 20]) {
      people.say(people.ofMia.session, 'before');
      const before = await mia.next('message');
      for (let at = 0; at < others; at++) people.say(people.ofMax.session, 'between');
      const start = Date.now();
      await until('time has passed', () => Date.now() > start + 5);
      people.say(people.ofMia.session, 'after');
      const after = await mia.next('message');
      gaps.push(Number(after.id) - Number(before.id), Number(after.data.position) - Number(before.data.position));
    }
    // Time alone: far more than were said, in both.
    for (const gap of gaps) expect(gap).toBeGreaterThan(100);
  });

  it('lets nobody take the room of all others', async () => {
    const people = await startWithPeople();
    const streams: EventReader[] = [];
    for (let at = 0; at < MAX_OWN_EVENT_READERS; at++) streams.push(await listen(people, 'mia'));
    const refused = await people.call('mia', '/events');
    expect([refused.status, refused.json.error]).toEqual([
      503,
      expect.objectContaining({ code: 'too_many_readers', expected: `at most ${MAX_OWN_EVENT_READERS}` }),
    ]);
    expect((await listen(people, 'max')).status).toBe(200);
    for (const stream of streams) stream.close();
    await until('there is room', async () => (await listen(people, 'mia')).status === 200);
  });

  it('asks for nobody’s roles twice in one moment, and never looks through a table', async () => {
    const people = await startWithPeople();
    const { visible, db } = people.api.spine;
    for (let at = 0; at < 4; at++) await listen(people, 'mia');
    await listen(people, 'max');
    let asked = 0;
    const facts = visible.factsOf.bind(visible);
    visible.factsOf = (id) => {
      asked++;
      return facts(id);
    };
    people.say(people.ofMia.session, 'news');
    expect(asked).toBe(2);
    const plans = [
      `SELECT id FROM users WHERE person_id = (SELECT person_id FROM users WHERE id = 'web:mia')`,
      `SELECT role FROM user_roles WHERE user_id IN (SELECT value FROM json_each('["web:mia"]'))`,
      `SELECT agent_group_id FROM agent_group_members WHERE user_id IN (SELECT value FROM json_each('["web:mia"]'))`,
    ].flatMap((sql) => db.prepare<[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`).all());
    expect(plans.filter(({ detail }) => detail.startsWith('SCAN') && !detail.includes('json_each'))).toEqual([]);
  });
});

function fail(): never {
  throw new Error('no such reader');
}
