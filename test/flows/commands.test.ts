/** Commands in a whole host with real runners: on a platform, on the page and in the terminal. */
import { request } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { OWNER, openChat } from '../../host/first-run.ts';
import { HOST_NAME } from '../../host/questions/plan.ts';
import type { UserId } from '../../shared/ids.ts';
import { stampNow } from '../../shared/trace.ts';
import { FlowHost } from '../support/flow-host.ts';
import { until } from '../support/until.ts';

const ANN = 'test:ann' as UserId;

/** A host with the group `family`, whose admin Ann is. */
async function startFamily(driver: 'process' | 'docker' = 'process'): Promise<FlowHost> {
  const flow = await new FlowHost({ driver }).startForTest();
  flow.wire(flow.agent, 'family');
  const { users } = flow.host.stores;
  users.ensure(ANN, 'Ann', Date.now());
  users.grant(ANN, 'admin', flow.agent.id, OWNER, Date.now());
  return flow;
}

test('/stop ends a turn that goes on, which is not tried again, and what is written next is answered', async () => {
  const flow = await startFamily();
  const { transcript } = flow.host.stores;
  const session = await flow.say('family', 'slow task 120');
  const working = await until('it works on it', () =>
    transcript
      .listForSession(session, { limit: 10 })
      .find(({ text, state }) => text === 'slow task 120' && state === 'read'),
  );
  await until('its container runs', () => flow.state(session) === 'running');
  const answer = await flow.ask('family', '/stop');
  expect(answer.text).toMatch(/^Stopped main\.[\s\S]*One message ends here and is not tried again/);
  expect(transcript.get(working.id)).toMatchObject({ state: 'failed', stateReason: 'stopped by Ann' });
  await until('its run is over', () => flow.state(session) === 'idle');
  expect((await flow.ask('family', 'time')).text).toContain('It is');
  expect(transcript.get(working.id)).toMatchObject({ state: 'failed', stateReason: 'stopped by Ann' });
  const inbox = transcript.listForSession(session, { limit: 50 }).filter(({ direction }) => direction === 'in');
  expect(inbox.find(({ text }) => text === '/stop')).toMatchObject({ state: 'answered' });
});

test('/clear is carried out by the runner; a member’s is refused, an agent’s and a task’s words clear nothing', async () => {
  const flow = await startFamily();
  await flow.ask('family', 'remember the milk');
  expect((await flow.ask('family', '/clearx')).text).not.toContain('afresh');
  expect((await flow.ask('family', '/clear the table')).text).toContain('Nothing was done');
  expect((await flow.ask('family', 'recall')).text).toContain('milk');
  flow.host.stores.users.revoke(ANN, 'admin', flow.agent.id);
  expect((await flow.ask('family', '/clear')).text).toBe('In a group only an admin may use /clear.');
  expect((await flow.ask('family', 'recall')).text).toContain('milk');
  flow.host.stores.users.grant(ANN, 'admin', flow.agent.id, OWNER, Date.now());
  expect((await flow.ask('family', '/clear')).text).toContain('afresh');
  expect((await flow.ask('family', 'recall')).text).toContain('no notes');
});

test('a command to an agent that another agent writes is a message', async () => {
  const flow = await startFamily();
  await flow.ask('family', 'make an agent called writer that writes');
  await until('it is there', () => flow.host.stores.agents.findByName('writer'));
  const answer = await flow.ask('family', 'ask writer /clear');
  const writer = flow.host.stores.agents.findByName('writer');
  const [session] = writer === null ? [] : flow.host.stores.sessions.listForAgent(writer.id);
  if (session === undefined) throw new Error('the writer has no session');
  const heard = await until('the writer hears it', () =>
    flow.host.stores.transcript
      .listForSession(session, { limit: 10 })
      .find(({ direction, text }) => direction === 'in' && text.includes('/clear')),
  );
  await until('it is answered as a message', () => flow.host.stores.transcript.get(heard.id)?.state === 'answered');
  const replies = flow.host.stores.transcript.listReplies(heard.id);
  expect(replies.some(({ text }) => text.includes('afresh'))).toBe(false);
  expect(answer.text).not.toContain('afresh');
});

test('on the page and in the terminal a command is the person’s message, with the answer under it', async () => {
  const flow = await startFamily();
  const { stores, paths } = flow.host;
  for (const channel of ['web', 'terminal'] as const) {
    const session = openChat(stores, flow.agent.id, channel, undefined, OWNER, Date.now());
    if (session === null) throw new Error('no session');
    const path = `/api/v1/sessions/${session.id}/messages`;
    const said = { text: '/status', clientId: `status-on-${channel}` };
    const first = await call(paths.socket, 'POST', path, said);
    expect(first.status).toBe(201);
    expect(first.json).toMatchObject({ text: '/status', direction: 'in', state: 'answered' });
    const again = await call(paths.socket, 'POST', path, said);
    expect(again).toMatchObject({ status: 200, json: { id: first.json.id } });
    const page = await until('the answer is shown', async () => {
      const { json } = await call(paths.socket, 'GET', path);
      return json.items.length === 2 && json.items[1]?.state === 'delivered' && json.items;
    });
    expect(page[1]).toMatchObject({
      ...{ direction: 'out', kind: 'system', author: { name: HOST_NAME }, inReplyTo: first.json.id },
      text: expect.stringContaining('- **main**: '),
    });
    // No container was started for it.
    expect(flow.state(session)).toBe('idle');
    const code = await call(paths.socket, 'POST', path, { text: '/claim some-secret-code-of-mine' });
    expect(code.json.text).toBe('/claim ••••');
  }
});

test('while Docker is away /status says so, and /stop ends what waits for it', async () => {
  const before = process.env.DOCKER_HOST;
  process.env.DOCKER_HOST = 'unix:///nonexistent/docker.sock';
  onTestFinished(() => {
    if (before === undefined) delete process.env.DOCKER_HOST;
    else process.env.DOCKER_HOST = before;
  });
  const flow = await startFamily('docker');
  const session = await flow.say('family', 'are you there?');
  await until('it waits', () => flow.state(session) === 'waiting');
  const status = await flow.ask('family', '/status');
  expect(status.text).toMatch(/^- \*\*main\*\*: waiting \(.+\); 1 message in its queue/);
  const stopped = await flow.ask('family', '/stop');
  expect(stopped.text).toContain('One message ends here');
  await until('nothing is left to do', () => flow.state(session) === 'idle');
  const said = flow.host.stores.transcript.listForSession(session, { limit: 10 });
  expect(said.find(({ text }) => text === 'are you there?')).toMatchObject({ state: 'failed' });
  const waits = await flow.ask('family', '/clear');
  expect(waits.text).toContain('It starts afresh before it answers anything new.');
});

test('a flood of commands in one chat does not slow another', async () => {
  const flow = await startFamily();
  flow.wire(flow.agent, 'work');
  await flow.ask('work', 'hello');
  const event = { channelType: 'test', platformId: 'family', threadId: null, senderId: 'test:flood' as UserId };
  const flood = Array.from({ length: 2_000 }, () =>
    flow.host.receive({
      ...{ ...event, senderName: 'Flood', text: `/help ${'x'.repeat(60_000)}`, files: [], isMention: true },
      ...{ isPrivate: false, platformMessageId: null, replyToPlatformId: null, clientId: null, receivedAt: stampNow() },
    }),
  );
  const began = performance.now();
  expect((await flow.ask('work', 'time')).text).not.toBe('');
  const tookMs = performance.now() - began;
  const told = (await Promise.all(flood)).filter((outcome) => outcome.kind === 'dropped' && outcome.tell !== null);
  expect(told).toHaveLength(1);
  expect(tookMs).toBeLessThan(5_000);
});

interface Answered {
  status: number;
  // JSON of the API, looked at by each test.
  json: { id: string; text: string; items: { state: string }[] };
}

function call(socketPath: string, method: string, path: string, body?: object): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' };
    const sent = request({ socketPath, path, method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('end', () =>
        resolve({ status: response.statusCode ?? 0, json: JSON.parse(Buffer.concat(chunks).toString()) }),
      );
    });
    sent.once('error', reject).end(body === undefined ? undefined : JSON.stringify(body));
  });
}
