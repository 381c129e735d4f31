/** Builds of agents' own images over the API: lists, logs as text and as events, and who may see them. */
import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LOG_HEAD_BYTES } from '../../../host/images/limits.ts';
import { BuildLog } from '../../../host/images/log.ts';
import { type ImageBuildId, makeId, type UserId } from '../../../shared/ids.ts';
import { type ApiFixture, BEARER, startApi } from '../../support/api-server.ts';
import { until } from '../../support/until.ts';

const PACKAGES = { apt: ['cowsay'], npm: ['left-pad'], generation: 0 };

function addBuild(api: ApiFixture, createdAt = api.spine.now()): ImageBuildId {
  const id = makeId('imageBuild', createdAt);
  api.builds.insert({
    ...{ id, agentGroupId: api.agent.id, approvalId: null, image: 'own:1', packages: PACKAGES, createdAt },
  });
  return id;
}

/** The events of a log, as they come; `end` resolves when the host closes it. */
function follow(
  api: ApiFixture,
  id: ImageBuildId,
  lastEventId?: string,
  as: Record<string, string> = { Authorization: `Bearer ${BEARER}` },
) {
  const headers: Record<string, string> = { ...as, Accept: 'text/event-stream' };
  if (lastEventId !== undefined) headers['Last-Event-ID'] = lastEventId;
  const seen = { text: '', isOver: false };
  request({ port: api.port, path: `/api/v1/builds/${id}/log`, headers }, (response) => {
    response.setEncoding('utf8').on('data', (piece: string) => {
      seen.text += piece;
    });
    response.on('end', () => {
      seen.isOver = true;
    });
  }).end();
  return seen;
}

test('lists the newest first, page by page', async () => {
  const api = await startApi();
  const [first, second] = [addBuild(api, 1_000), addBuild(api, 2_000)];
  api.builds.begin(second, 3_000);
  api.builds.end(second, { kind: 'failed', failure: 'E: Unable to locate package' }, 4_000);
  const page = (await api.call(`/agents/${api.agent.id}/builds?limit=1`)).json;
  expect(page.items).toMatchObject([
    { id: second, agentId: api.agent.id, state: 'failed', failure: 'E: Unable to locate package', packages: PACKAGES },
  ]);
  const rest = (await api.call(`/agents/${api.agent.id}/builds?cursor=${page.nextCursor}`)).json;
  expect(rest).toMatchObject({ items: [{ id: first, state: 'queued', startedAt: null }], nextCursor: null });
  expect((await api.call(`/builds/${first}`)).json.id).toBe(first);
});

test('a log of a build that runs comes line by line, then its end; who comes back goes on where they were', async () => {
  const api = await startApi();
  const id = addBuild(api);
  const log = new BuildLog(join(api.spine.home.buildLogs, `${id}.log`));
  api.liveLogs.set(id, log);
  log.write('one\ntwo\n');
  const seen = follow(api, id);
  const later = follow(api, id, '1');
  await until('the first lines', () => seen.text.includes('"two"') && later.text.includes('"two"'));
  expect(later.text).not.toContain('"one"');
  expect((await api.call(`/builds/${id}/log`)).text).toBe('one\ntwo\n');
  log.write('three\n');
  await until('the next line', () => seen.text.includes('id: 3\nevent: line\ndata: {"text":"three"}\n\n'));
  expect(seen.isOver).toBe(false);
  api.builds.end(id, { kind: 'built' }, api.spine.now());
  await log.end();
  await until('the end', () => seen.isOver && later.isOver);
  expect(seen.text).toMatch(/event: end\ndata: {"state":"built"}\n\n$/);
});

test('who administers the agent no more, or is signed out, hears no further line', async () => {
  const api = await startApi();
  const { users, db } = api.spine;
  const ids = ['web:ada', 'web:ben'] as UserId[];
  const id = addBuild(api);
  const log = new BuildLog(join(api.spine.home.buildLogs, `${id}.log`));
  api.liveLogs.set(id, log);
  const readers = ids.map((userId) => {
    users.ensure(userId, userId, 1);
    users.grant(userId, 'admin', api.agent.id, null, 1);
    const { token } = api.logins.create('cookie', userId, api.spine.now());
    return { token, seen: follow(api, id, undefined, { cookie: `${api.cookieName}=${token}` }) };
  });
  log.write('one\n');
  await until('both read', () => readers.every(({ seen }) => seen.text.includes('"one"')));
  db.prepare('DELETE FROM user_roles WHERE user_id = ?').run(ids[0]);
  api.logins.revoke(readers[1]?.token ?? '');
  log.write('two\n');
  await until('both are cut', () => readers.every(({ seen }) => seen.isOver));
  for (const { seen } of readers) expect(seen.text).not.toContain('two');
  await log.end();
});

test('a log of a build that ended is its file, numbered as it was while it ran', async () => {
  const api = await startApi();
  const id = addBuild(api);
  writeFileSync(join(api.spine.home.buildLogs, `${id}.log`), 'one\n… 7 lines are left out here …\nlast\n');
  api.builds.end(id, { kind: 'failed', failure: 'last' }, api.spine.now());
  const answer = await api.call(`/builds/${id}/log`);
  expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8');
  expect(answer.text).toContain('\nlast\n');
  const seen = follow(api, id, '8');
  await until('the end', () => seen.isOver);
  expect(seen.text).toBe('id: 9\nevent: line\ndata: {"text":"last"}\n\nevent: end\ndata: {"state":"failed"}\n\n');
});

test('a reader that takes nothing costs the build nothing', async () => {
  const api = await startApi();
  const id = addBuild(api);
  const log = new BuildLog(join(api.spine.home.buildLogs, `${id}.log`));
  api.liveLogs.set(id, log);
  const stuck = request({
    ...{ port: api.port, path: `/api/v1/builds/${id}/log` },
    headers: { Authorization: `Bearer ${BEARER}`, Accept: 'text/event-stream' },
  });
  const connected = new Promise<void>((resolve) => stuck.on('response', (response) => resolve(void response.pause())));
  stuck.end();
  log.write('one\n');
  await connected;
  for (let at = 0; at < 40; at++) log.write(`${'x'.repeat(1_000)}\n`.repeat(LOG_HEAD_BYTES / 8_192));
  const seen = follow(api, id);
  api.builds.end(id, { kind: 'built' }, api.spine.now());
  await log.end();
  await until('another reader has it all', () => seen.isOver);
  stuck.destroy();
});

test('a build that is not there, or has no log yet, is said so', async () => {
  const api = await startApi();
  expect((await api.call(`/builds/${makeId('imageBuild')}`)).status).toBe(404);
  expect((await api.call('/builds/..%2f..%2fcentral.db/log')).status).toBeGreaterThanOrEqual(400);
  const waiting = await api.call(`/builds/${addBuild(api)}/log`);
  expect(waiting).toMatchObject({ status: 200, text: '' });
});

test('trying again answers what the agent runs on', async () => {
  const api = await startApi();
  const answer = await api.call(`/agents/${api.agent.id}/builds`, { method: 'POST', json: {} });
  expect(answer.json).toEqual({
    ...{ agentId: api.agent.id, state: 'ready', image: 'portolan-agent:latest', reason: null },
  });
});

test('is for those who administer the agent', async () => {
  const api = await startApi();
  expect((await api.call(`/builds/${addBuild(api)}/log`, { as: 'nobody' })).status).toBe(401);
});
