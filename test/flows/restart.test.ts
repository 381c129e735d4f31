/** What waits outlives the host. */
import { readFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { FlowHost } from '../support/flow-host.ts';
import { until } from '../support/until.ts';

test('a reminder of a session that was closed comes after a restart of the host', async () => {
  const flow = await new FlowHost({ driver: 'process', pauseAfterMs: 100, stopAfterMs: 300 }).startForTest();
  flow.wire(flow.agent, 'family');
  const session = await flow.say('family', 'remind me in 1 hour to stretch');
  await flow.next('family', 0);
  await until('the session is closed', () => !flow.session(session.id).isOpen);
  expect(flow.host.stores.tasks.nextDue([])).toBeGreaterThan(Date.now());
  const { centralDb } = flow.host.paths;
  await flow.stop();
  // The hour passes while no host runs.
  const central = new Database(centralDb);
  central.prepare('UPDATE tasks SET at = ?, next_at = ?').run(Date.now(), Date.now());
  central.close();
  await flow.start();
  expect((await flow.next('family', 1)).text).toContain('stretch');
  await until('the session is closed again', () => !flow.session(session.id).isOpen);
  expect(flow.host.stores.tasks.nextDue([])).toBeNull();
});

test('messages that wait for the container of a stopped host are answered by the next host', async () => {
  const flow = await new FlowHost({ driver: 'process' }).startForTest();
  flow.wire(flow.agent, 'family');
  await flow.ask('family', 'help');
  await flow.host.stopContainers();
  await flow.say('family', 'time');
  await flow.stop();
  await flow.start();
  expect((await flow.next('family', 1)).text).toContain('It is');
});

test('a question that is open when its host and its container stop is put once, and its answer reaches the agent once', async () => {
  const flow = await new FlowHost({ driver: 'process' }).startForTest();
  flow.wire(flow.agent, 'family');
  const session = await flow.say('family', 'ask me tea or coffee? tea, coffee');
  expect((await flow.next('family', 0)).text).toContain('tea or coffee?');
  const told = () => flow.host.stores.transcript.listForSession(session, { limit: 20 });
  const question = await until('it is delivered', () =>
    told().find((each) => each.direction === 'out' && each.state === 'delivered'),
  );
  const { epoch } = flow.session(session.id);
  await flow.host.stopContainers();
  await flow.stop();
  await flow.start();
  await until('another container runs', () => {
    const now = flow.session(session.id);
    return now.epoch > epoch && now.runtimeState === 'running';
  });
  const { port, paths } = flow.host;
  const answer = await fetch(`http://127.0.0.1:${port}/api/v1/messages/${question.id}/answer`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${readFileSync(paths.apiToken, 'utf8').trim()}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ choice: 'coffee' }),
  });
  expect(answer.status).toBe(200);
  expect((await flow.next('family', 1)).text).toMatch(/chose: coffee$/);
  await until('the turn is over', () => told().some((each) => each.direction === 'in' && each.state === 'answered'));
  // What comes after it has its turn: nothing is said a second time in between.
  expect((await flow.ask('family', 'who am i')).text).toContain('Ann');
  expect(flow.seen('family')).toHaveLength(3);
  expect(told().filter((each) => each.direction === 'out')).toHaveLength(3);
});

test('a second host on the same home is refused, and the first goes on', async () => {
  const flow = await new FlowHost({ driver: 'process' }).startForTest();
  flow.wire(flow.agent, 'family');
  await expect(new FlowHost({ home: flow.home, driver: 'process' }).start()).rejects.toMatchObject({
    code: 'home_in_use',
  });
  expect((await flow.ask('family', 'time')).text).toContain('It is');
});
