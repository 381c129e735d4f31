/** A person writes, an agent in its own container answers: with real containers. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { UserId } from '../../shared/ids.ts';
import { sessionPaths } from '../../shared/session-files.ts';
import { FlowHost } from '../support/flow-host.ts';
import { agentImage } from '../support/image.ts';
import { until } from '../support/until.ts';

function docker(...args: string[]): string {
  return execFileSync('docker', args, { encoding: 'utf8' }).trim();
}

test('the demo agent answers, knows its destinations, remembers, and passes messages on', async () => {
  const flow = await new FlowHost().startForTest();
  flow.wire(flow.agent, 'family');
  flow.wire(flow.agent, 'work');
  expect((await flow.ask('family', 'help')).text).toContain('demo provider');
  expect((await flow.ask('family', 'destinations')).text).toMatch(/family[\s\S]*work/);
  await flow.ask('family', 'remember the milk');
  expect((await flow.ask('family', 'recall')).text).toContain('milk');
  const before = flow.seen('work').length;
  await flow.ask('family', 'tell work the report is done');
  expect((await flow.next('work', before)).text).toContain('the report is done');
});

test('files travel both ways', async () => {
  const flow = await new FlowHost().startForTest();
  flow.wire(flow.agent, 'family');
  const path = join(flow.home, 'uploads', 'photo');
  writeFileSync(path, 'not really a photo');
  const file = { name: 'photo.png', contentType: 'image/png', sizeBytes: 18, path };
  expect((await flow.ask('family', 'look', [file])).text).toContain('photo.png');
  const count = flow.seen('family').length;
  await flow.say('family', 'send a file');
  const sent = await until('a message with a file', () =>
    flow
      .seen('family')
      .slice(count)
      .find((reply) => reply.files.length > 0),
  );
  expect(sent.files).toHaveLength(1);
  await until('the host keeps no copy', () =>
    readdirSync(join(flow.home, 'uploads')).every((name) => name === 'photo'),
  );
});

test('a reminder comes by itself, through the same path', async () => {
  const flow = await new FlowHost().startForTest();
  flow.wire(flow.agent, 'family');
  await flow.ask('family', 'remind me in 2 s to stretch');
  expect((await flow.next('family', 1)).text).toContain('stretch');
});

test('an idle container is frozen, a message thaws it, and long idleness stops it', async () => {
  const flow = await new FlowHost({ pauseAfterMs: 300, stopAfterMs: 6_000 }).startForTest();
  flow.wire(flow.agent, 'family');
  const session = await flow.say('family', 'help');
  await flow.next('family', 0);
  await until('it is frozen', () => flow.state(session) === 'paused');
  const name = docker('ps', '--filter', `label=portolan.session=${session.id}`, '--format', '{{.ID}}');
  expect(docker('inspect', '-f', '{{.State.Paused}}', name)).toBe('true');
  expect((await flow.ask('family', 'who am i')).text).toContain('Ann');
  await until('it is stopped', () => flow.state(session) === 'idle');
  expect(docker('ps', '-aq', '--filter', `label=portolan.session=${session.id}`)).toBe('');
  expect((await flow.ask('family', 'who am i')).text).toContain('Ann');
});

test('a restarted host takes its running containers over, and nobody else’s', async () => {
  const flow = await new FlowHost().startForTest();
  flow.wire(flow.agent, 'family');
  const session = await flow.say('family', 'help');
  await flow.next('family', 0);
  const find = () => docker('ps', '-q', '--filter', `label=portolan.session=${session.id}`);
  const container = find();
  const stranger = docker(
    'run',
    '-d',
    '--rm',
    '--network',
    'none',
    '--label',
    'portolan.install=ins_00000000000000000000',
    '--label',
    'portolan.session=ses_00000000000000000000',
    '--entrypoint',
    'sleep',
    agentImage(),
    '900',
  );
  try {
    await flow.stop();
    expect(find()).toBe(container);
    await flow.start();
    expect((await flow.ask('family', 'who am i')).text).toContain('Ann');
    expect(find()).toBe(container);
    expect(docker('inspect', '-f', '{{.State.Running}}', stranger)).toBe('true');
  } finally {
    docker('kill', stranger);
  }
});

test('a container that dies in mid-turn is followed by another, which answers', async () => {
  const flow = await new FlowHost().startForTest();
  flow.wire(flow.agent, 'family');
  // Long enough that it still runs when the command to kill it does.
  const session = await flow.say('family', 'slow task 8');
  await flow.next('family', 0);
  docker('kill', docker('ps', '-q', '--filter', `label=portolan.session=${session.id}`));
  await until('it is queued again', () =>
    flow.host.stores.transcript
      .listForSession(session, { limit: 10 })
      .some((message) => message.direction === 'in' && (message.stateReason ?? '').startsWith('trying again')),
  );
  await until(
    'the task ends',
    () =>
      flow.host.stores.transcript
        .listForSession(session, { limit: 10 })
        .some((message) => message.direction === 'in' && message.state === 'answered'),
    60_000,
  );
});

test('more sessions than places take turns, and all are answered', async () => {
  const flow = await new FlowHost({ maxRunning: 2 }).startForTest();
  const chats = Array.from({ length: 5 }, (_, at) => `chat-${at}`);
  for (const chat of chats) flow.wire(flow.agent, chat);
  await Promise.all(chats.map((chat) => flow.say(chat, 'who am i')));
  for (const chat of chats) expect((await flow.next(chat, 0)).text).toContain('Ann');
  expect(
    docker('ps', '-q', '--filter', `label=portolan.install=${flow.host.stores.settings.installId()}`).split('\n')
      .length,
  ).toBeLessThanOrEqual(2);
});

test('inside, the container has what the contract says and nothing more', async () => {
  const flow = await new FlowHost().startForTest();
  flow.wire(flow.agent, 'family');
  const session = await flow.say('family', 'help');
  await flow.next('family', 0);
  const id = docker('ps', '-q', '--filter', `label=portolan.session=${session.id}`);
  const inspected = JSON.parse(docker('inspect', id))[0];
  const env: string[] = inspected.Config.Env;
  expect(env.filter((entry) => /key|token|secret|password/i.test(entry))).toEqual([]);
  expect(inspected.HostConfig).toMatchObject({
    NetworkMode: 'none',
    ReadonlyRootfs: true,
    Privileged: false,
    CapDrop: ['ALL'],
  });
  const mounts = inspected.Mounts.map((mount: { Destination: string; RW: boolean }) => [
    mount.Destination,
    mount.RW,
  ]).sort();
  expect(mounts).toEqual([
    ['/workspace/agent', true],
    ['/workspace/in', false],
    ['/workspace/out', true],
    ['/workspace/state', true],
  ]);
  const paths = sessionPaths(flow.home, session.agentGroupId, session.id);
  const write = (path: string) => {
    try {
      docker('exec', id, 'sh', '-c', `echo x > ${path}`);
      return 'written';
    } catch (error) {
      return error instanceof Error ? 'refused' : 'strange';
    }
  };
  expect(write('/workspace/in/inbound.db-journal')).toBe('refused');
  expect(write('/etc/x')).toBe('refused');
  // The host's own, from its last commit, is as it was.
  expect(readFileSync(`${paths.inboundDb}-journal`)[0]).toBe(0);
  expect(JSON.parse(readFileSync(paths.chart, 'utf8')).destinations).toHaveLength(2);
});

test('/clear starts afresh, and /clearx is an ordinary message', async () => {
  const flow = await new FlowHost().startForTest();
  flow.wire(flow.agent, 'family');
  // In a group only an admin of the agent clears its conversation.
  const { users } = flow.host.stores;
  await flow.ask('family', 'remember the milk');
  users.grant('test:ann' as UserId, 'admin', flow.agent.id, null, Date.now());
  expect((await flow.ask('family', '/clearx')).text).not.toContain('starts afresh');
  expect((await flow.ask('family', 'recall')).text).toContain('milk');
  expect((await flow.ask('family', '/clear')).text).toContain('starts afresh');
  expect((await flow.ask('family', 'recall')).text).toContain('no notes');
});
