/** What waits outlives the host. */
import { expect, test } from 'vitest';
import { FlowHost } from '../support/flow-host.ts';
import { until } from '../support/until.ts';

test('a reminder of a session that was closed comes after a restart of the host', async () => {
  const flow = await new FlowHost({ driver: 'process', pauseAfterMs: 100, stopAfterMs: 300 }).startForTest();
  flow.wire(flow.agent, 'family');
  const session = await flow.say('family', 'remind me in 6 s to stretch');
  await flow.next('family', 0);
  await until('the session is closed', () => !flow.session(session.id).isOpen);
  expect(flow.host.stores.tasks.nextDue([])).toBeGreaterThan(Date.now());
  await flow.stop();
  await flow.start();
  expect((await flow.next('family', 1, 20_000)).text).toContain('stretch');
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

test('a second host on the same home is refused, and the first goes on', async () => {
  const flow = await new FlowHost({ driver: 'process' }).startForTest();
  flow.wire(flow.agent, 'family');
  await expect(new FlowHost({ home: flow.home, driver: 'process' }).start()).rejects.toMatchObject({
    code: 'home_in_use',
  });
  expect((await flow.ask('family', 'time')).text).toContain('It is');
});
