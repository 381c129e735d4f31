/** A folder of the machine in a real container, and what happens when it may not be mounted any more. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { FlowHost } from '../support/flow-host.ts';
import { until } from '../support/until.ts';

test('an agent reads the folder it was given; without the allowlist its next container does not start, and says why', async () => {
  const root = mkdtempSync(join(tmpdir(), 'portolan-srv-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  chmodSync(root, 0o755);
  const reports = join(root, 'srv', 'reports');
  mkdirSync(reports, { recursive: true, mode: 0o755 });
  writeFileSync(join(reports, 'today.txt'), 'all is well', { mode: 0o644 });
  const mounts = join(root, 'mounts.json');
  writeFileSync(mounts, JSON.stringify({ version: 1, allow: [{ path: join(root, 'srv') }] }), { mode: 0o600 });
  const flow = await new FlowHost({ mounts }).startForTest();
  flow.wire(flow.agent, 'family');
  const given = { mounts: [{ name: 'reports', path: reports, isReadOnly: true }] };
  const { stores } = flow.host;
  const { config } = flow.agent;
  stores.agents.change(
    flow.agent.id,
    { ...config, ...given },
    { by: 'host', approvalId: null, reason: 'x' },
    Date.now(),
  );
  expect((await flow.ask('family', 'run cat /workspace/mounts/reports/today.txt')).text).toContain('all is well');
  expect((await flow.ask('family', 'run touch /workspace/mounts/reports/mine')).text).toContain('Read-only');
  await flow.host.stopContainers();
  await flow.stop();
  rmSync(mounts);
  await flow.start();
  const session = await flow.say('family', 'run cat /workspace/mounts/reports/today.txt');
  const reason = await until('it says why', () => flow.host.life.liveState(flow.session(session.id)).reason);
  expect(reason).toContain('may not be mounted now');
  expect(flow.seen('family')).toHaveLength(2);
});
