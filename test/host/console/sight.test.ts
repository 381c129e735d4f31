/** What lists, bodies and queries let different people see and name. */
import { describe, expect, it } from 'vitest';
import { CHATS_WINDOW_MS, MAX_CHATS_PER_DAY } from '../../../host/console/api/limits.ts';
import type { Session } from '../../../host/store/sessions.ts';
import { type AgentGroupId, makeId } from '../../../shared/ids.ts';
import { type Caller, type ConsolePeople, idOf, startWithPeople } from '../../support/console-people.ts';
import { type EventReader, openEvents } from '../../support/event-reader.ts';
import { until } from '../../support/until.ts';

/** All pages of one list, one item each; `keyOf` names an item. */
async function listAll(people: ConsolePeople, who: Caller, path: string, keyOf: (item: { id: string }) => unknown) {
  const keys: unknown[] = [];
  let cursor: string | null = null;
  do {
    const more: string = cursor === null ? '' : `&cursor=${cursor}`;
    const { status, json } = await people.call(who, `${path}${path.includes('?') ? '&' : '?'}limit=1${more}`);
    expect([who, path, status]).toEqual([who, path, 200]);
    // A page is full, or the last.
    expect(json.items.length === 1 || json.nextCursor === null).toBe(true);
    keys.push(...json.items.map(keyOf));
    cursor = json.nextCursor;
  } while (cursor !== null);
  return keys;
}

const byId = ({ id }: { id: string }) => id;

describe('a list', () => {
  it('of sessions shows what one may see, newest first, in full pages', async () => {
    const people = await startWithPeople();
    const { ofMia, ofMax, ofOwner, onPlatform, ofOther } = people;
    const main = [onPlatform, ofOwner, ofMax, ofMia].map(({ session }) => session.id);
    const sees: [Caller, string[]][] = [
      ['mia', [ofMia.session.id]],
      ['max', [ofMax.session.id]],
      ['mo', []],
      ['ada', main],
      ['bob', [ofOther.session.id]],
      ['gus', [...main, ofOther.session.id]],
      ['owner', [...main, ofOther.session.id]],
      ['machine', [...main, ofOther.session.id]],
    ];
    for (const [who, ids] of sees) {
      const found = await listAll(people, who, '/sessions', byId);
      expect([who, found.toSorted()]).toEqual([who, ids.toSorted()]);
      const ofAgent = await people.call(who, `/sessions?agent=${people.main.id}`);
      if (who === 'mo' || who === 'bob') expect(ofAgent.status).toBe(404);
      else
        expect(ofAgent.json.items.map(byId).toSorted()).toEqual(
          ids.filter((id) => id !== ofOther.session.id).toSorted(),
        );
    }
    const order = (await people.call('ada', '/sessions')).json.items.map(
      (one: { lastActiveAt: number }) => one.lastActiveAt,
    );
    expect(order).toEqual([...order].sort((one, other) => other - one));
  });

  it('of agents shows members names, and what they are made of to admins', async () => {
    const people = await startWithPeople();
    const { main, other } = people;
    expect(await listAll(people, 'mia', '/agents', byId)).toEqual([main.id]);
    expect(await listAll(people, 'bob', '/agents', byId)).toEqual([other.id]);
    expect(await listAll(people, 'gus', '/agents', byId)).toEqual([main.id, other.id]);
    const secrets = { folder: '', provider: '', model: null };
    expect((await people.call('mia', `/agents/${main.id}`)).json).toMatchObject({ name: 'main', ...secrets });
    expect((await people.call('mia', '/agents')).json.items[0]).toMatchObject({ name: 'main', ...secrets });
    expect((await people.call('ada', `/agents/${main.id}`)).json).toMatchObject({ folder: 'main', provider: 'demo' });
  });

  it('of anything else shows agents’ admins what is about their agents', async () => {
    const people = await startWithPeople();
    const { ofMia, ofMax, ofOwner, onPlatform, ofOther, approvals } = people;
    const main = [ofMia, ofMax, ofOwner, onPlatform];
    const tasks = main.map(({ task }) => task).toSorted();
    expect((await listAll(people, 'ada', '/tasks', byId)).toSorted()).toEqual(tasks);
    expect(await listAll(people, 'mia', '/tasks', byId)).toEqual([ofMia.task]);
    expect(await listAll(people, 'mo', '/tasks', byId)).toEqual([]);
    const chats = main.map(({ chat }) => chat).toSorted();
    expect(await listAll(people, 'ada', '/chats', byId)).toEqual(chats);
    expect(await listAll(people, 'mia', '/chats', byId)).toEqual([ofMia.chat]);
    expect(await listAll(people, 'bob', '/chats', byId)).toEqual([ofOther.chat]);
    const agentsOf = async (who: Caller) =>
      new Set((await people.call(who, '/wirings')).json.items.map((one: { agentId: string }) => one.agentId));
    expect([await agentsOf('ada'), await agentsOf('bob')]).toEqual([
      new Set([people.main.id]),
      new Set([people.other.id]),
    ]);
    expect(await listAll(people, 'ada', '/approvals', byId)).toEqual([approvals.main]);
    expect(await listAll(people, 'bob', '/approvals?state=pending', byId)).toEqual([approvals.other]);
    expect((await listAll(people, 'gus', '/approvals', byId)).toSorted()).toEqual(Object.values(approvals).toSorted());
    const refused = async (who: Caller) =>
      (await people.call(who, '/refusals')).json.items.map((one: { messageId: string }) => one.messageId).toSorted();
    expect(await refused('ada')).toEqual(main.map(({ message }) => message).toSorted());
    expect(await refused('bob')).toEqual([ofOther.message]);
    const dropped = async (who: Caller) => (await people.call(who, '/dropped')).json.items.length;
    expect([await dropped('ada'), await dropped('bob'), await dropped('gus')]).toEqual([4, 1, 5]);
  });
});

describe('a person', () => {
  it('opens chats of their own with agents whose members they are, and with no others', async () => {
    const people = await startWithPeople();
    const { main, other, api } = people;
    const open = (who: Caller, agentId: string, channel = 'web') =>
      people.call(who, '/sessions', { method: 'POST', json: { agentId, channel } });
    const made = await open('mia', main.id);
    expect([made.status, made.json.unread]).toEqual([201, 0]);
    const chat = api.spine.chats.get(made.json.chatId);
    expect(chat?.openedBy).toBe(idOf('mia'));
    expect(api.spine.wirings.listFor(made.json.chatId)).toMatchObject([
      { agentGroupId: main.id, senderScope: 'known' },
    ]);
    expect((await open('mia', other.id)).status).toBe(404);
    expect((await open('mia', 'agt_00000000000000000000')).text).toBe((await open('mia', other.id)).text);
    expect((await open('bob', main.id)).status).toBe(404);
    expect((await open('nora', main.id)).status).toBe(403);
    // The terminal's chat is one for all who sit there.
    expect((await open('mia', main.id, 'terminal')).status).toBe(403);
    expect((await people.call('max', `/sessions/${made.json.id}`)).status).toBe(404);
    expect((await open('machine', main.id, 'terminal')).status).toBe(200);
  });

  it('opens so many chats in a day', async () => {
    const people = await startWithPeople();
    const open = (who: Caller) => people.call(who, '/sessions', { method: 'POST', json: { agentId: people.main.id } });
    for (let at = 1; at < MAX_CHATS_PER_DAY; at++) people.open('mia', people.main);
    expect((await open('mia')).json.error.code).toBe('too_many_chats');
    expect([(await open('max')).status, (await open('owner')).status]).toEqual([201, 201]);
    people.api.spine.now = () => Date.now() + CHATS_WINDOW_MS + 1_000;
    expect((await open('mia')).status).toBe(201);
  });

  it('writes under their own name, and by the rules that hold for everybody', async () => {
    const people = await startWithPeople();
    const { ofMia, api } = people;
    const say = (who: Caller, session: Session) =>
      people.call(who, `/sessions/${session.id}/messages`, { method: 'POST', json: { text: 'hello' } });
    const said = await say('mia', ofMia.session);
    expect([said.status, said.json.author]).toEqual([201, { id: idOf('mia'), name: 'mia' }]);
    expect((await say('ada', ofMia.session)).json.author.id).toBe(idOf('ada'));
    expect((await say('max', ofMia.session)).status).toBe(404);
    api.spine.users.removeMember(people.main.id, idOf('mia'));
    expect((await say('mia', ofMia.session)).status).toBe(404);
    expect(api.spine.transcript.listForSession(ofMia.session, { limit: 10 })).toHaveLength(3);
  });

  it('wires and points to nothing that they do not administer', async () => {
    const people = await startWithPeople();
    const { main, other, ofOther, ofMia, onPlatform, api } = people;
    const wire = (who: Caller, chatId: string, agentId: string) =>
      people.call(who, '/wirings', { method: 'POST', json: { chatId, agentId } });
    const point = (who: Caller, from: string, type: string, targetId: string) =>
      people.call(who, `/agents/${from}/destinations`, { method: 'POST', json: { name: 'there', type, targetId } });
    const before = { wirings: api.spine.wirings.list(100), rows: api.spine.destinations.listFor(main.id) };
    // Into a chat of others, others into a chat of theirs, and ids that are nowhere.
    expect((await wire('ada', ofOther.chat, main.id)).status).toBe(404);
    expect((await wire('ada', ofMia.chat, other.id)).status).toBe(404);
    expect((await wire('ada', 'chat_00000000000000000000', main.id)).status).toBe(404);
    expect((await point('ada', main.id, 'channel', ofOther.chat)).status).toBe(404);
    expect((await point('ada', main.id, 'agent', other.id)).status).toBe(404);
    api.spine.users.addMember(other.id, idOf('ada'), 1);
    expect((await point('ada', main.id, 'agent', other.id)).status).toBe(403);
    expect({ wirings: api.spine.wirings.list(100), rows: api.spine.destinations.listFor(main.id) }).toEqual(before);
    api.spine.users.grant(idOf('ada'), 'admin', other.id, null, 1);
    expect((await wire('ada', onPlatform.chat, other.id)).status).toBe(201);
    expect((await point('ada', main.id, 'agent', other.id)).status).toBe(201);
  });

  it('who administers one of two agents in a chat does not say who may write there', async () => {
    const people = await startWithPeople();
    const { onPlatform, other, api } = people;
    const patch = async (who: Caller) => {
      const { headers } = await people.call(who, `/chats/${onPlatform.chat}`);
      const call = {
        method: 'PATCH',
        json: { unknownSenderPolicy: 'public' },
        headers: { 'if-match': headers.etag ?? '' },
      };
      return (await people.call(who, `/chats/${onPlatform.chat}`, call)).status;
    };
    expect(
      (
        await people.call('machine', '/wirings', {
          method: 'POST',
          json: { chatId: onPlatform.chat, agentId: other.id },
        })
      ).status,
    ).toBe(201);
    expect([await patch('ada'), await patch('bob')]).toEqual([403, 403]);
    expect(
      api.spine.chats.get(onPlatform.session.messagingGroupId ?? makeId('messagingGroup'))?.unknownSenderPolicy,
    ).toBe('strict');
    expect(await patch('gus')).toBe(200);
  });

  it('with identities on several channels has the rights of all of them', async () => {
    const people = await startWithPeople();
    const { db } = people.api.spine;
    db.prepare(`UPDATE users SET person_id = 'per_1' WHERE id IN ('web:nora', 'web:ada')`).run();
    expect(await listAll(people, 'nora', '/sessions', byId)).toHaveLength(4);
    expect((await people.call('nora', '/me')).json.roles).toEqual([{ role: 'admin', agentId: people.main.id }]);
    db.prepare(`UPDATE users SET person_id = NULL WHERE id = 'web:nora'`).run();
    expect((await people.call('nora', '/sessions')).json.items).toEqual([]);
  });

  it('learns by /me what they are, and a page what to show', async () => {
    const people = await startWithPeople();
    const { main } = people;
    const me = async (who: Caller) => (await people.call(who, '/me')).json;
    const nothing = {
      seeEverything: false,
      administer: false,
      manageAgents: false,
      managePeople: false,
      openChats: false,
    };
    expect(await me('nora')).toEqual({ userId: 'web:nora', name: 'nora', door: 'tcp', roles: [], may: nothing });
    expect(await me('mia')).toMatchObject({
      roles: [{ role: 'member', agentId: main.id }],
      may: { ...nothing, openChats: true },
    });
    expect(await me('ada')).toMatchObject({
      roles: [{ role: 'admin', agentId: main.id }],
      may: { seeEverything: false, administer: true },
    });
    expect(await me('gus')).toMatchObject({ roles: [{ role: 'admin', agentId: null }], may: { seeEverything: true } });
    expect(await me('owner')).toMatchObject({ roles: [{ role: 'owner', agentId: null }] });
  });

  it('hears nothing of where this host keeps things', async () => {
    const people = await startWithPeople();
    people.api.spine.sessions.setQuarantine(people.ofMia.session.id, 'it wrote nonsense: portolan release x', 1);
    const path = `/sessions/${people.ofMia.session.id}`;
    const { home } = people.api.spine.home;
    for (const answer of [await people.call('mia', path), await people.call('mia', '/status')])
      expect(answer.text).not.toContain(home);
    expect((await people.call('owner', path)).json.stateReason).toContain('portolan');
    // Advice without a path, too.
    people.api.spine.db.prepare('DELETE FROM wirings').run();
    const post = { method: 'POST', json: { text: 'hello' } };
    const unheard = await people.call('ada', `/sessions/${people.ofMia.session.id}/messages`, post);
    expect([unheard.status, unheard.json.error.next]).toEqual([409, expect.stringContaining('portolan wirings')]);
    expect(unheard.text).not.toContain(home);
  });
});

describe('the card of an approval', () => {
  /** In the owner's chat with main, whose admin is Ada. */
  function putCard(people: ConsolePeople, approvalId: string) {
    const { ofOwner, api } = people;
    const messageId = people.say(ofOwner.session, 'May it?', {
      kind: 'question',
      authorId: null,
      authorName: 'Portolan',
    });
    const { id: sessionId, messagingGroupId } = ofOwner.session;
    if (messagingGroupId === null) throw new Error('a web chat is a chat');
    const approval = Object.values(people.approvals).find((id) => id === approvalId) ?? null;
    api.spine.questionRows.open({
      ...{ messageId, sessionId, messagingGroupId, threadId: null, approvalId: approval, title: 'May it?' },
      ...{ question: 'A stranger asks.', options: ['Yes', 'No'], expiresAt: Date.now() + 60_000, createdAt: 1 },
    });
    return messageId;
  }

  it('is read by who may decide it and by whose chat it is, not by others who read that chat', async () => {
    const people = await startWithPeople();
    const { ofOwner, approvals } = people;
    const session = ofOwner.session.id;
    const [aboutHost, aboutOther] = [putCard(people, approvals.host), putCard(people, approvals.other)];
    const aboutMain = putCard(people, approvals.main);
    const last = people.say(ofOwner.session, 'after them');
    const shown = async (who: Caller) => (await people.call(who, `/sessions/${session}/messages`)).json.items.map(byId);
    expect(await shown('ada')).toEqual([ofOwner.message, aboutMain, last]);
    expect(await shown('owner')).toEqual([ofOwner.message, aboutHost, aboutOther, aboutMain, last]);
    expect(await shown('gus')).toEqual(await shown('owner'));
    const pages = [(await people.call('ada', `/sessions/${session}/messages?limit=2`)).json];
    pages.push((await people.call('ada', `/sessions/${session}/messages?limit=2&before=${pages[0].nextCursor}`)).json);
    expect(pages.map((page) => page.items.map(byId))).toEqual([[aboutMain, last], [ofOwner.message]]);
    for (const id of [aboutHost, aboutOther]) {
      for (const path of [`/messages/${id}`, `/messages/${id}/trace`, `/messages/${id}/files/plan.txt`]) {
        expect([path, (await people.call('ada', path)).status]).toEqual([path, 404]);
      }
      const answer = await people.call('ada', `/messages/${id}/answer`, { method: 'POST', json: { choice: 'Yes' } });
      expect(answer.status).toBe(404);
    }
    expect((await people.call('ada', `/messages/${aboutMain}`)).status).toBe(200);
  });

  it('goes to the admins of the agent in chats of their own, and of nobody else', async () => {
    const people = await startWithPeople();
    const { spine } = people.api;
    spine.addChannel('web');
    spine.approvalRules.admit_sender = {
      describe: () => ({ kind: 'possible', lines: ['Zoe becomes a member'] }),
      carryOut: async () => ({ outcome: 'Zoe may talk.' }),
    };
    const own = people.open('ada', people.main);
    const ask = (subjectKey: string, agentGroupId: AgentGroupId) => {
      const request = { action: 'admit_sender', payload: { user: subjectKey }, subjectKey, agentGroupId } as const;
      const words = { title: 'Let in?', question: 'Somebody wrote.', options: ['Yes', 'No'], approving: ['Yes'] };
      const asked = spine.approvals.requestApproval({
        ...request,
        ...words,
        requester: { kind: 'host', sessionId: null },
      });
      if (asked.kind === 'refused') throw new Error(asked.why);
      return until('its card', () => spine.approvals.whereAsked(asked.id)?.messagingGroupId);
    };
    expect(await ask('test:zoe', people.main.id)).toBe(own.messagingGroupId);
    // Bob opened no chat: the next who may decide is asked where they read alone, and never where mia or max do.
    const other = spine.chats.get(await ask('test:yan', people.other.id));
    expect(other?.openedBy).toBe(idOf('owner'));
  });

  it('is no last word and no unread message for who may not read it', async () => {
    const people = await startWithPeople();
    const path = `/sessions/${people.ofOwner.session.id}`;
    putCard(people, people.approvals.host);
    const seen = async (who: Caller) => {
      const { lastMessage, unread } = (await people.call(who, path)).json;
      return [lastMessage.text, unread];
    };
    expect(await seen('ada')).toEqual([`said in ${people.ofOwner.session.title}`, 1]);
    expect(await seen('owner')).toEqual(['May it?', 2]);
  });
});

describe('a command and its answer', () => {
  /** As that person types it in a chat of main on the page. */
  async function type(people: ConsolePeople, who: Caller, session: Session, text: string): Promise<string[]> {
    const post = { method: 'POST', json: { text } };
    const { status, json } = await people.call(who, `/sessions/${session.id}/messages`, post);
    expect([status, json.text]).toEqual([201, text]);
    const answer = people.api.spine.transcript.listReplies(json.id)[0];
    if (answer === undefined) throw new Error('no answer');
    people.api.spine.transcript.change(answer.id, { state: 'delivered' });
    people.api.spine.transcript.flush();
    return [json.id, answer.id];
  }

  it('concern who typed it, and who sees everything: not other admins of the agent', async () => {
    const people = await startWithPeople();
    const { session, message } = people.ofOwner;
    const path = `/sessions/${session.id}`;
    const typed: string[] = [];
    for (const text of ['/approvals', '/members other', '/config other', '/agents', '/whoami', '/link']) {
      for (const who of ['owner', 'gus'] as const) typed.push(...(await type(people, who, session, text)));
    }
    const own = await type(people, 'ada', session, '/whoami');
    const shown = async (who: Caller) => (await people.call(who, `${path}/messages?limit=100`)).json.items.map(byId);
    expect(await shown('ada')).toEqual([message, ...own]);
    for (const who of ['owner', 'gus', 'machine'] as const)
      expect(await shown(who)).toEqual([message, ...typed, ...own]);
    for (const id of typed) {
      for (const at of [`/messages/${id}`, `/messages/${id}/trace`, `/messages/${id}/why`]) {
        expect([at, (await people.call('ada', at)).status]).toEqual([at, 404]);
      }
      const drop = await people.call('ada', `/messages/${id}/drop`, { method: 'POST' });
      expect(drop.status).toBe(404);
    }
    // A second admin of the same agent reads no word of the first's either.
    people.api.spine.users.grant(idOf('max'), 'admin', people.main.id, null, 1);
    expect(await shown('max')).toEqual([message]);
  });

  it('are no last word and no unread message for others, and their events are not heard', async () => {
    const people = await startWithPeople();
    const { session } = people.ofOwner;
    const listen = (who: 'ada' | 'owner') => openEvents(people.api, '', null, people.cookieOf(who));
    const [ada, owner] = [await listen('ada'), await listen('owner')];
    for (const reader of [ada, owner]) await reader.next('ready');
    const before = people.api.spine.transcript.revision;
    await type(people, 'owner', session, '/approvals');
    const last = people.say(session, 'after it', { state: 'delivered' });
    const textsOf = (reader: EventReader) => JSON.stringify(reader.events.map(({ data }) => data));
    await until('both hear what came after', () => [ada, owner].every((one) => textsOf(one).includes(last)));
    expect(textsOf(owner)).toContain('/approvals');
    expect(textsOf(ada)).not.toContain('/approvals');
    // Nor when what was missed is told.
    const later = await openEvents(people.api, '', before, people.cookieOf('ada'));
    await until('what was missed is told', () => textsOf(later).includes(last));
    expect(textsOf(later)).not.toContain('/approvals');
    await type(people, 'owner', session, '/whoami');
    const seen = async (who: Caller) => {
      const { lastMessage, unread } = (await people.call(who, `/sessions/${session.id}`)).json;
      return [lastMessage.text, unread];
    };
    expect(await seen('ada')).toEqual(['after it', 2]);
    expect((await seen('owner'))[1]).toBe(4);
  });

  it('are shown to whose chat it is, and on all identities of who typed it', async () => {
    const people = await startWithPeople();
    const { ofMia, ofMax, ofOwner } = people;
    const shown = async (who: Caller, session: Session) =>
      (await people.call(who, `/sessions/${session.id}/messages`)).json.items.map(byId);
    const inMias = await type(people, 'ada', ofMia.session, '/whoami');
    expect(await shown('mia', ofMia.session)).toEqual([ofMia.message, ...inMias]);
    expect((await people.call('mia', `/messages/${inMias[1]}`)).status).toBe(200);
    const ofMaxs = await type(people, 'max', ofMax.session, '/whoami');
    expect(await shown('ada', ofMax.session)).toEqual([ofMax.message]);
    expect((await people.call('ada', `/messages/${ofMaxs[0]}`)).status).toBe(404);
    const typed = await type(people, 'ada', ofOwner.session, '/config main');
    people.api.spine.db.prepare(`UPDATE users SET person_id = 'per_1' WHERE id IN ('web:nora', 'web:ada')`).run();
    expect(await shown('nora', ofOwner.session)).toEqual([ofOwner.message, ...typed]);
    expect((await people.call('nora', `/messages/${typed[1]}`)).status).toBe(200);
  });
});
