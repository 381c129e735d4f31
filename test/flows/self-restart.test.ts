/**
 * What is for a fresh container alone, with real runners: an approved change and a restart. Whatever the old
 * container does, it never takes the message. `epoch` counts a session's runs.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import type { Approval } from '../../host/store/approvals.ts';
import type { Session } from '../../host/store/sessions.ts';
import { sessionPaths } from '../../shared/session-files.ts';
import { FlowHost } from '../support/flow-host.ts';
import { until } from '../support/until.ts';

/** A session that asked for an MCP server which does not exist, and whose request waits. */
async function setUp(policy: ConstructorParameters<typeof FlowHost>[0] = {}) {
  const flow = await new FlowHost({ driver: 'process', ...policy }).startForTest();
  flow.wire(flow.agent, 'family');
  const session = await flow.say('family', 'help');
  await flow.next('family', 0);
  const epoch = () => flow.session(session.id).epoch;
  return { flow, session, epoch };
}

type World = Awaited<ReturnType<typeof setUp>>;

async function askForServer({ flow }: World): Promise<Approval> {
  const asked = await flow.ask('family', 'add mcp server files: no-such-program --here');
  expect(asked.text).toMatch(/submitted|asked|admin/i);
  return until('an approval waits', () => flow.host.stores.approvals.list(1, null, 'pending')[0]);
}

async function approve({ flow }: World, { id }: Approval): Promise<void> {
  const { port, paths } = flow.host;
  const answer = await fetch(`http://127.0.0.1:${port}/api/v1/approvals/${id}/decide`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${readFileSync(paths.apiToken, 'utf8').trim()}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ choice: 'Approve' }),
  });
  expect(answer.status).toBe(200);
}

/** The outcome as the agent says it, and that the run which took it began after the message was written. */
async function takenByFresh({ flow, session, epoch }: World, before: number): Promise<void> {
  await until('the fresh container says so', () =>
    flow.seen('family').some(({ text }) => text.includes('It was approved') && text.includes('files')),
  );
  expect(epoch()).toBe(before + 1);
  const { helloAt, writtenAt, takenAt } = readRun(flow, session);
  expect(helloAt).toBeGreaterThanOrEqual(writtenAt);
  expect(takenAt).toBeGreaterThanOrEqual(helloAt);
}

function readRun(flow: FlowHost, session: Session): { helloAt: number; writtenAt: number; takenAt: number } {
  const paths = sessionPaths(flow.home, session.agentGroupId, session.id);
  const inbound = new Database(paths.inboundDb, { readonly: true, timeout: 5_000 });
  // The shape is the one selected.
  const row = inbound.prepare('SELECT id, timestamp FROM messages_in WHERE on_wake = 1').get() as {
    id: string;
    timestamp: number;
  };
  inbound.close();
  const outbound = new Database(paths.outboundDb, { readonly: true, timeout: 5_000 });
  const hello = outbound.prepare(`SELECT value FROM runner_state WHERE key = 'hello'`).pluck().get();
  const taken = outbound.prepare('SELECT changed_at FROM processing WHERE message_id = ?').pluck().get(row.id);
  outbound.close();
  return { helloAt: JSON.parse(String(hello)).startedAt, writtenAt: row.timestamp, takenAt: Number(taken) };
}

/** The process group of the session's present run. */
function readPid(flow: FlowHost, session: Session): number {
  const folder = join(flow.home, 'processes');
  const file = readdirSync(folder).find((name) => name.startsWith(session.id) && name.endsWith('.json'));
  return Number(JSON.parse(readFileSync(join(folder, file ?? ''), 'utf8')).process.pid);
}

test('an agent that restarts itself ends its turn, and its fresh container says so once', async () => {
  const { flow, session, epoch } = await setUp();
  const before = epoch();
  await flow.say('family', 'restart');
  expect((await flow.next('family', 1)).text).toContain('starts afresh now');
  expect((await flow.next('family', 2)).text).toContain('I am back, in a fresh container');
  expect(epoch()).toBe(before + 1);
  const { helloAt, writtenAt } = readRun(flow, session);
  // The message lay there while the old one was in its turn.
  expect(helloAt).toBeGreaterThan(writtenAt);
  expect((await flow.ask('family', 'time')).text).toContain('It is');
  expect((await flow.ask('family', 'restart')).text).toMatch(/once a minute.*again in \d+ s/);
  expect(flow.seen('family')).toHaveLength(5);
  expect(epoch()).toBe(before + 1);
});

test('an approved change reaches an idle container’s successor; the config and the broken server are shown', async () => {
  const world = await setUp();
  const { flow, epoch } = world;
  const approval = await askForServer(world);
  expect(approval.consequence[0]).toBe('adds the MCP server files, which runs: `no-such-program --here`');
  const before = epoch();
  await approve(world, approval);
  await takenByFresh(world, before);
  expect(flow.agent.config).toMatchObject({ revision: 2, mcpServers: [{ name: 'files', command: 'no-such-program' }] });
  const { mcpReports } = flow.host.stores;
  const report = await until(
    'the runner reports',
    () => mcpReports.list(flow.agent.id, flow.agent.config.mcpServers)[0],
  );
  expect(report.problem).not.toBeNull();
});

test('an approved change reaches a frozen container’s successor, without thawing it', async () => {
  const world = await setUp({ pauseAfterMs: 100 });
  const approval = await askForServer(world);
  await until('it is frozen', () => world.flow.state(world.session) === 'paused');
  const before = world.epoch();
  await approve(world, approval);
  await takenByFresh(world, before);
});

test('an approved change reaches the successor of a container that is killed then', async () => {
  const world = await setUp();
  const approval = await askForServer(world);
  const before = world.epoch();
  process.kill(-readPid(world.flow, world.session), 'SIGKILL');
  await approve(world, approval);
  await takenByFresh(world, before);
});

test('an approved change waits for the end of the turn that its container is in, which loses nothing', async () => {
  const world = await setUp();
  const { flow } = world;
  const approval = await askForServer(world);
  const before = world.epoch();
  // Long enough that the turn goes on when the change is made.
  await flow.say('family', 'slow task 8 s');
  await until('the turn has begun', () =>
    flow.host.stores.transcript
      .listForSession(world.session, { limit: 20 })
      .some(({ text, state }) => text === 'slow task 8 s' && state === 'read'),
  );
  await approve(world, approval);
  await until('the change is made', () => flow.agent.config.revision === 2);
  expect(world.epoch()).toBe(before);
  await takenByFresh(world, before);
  const texts = flow.seen('family').map(({ text }) => text);
  // The slow task came to its own end first.
  const [ended, told] = [/slow task is done/i, /It was approved/].map((words) =>
    texts.findIndex((text) => words.test(text)),
  );
  expect(ended).toBeGreaterThan(0);
  expect(told).toBeGreaterThan(ended ?? texts.length);
});

test('a change that was approved when the host died is made once by the next host, and told once', async () => {
  const world = await setUp();
  const { flow } = world;
  const approval = await askForServer(world);
  await approve(world, approval);
  await flow.stop();
  await flow.start();
  await until('the fresh container says so', () =>
    flow.seen('family').some(({ text }) => text.includes('It was approved')),
  );
  expect((await flow.ask('family', 'time')).text).toContain('It is');
  expect(flow.seen('family').filter(({ text }) => text.includes('It was approved'))).toHaveLength(1);
  expect(flow.agent.config.revision).toBe(2);
  expect(flow.host.stores.configHistory.list(flow.agent.id, 10)).toHaveLength(2);
});
