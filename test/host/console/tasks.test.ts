/** Tasks over the API. */
import { expect, test } from 'vitest';
import type { Session } from '../../../host/store/sessions.ts';
import type { NewTask } from '../../../host/store/tasks.ts';
import { makeId, type TaskId } from '../../../shared/ids.ts';
import { type ApiFixture, startApi } from '../../support/api-server.ts';

const NOON = Date.parse('2026-11-23T12:00:00Z');
const HOUR = 3_600_000;

async function start(): Promise<{ api: ApiFixture; session: Session; add: (more?: Partial<NewTask>) => TaskId }> {
  const api = await startApi();
  api.spine.now = () => NOON;
  const session = api.openSession('Garden');
  const add = (more: Partial<NewTask> = {}) => {
    const id = makeId('task', NOON);
    api.spine.tasks.create({
      id,
      sessionId: session.id,
      agentGroupId: session.agentGroupId,
      prompt: 'water the plants',
      at: null,
      cron: '0 9 * * *',
      timezone: 'Europe/Berlin',
      script: null,
      missed: 'once',
      state: 'active',
      nextAt: Date.parse('2026-11-24T08:00:00Z'),
      channelType: null,
      platformId: null,
      threadId: null,
      createdAt: NOON,
      ...more,
    });
    return id;
  };
  return { api, session, add };
}

test('lists the next to fire first, by agent, session and state, page by page', async () => {
  const { api, session, add } = await start();
  const late = add();
  const soon = add({ cron: null, at: NOON + HOUR, nextAt: NOON + HOUR });
  const paused = add({ state: 'paused', nextAt: null });
  const done = add({ state: 'done', nextAt: null });
  const ids = async (query: string) =>
    (await api.call(`/tasks${query}`)).json.items.map((task: { id: string }) => task.id);
  expect(await ids('')).toEqual([soon, late, ...[paused, done].sort()]);
  expect(await ids('?state=open')).toEqual([soon, late, paused]);
  expect(await ids('?state=done')).toEqual([done]);
  expect(await ids(`?session=${session.id}&agent=${api.agent.id}&state=active`)).toEqual([soon, late]);
  const first = await api.call('/tasks?limit=3');
  expect(first.json.items).toHaveLength(3);
  const second = await api.call(`/tasks?limit=3&cursor=${first.json.nextCursor}`);
  expect(second.json).toMatchObject({ items: [{ id: [paused, done].sort()[1] }], nextCursor: null });
  expect(first.json.items[1]).toMatchObject({
    agentName: 'main',
    sessionTitle: 'Garden',
    timezone: 'Europe/Berlin',
    lastFiredAt: null,
    revision: 1,
  });
});

test('shows one with its next five times and its receipts', async () => {
  const { api, add } = await start();
  const id = add({ script: 'exit 0' });
  api.spine.taskFirings.record(id, [
    { taskId: id, dueAt: NOON - HOUR, firedAt: null, messageId: null, outcome: 'missed', note: 'the host slept' },
  ]);
  const { json, headers } = await api.call(`/tasks/${id}`);
  expect(headers.etag).toBe('"1"');
  expect(json.nextTimes.map((at: number) => new Date(at).toISOString())).toEqual(
    [24, 25, 26, 27, 28].map((day) => `2026-11-${day}T08:00:00.000Z`),
  );
  expect(json).toMatchObject({
    hasScript: true,
    script: 'exit 0',
    firings: [{ outcome: 'missed', note: 'the host slept' }],
  });
});

test('pauses, resumes and cancels on the revision that was seen, and records who did', async () => {
  const { api, add } = await start();
  const id = add();
  const act = (what: string, revision?: number) =>
    api.call(`/tasks/${id}/${what}`, {
      method: 'POST',
      json: {},
      ...(revision === undefined ? {} : { headers: { 'if-match': `"${revision}"` } }),
    });
  expect(await act('pause')).toMatchObject({ status: 428 });
  expect(await act('pause', 7)).toMatchObject({ status: 412, json: { error: { revision: 1 } } });
  expect(await act('pause', 1)).toMatchObject({ status: 200, json: { state: 'paused', nextAt: null, revision: 2 } });
  expect((await api.call(`/tasks/${id}`)).json.nextTimes).toHaveLength(5);
  expect(await act('resume', 2)).toMatchObject({ status: 200, json: { state: 'active', revision: 3 } });
  expect(await act('cancel', 3)).toMatchObject({ status: 200, json: { state: 'cancelled' } });
  expect(await act('resume', 4)).toMatchObject({
    status: 409,
    json: { error: { code: 'task_not_possible', message: expect.stringContaining('was cancelled') } },
  });
  const actors = api.spine.db.prepare(`SELECT actor FROM ledger WHERE kind LIKE 'task.%'`).pluck().all();
  expect(actors).toEqual(['web:owner', 'web:owner', 'web:owner']);
});

test.each([
  ['/tasks/tsk_00000000000000000000', 404],
  ['/tasks/msg_00000000000000000000', 400],
  ['/tasks/..%2f..%2fetc', 400],
  ['/tasks?state=asleep', 400],
  ['/tasks?cursor=never', 400],
  ['/tasks?colour=red', 400],
  ['/tasks?session=ses_00000000000000000000', 404],
])('GET %s is answered with %i', async (path, status) => {
  const { api } = await start();
  expect(await api.call(path)).toMatchObject({ status, json: { error: {} } });
});

test('nobody sees tasks without signing in', async () => {
  const { api, add } = await start();
  expect(await api.call('/tasks', { as: 'nobody' })).toMatchObject({ status: 401 });
  expect(await api.call(`/tasks/${add()}/cancel`, { as: 'nobody', method: 'POST', json: {} })).toMatchObject({
    status: 401,
  });
});
