/** Agents' ends, and what they were refused, over the API. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startApi } from '../../support/api-server.ts';
import { openEvents } from '../../support/event-reader.ts';
import { until } from '../../support/until.ts';

async function setUp() {
  const api = await startApi();
  const made = await api.call('/agents', { method: 'POST', json: { name: 'Writer', instructions: 'Write short.' } });
  const remove = (revision: number | null) =>
    api.call(`/agents/${made.json.id}`, {
      method: 'DELETE',
      headers: revision === null ? {} : { 'if-match': `"${revision}"` },
    });
  const gone = () => until('its end', () => api.spine.agents.listOpenWork().length === 0);
  return { api, writer: made.json, remove, gone };
}

it('an agent made here has its folder and instructions at once', async () => {
  const { api, writer } = await setUp();
  expect(readFileSync(join(api.spine.home.groups, writer.folder, 'AGENTS.md'), 'utf8')).toBe('Write short.\n');
});

it('an agent is removed under its revision, listed as removed, and restored', async () => {
  const { api, writer, remove, gone } = await setUp();
  await api.call(`/agents/${api.agent.id}/destinations`, {
    method: 'POST',
    json: { name: 'writer', type: 'agent', targetId: writer.id },
  });
  expect((await remove(null)).status).toBe(428);
  expect((await remove(7)).status).toBe(412);
  const removed = await remove(1);
  expect(removed.json).toMatchObject({ agent: { name: 'Writer' }, pointing: 1, warning: null });
  await gone();
  expect(existsSync(join(api.spine.home.home, removed.json.archivedTo, 'AGENTS.md'))).toBe(true);
  expect((await remove(2)).status).toBe(404);
  expect((await api.call('/agents')).json.items).toHaveLength(1);
  expect((await api.call('/agents?state=removed')).json.items).toMatchObject([{ id: writer.id }]);
  expect((await api.call(`/agents/${api.agent.id}/destinations`)).json.items).toEqual([]);
  const restored = await api.call(`/agents/${writer.id}/restore`, { method: 'POST', json: {} });
  expect([restored.status, restored.json.removedAt]).toEqual([200, null]);
  expect(readdirSync(api.spine.home.groups)).toContain('writer');
  expect((await api.call(`/agents/${writer.id}/restore`, { method: 'POST', json: {} })).status).toBe(404);
});

it('the only agent is not removed', async () => {
  const { api, remove, gone } = await setUp();
  await remove(1);
  await gone();
  const answer = await api.call(`/agents/${api.agent.id}`, { method: 'DELETE', headers: { 'if-match': '"1"' } });
  expect([answer.status, answer.json.error.code]).toEqual([409, 'only_agent']);
});

it('a page that watches hears that the sessions of a removed agent have ended', async () => {
  const { api, writer, remove, gone } = await setUp();
  const { id } = (await api.call('/sessions', { method: 'POST', json: { agentId: writer.id } })).json;
  const events = await openEvents(api);
  await remove(1);
  await gone();
  api.feed.tellSession(id);
  const event = await events.next('session-ended');
  expect(event.data).toMatchObject({ sessionId: id });
  expect((await api.call(`/sessions/${id}`)).status).toBe(404);
  expect((await api.call('/sessions')).json.items).toEqual([]);
});

it('refusals are listed newest first, page by page, with who, where and why', async () => {
  const { api } = await setUp();
  api.spine.ledger.append({ kind: 'session.released', sessionId: null, messageId: null, actor: 'x', detail: {} }, 5);
  for (let n = 0; n < 3; n++) {
    const detail = {
      destination: `secret-${n}`,
      channelType: 'test',
      platformId: '1',
      threadId: null,
      reason: 'no such',
    };
    api.spine.ledger.append(
      { kind: 'delivery.refused', sessionId: null, messageId: `m${n}`, actor: api.agent.id, detail },
      10 + n,
    );
  }
  const first = await api.call('/refusals?limit=2');
  expect(first.json.items).toMatchObject([
    { destination: 'secret-2', agentName: 'main', reason: 'no such', at: 12 },
    { destination: 'secret-1' },
  ]);
  const second = await api.call(`/refusals?limit=2&cursor=${first.json.nextCursor}`);
  expect(second.json).toMatchObject({ items: [{ destination: 'secret-0' }], nextCursor: null });
});

it('a renamed destination shows its former names', async () => {
  const { api, writer } = await setUp();
  const { id } = (
    await api.call(`/agents/${api.agent.id}/destinations`, {
      method: 'POST',
      json: { name: 'writer', type: 'agent', targetId: writer.id },
    })
  ).json;
  const renamed = await api.call(`/destinations/${id}`, {
    method: 'PATCH',
    json: { name: 'author' },
    headers: { 'if-match': '"1"' },
  });
  expect(renamed.json).toMatchObject({ name: 'author', formerNames: ['writer'] });
});
