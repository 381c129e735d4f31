import { describe, expect, it } from 'vitest';
import { startApi } from '../../support/api-server.ts';

describe('resources', () => {
  it('lists agents in pages whose cursors reach every one once', async () => {
    const api = await startApi();
    for (const name of ['one', 'two', 'three', 'four']) {
      expect((await api.call('/agents', { method: 'POST', json: { name } })).status).toBe(201);
    }
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page = await api.call(`/agents?limit=2${cursor === null ? '' : `&cursor=${cursor}`}`);
      expect(page.status).toBe(200);
      seen.push(...page.json.items.map((agent: { name: string }) => agent.name));
      cursor = page.json.nextCursor;
    } while (cursor !== null);
    expect(seen.sort()).toEqual(['four', 'main', 'one', 'three', 'two']);
  });

  it('gives agents whose names make the same folder name different folders', async () => {
    const api = await startApi();
    const long = 'the agent that looks after everything at home and';
    const first = await api.call('/agents', { method: 'POST', json: { name: `${long} work` } });
    const second = await api.call('/agents', { method: 'POST', json: { name: `${long} play` } });
    expect(first.status).toBe(201);
    expect(second.json.folder).toBe(`${first.json.folder}-2`);
  });

  it('makes no agent whose name is a path or looks like another’s (who may: `--folder ../../evil` is accepted)', async () => {
    const api = await startApi();
    for (const name of ['../../etc', '..', 'Маin', 'ｍａｉｎ', 'con']) {
      const answer = await api.call('/agents', { method: 'POST', json: { name } });
      expect([answer.status, answer.json.error.code], name).toEqual([409, 'name_refused']);
    }
    expect(api.spine.agents.list(10)).toHaveLength(1);
  });

  it('renames no agent to what looks like another’s name, and keeps the folder of one that is renamed', async () => {
    const api = await startApi();
    const { id } = (await api.call('/agents', { method: 'POST', json: { name: 'writer' } })).json;
    const rename = (name: string, revision: number) =>
      api.call(`/agents/${id}`, { method: 'PATCH', json: { name }, headers: { 'if-match': `"${revision}"` } });
    expect((await rename('maіn', 1)).status).toBe(409);
    expect((await rename('Writer', 1)).json).toMatchObject({ name: 'Writer', folder: 'writer' });
    expect((await rename('../up', 2)).status).toBe(409);
  });

  it('makes an admin agent for the command line, not for a page', async () => {
    const api = await startApi();
    const json = { name: 'boss', isAdmin: true };
    const cookie = api.makeCookie();
    const page = { cookie, origin: api.origin };
    expect((await api.call('/agents', { method: 'POST', json, as: 'nobody', headers: page })).status).toBe(403);
    expect((await api.call('/agents', { method: 'POST', json, door: 'unix' })).json).toMatchObject({ isAdmin: true });
  });

  it('refuses a second agent of the same name, whatever its case', async () => {
    const api = await startApi();
    const answer = await api.call('/agents', { method: 'POST', json: { name: 'MAIN' } });
    expect([answer.status, answer.json.error.code]).toEqual([409, 'name_refused']);
  });

  it('asks for a revision before it changes anything, and tells the one that holds when it is stale', async () => {
    const api = await startApi();
    const path = `/agents/${api.agent.id}`;
    const patch = (ifMatch?: string) =>
      api.call(path, {
        method: 'PATCH',
        json: { model: 'm-1' },
        headers: ifMatch === undefined ? {} : { 'if-match': ifMatch },
      });
    expect((await patch()).status).toBe(428);
    expect((await patch('*')).status).toBe(400);
    expect((await patch('"1", "2"')).status).toBe(400);
    const { etag } = (await api.call(path)).headers;
    const changed = await patch(etag);
    expect([changed.status, changed.json.model, changed.headers.etag]).toEqual([200, 'm-1', '"2"']);
    const stale = await patch(etag);
    expect([stale.status, stale.json.error.code, stale.json.error.revision, stale.headers.etag]).toEqual([
      412,
      'stale',
      2,
      '"2"',
    ]);
  });

  it('lets exactly one of many changes based on the same revision win', async () => {
    const api = await startApi();
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, at) =>
        api.call(`/agents/${api.agent.id}`, {
          method: 'PATCH',
          json: { model: `m-${at}` },
          headers: { 'if-match': '"1"' },
        }),
      ),
    );
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, ...Array(9).fill(412)]);
  });

  it('wires an agent to a chat, makes the destination, and tells running agents (wrong place: a wiring without a destination)', async () => {
    const api = await startApi();
    const chat = api.spine.chats.ensure({ channelType: 'telegram', platformId: '-1', name: 'Family', now: 0 });
    const wired = await api.call('/wirings', {
      method: 'POST',
      json: { chatId: chat.id, agentId: api.agent.id, engageMode: 'pattern', engagePattern: '^hey' },
    });
    expect(wired.status).toBe(201);
    expect(api.rechartedAgents).toEqual([api.agent.id]);
    const destinations = await api.call(`/agents/${api.agent.id}/destinations`);
    expect(destinations.json.items).toMatchObject([{ name: 'family', type: 'channel', displayName: 'Family' }]);
    const again = await api.call('/wirings', { method: 'POST', json: { chatId: chat.id, agentId: api.agent.id } });
    expect([again.status, again.json.error.code]).toEqual([409, 'already_wired']);
  });

  it('refuses a wiring with a pattern that does not compile, and writes nothing', async () => {
    const api = await startApi();
    const chat = api.spine.chats.ensure({ channelType: 'telegram', platformId: '-1', name: 'Family', now: 0 });
    for (const engagePattern of ['(', null, '']) {
      const answer = await api.call('/wirings', {
        method: 'POST',
        json: { chatId: chat.id, agentId: api.agent.id, engageMode: 'pattern', engagePattern },
      });
      expect([answer.status, answer.json.error.code]).toEqual([400, 'bad_pattern']);
    }
    expect(api.spine.wirings.list(10)).toEqual([]);
    expect(api.spine.destinations.listFor(api.agent.id)).toEqual([]);
  });

  it('renames and removes a destination under its revision, and keeps its id', async () => {
    const api = await startApi();
    const chat = api.spine.chats.ensure({ channelType: 'telegram', platformId: '-1', name: 'Family', now: 0 });
    const made = await api.call(`/agents/${api.agent.id}/destinations`, {
      method: 'POST',
      json: { name: 'home', type: 'channel', targetId: chat.id },
    });
    const path = `/destinations/${made.json.id}`;
    const renamed = await api.call(path, { method: 'PATCH', json: { name: 'casa' }, headers: { 'if-match': '"1"' } });
    expect([renamed.status, renamed.json.id, renamed.json.name]).toEqual([200, made.json.id, 'casa']);
    expect((await api.call(path, { method: 'DELETE', headers: { 'if-match': '"1"' } })).status).toBe(412);
    expect((await api.call(path, { method: 'DELETE', headers: { 'if-match': '"2"' } })).status).toBe(204);
    expect((await api.call(path)).status).toBe(404);
    expect(api.rechartedAgents).toHaveLength(3);
  });

  it('renames a chat under its revision, and the charts of its agents follow', async () => {
    const api = await startApi();
    const chat = api.spine.addChat(api.agent, 'telegram', '-1');
    const change = (json: object) =>
      api.call(`/chats/${chat.id}`, { method: 'PATCH', json, headers: { 'if-match': '"1"' } });
    const answer = await change({ name: 'Family', unknownSenderPolicy: 'public' });
    expect(answer.json).toMatchObject({ name: 'Family', unknownSenderPolicy: 'public', revision: 2 });
    expect((await change({ name: 'Other' })).status).toBe(412);
    expect(api.rechartedAgents).toEqual([api.agent.id]);
  });

  it('opens a new web chat each time, and one terminal chat per agent', async () => {
    const api = await startApi();
    const open = (json: object) => api.call('/sessions', { method: 'POST', json: { agentId: api.agent.id, ...json } });
    const web = await open({ title: 'Plans' });
    expect(web.json).toMatchObject({ title: 'Plans', channelType: 'web', writable: true, state: 'idle', unread: 0 });
    expect((await open({})).json).toMatchObject({ title: null });
    const [one, two] = [await open({ channel: 'terminal' }), await open({ channel: 'terminal' })];
    expect(one.json.id).toBe(two.json.id);
    const list = await api.call('/sessions?limit=2');
    expect(list.json.items).toHaveLength(2);
    const rest = await api.call(`/sessions?limit=2&cursor=${list.json.nextCursor}`);
    expect([rest.json.items.length, rest.json.nextCursor]).toEqual([1, null]);
  });

  it('lists sessions of one state alone', async () => {
    const api = await startApi();
    const [, second] = [api.openSession('a'), api.openSession('b')];
    api.spine.sessions.setQuarantine(second.id, 'it broke the contract', 1);
    const answer = await api.call('/sessions?state=quarantined');
    expect(answer.json.items).toMatchObject([{ id: second.id, stateReason: 'it broke the contract' }]);
  });

  it('stops and releases sessions through the runtime', async () => {
    const api = await startApi();
    const { id } = api.openSession();
    expect((await api.call(`/sessions/${id}/stop`, { method: 'POST' })).status).toBe(200);
    expect((await api.call(`/sessions/${id}/release`, { method: 'POST', json: {} })).status).toBe(200);
    expect([api.stopped, api.released]).toEqual([[id], [id]]);
  });

  it('describes every route in OpenAPI', async () => {
    const api = await startApi();
    const answer = await api.call('/openapi.json', { as: 'nobody' });
    expect(answer.status).toBe(200);
    expect(Object.keys(answer.json.paths)).toEqual(
      expect.arrayContaining(['/login', '/sessions/{id}/messages', '/wirings/{id}', '/events', '/messages/{id}/trace']),
    );
  });
});
