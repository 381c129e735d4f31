/** A session that broke the contract is set aside by name, the others go on, and a person can start it afresh. */
import { existsSync, readdirSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { sessionPaths } from '../../shared/session-files.ts';
import { FlowHost } from '../support/flow-host.ts';
import { until } from '../support/until.ts';

test.each([
  ['replaced by a link', (path: string) => symlinkSync('/etc/passwd', path)],
  ['no database any more', (path: string) => writeFileSync(path, 'x'.repeat(9_000))],
])('outbound.db %s: quarantined and named, others go on, released it answers again', async (_name, plant) => {
  const flow = await new FlowHost({ driver: 'process' }).startForTest();
  flow.wire(flow.agent, 'bad');
  flow.wire(flow.agent, 'good');
  const session = await flow.say('bad', 'help');
  await flow.next('bad', 0);
  await flow.ask('good', 'help');
  const paths = sessionPaths(flow.home, session.agentGroupId, session.id);
  unlinkSync(paths.outboundDb);
  plant(paths.outboundDb);
  const reason = await until('it is quarantined', () => flow.session(session.id).quarantineReason);
  expect(reason).toMatch(/^outbound\.db: /);
  expect(flow.state(session)).toBe('quarantined');
  expect((await flow.ask('good', 'who am i')).text).toContain('Ann');
  await flow.say('bad', 'time');
  await until('its container is gone', () => flow.session(session.id).runtimeState === 'absent');
  await flow.host.life.release(session.id, 'web:owner');
  expect((await flow.next('bad', 1)).text).toContain('It is');
  expect((await flow.ask('bad', 'who am i')).text).toContain('Ann');
  expect(readdirSync(paths.root).some((name) => name.startsWith('out-set-aside-'))).toBe(true);
  expect(existsSync(paths.outboundDb)).toBe(true);
  expect(flow.host.stores.ledger.findBreak()).toBeNull();
});

test('a session with nothing left to do is closed, so that the next host need not look at it', async () => {
  const flow = await new FlowHost({ driver: 'process', pauseAfterMs: 200, stopAfterMs: 400 }).startForTest();
  flow.wire(flow.agent, 'family');
  const session = await flow.say('family', 'help');
  await flow.next('family', 0);
  await until('its container is gone', () => flow.session(session.id).runtimeState === 'absent');
  await until('it is closed', () => !flow.session(session.id).isOpen);
  expect((await flow.ask('family', 'time')).text).toContain('It is');
});
