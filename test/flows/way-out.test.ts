/** The way out of a session: there while its container runs, and open as far as the rules of that moment say. */
import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer, request } from 'node:http';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Session } from '../../host/store/sessions.ts';
import type { UserId } from '../../shared/ids.ts';
import { sessionPaths } from '../../shared/session-files.ts';
import { portolan } from '../host/cli/support/run.ts';
import { FlowHost } from '../support/flow-host.ts';
import { logInto } from '../support/log-file.ts';
import { until } from '../support/until.ts';

const OWNER = 'web:owner' as UserId;

async function setUp(driver: 'process' | 'docker' = 'process', policy = {}): Promise<FlowHost> {
  // Every name leads to this machine, which rules of owners alone allow.
  const flow = await new FlowHost({ driver, ...policy }, { resolve: async () => ['127.0.0.1'] }).startForTest();
  flow.wire(flow.agent, 'family');
  return flow;
}

const socketOf = (flow: FlowHost, { agentGroupId, id }: Session) => sessionPaths(flow.home, agentGroupId, id).gateway;

async function start(flow: FlowHost): Promise<Session> {
  const session = await flow.say('family', 'help');
  await flow.next('family', 0);
  return session;
}

/** What the gateway answers to one request, as a program inside would send it. */
function ask(socketPath: string, path: string): Promise<number | string> {
  return new Promise((resolve) => {
    const call = request({ socketPath, path, headers: { host: '127.0.0.1:3128' } }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    call.on('error', (error) => resolve('code' in error ? String(error.code) : error.message));
    call.end();
  });
}

/** An open tunnel to a place outside, and what came through it. */
async function openTunnel(socketPath: string, place: string): Promise<{ socket: Socket; heard: () => string }> {
  const socket = connect(socketPath);
  let heard = '';
  socket.on('data', (chunk) => {
    heard += chunk.toString();
  });
  socket.on('error', () => undefined);
  onTestFinished(() => void socket.destroy());
  socket.write(`CONNECT ${place} HTTP/1.1\r\nHost: ${place}\r\n\r\n`);
  await until('an answer', () => heard.includes('\r\n\r\n'));
  expect(heard).toMatch(/^HTTP\/1\.1 200 /);
  return { socket, heard: () => heard };
}

async function listenEcho(): Promise<number> {
  const server = createServer((socket) => void socket.pipe(socket).on('error', () => undefined));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

async function listenHttp(): Promise<number> {
  const server = createHttpServer((_, response) => void response.end('hello'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

function allow(flow: FlowHost, port: number, host = 'echo.example.com') {
  const { accessRules } = flow.host.stores;
  return accessRules.add({
    ...{ agentGroupId: flow.agent.id, host, service: null, port, methods: null, pathPrefix: null, isPrivate: true },
    ...{ reason: null, approvalId: null, createdBy: OWNER, createdAt: Date.now() },
  }).rule;
}

test('is there while a container runs or is frozen, and gone with it', async () => {
  const flow = await setUp('process', { pauseAfterMs: 300 });
  const session = await start(flow);
  const socket = socketOf(flow, session);
  expect(statSync(socket).isSocket()).toBe(true);
  expect(await ask(socket, '/service/nowhere/')).toBe(403);
  await until('it is frozen', () => flow.state(session) === 'paused', 60_000);
  expect(await ask(socket, '/service/nowhere/')).toBe(403);
  await flow.host.stopContainers();
  await until('it is stopped', () => flow.state(session) === 'idle');
  expect(existsSync(socket)).toBe(false);
});

test('leads out of a real container, and is gone with it', async () => {
  const flow = await setUp('docker');
  const session = await start(flow);
  const socket = socketOf(flow, session);
  expect(await ask(socket, '/service/nowhere/')).toBe(403);
  await flow.host.stopContainers();
  await until('it is gone', () => !existsSync(socket));
});

test('comes back for the containers that a restarted host adopts', async () => {
  const flow = await setUp();
  const session = await start(flow);
  const socket = socketOf(flow, session);
  await flow.stop();
  expect(await ask(socket, '/service/nowhere/')).toMatch(/ENOENT|ECONNREFUSED/);
  // What a host leaves behind that was killed.
  writeFileSync(socket, '');
  await flow.start();
  await until('it is there again', async () => (await ask(socket, '/service/nowhere/')) === 403);
  expect(flow.state(session)).toBe('running');
});

test('is gone at once when the session is quarantined', async () => {
  const flow = await setUp();
  const [port, session] = [await listenEcho(), await start(flow)];
  allow(flow, port);
  const { socket } = await openTunnel(socketOf(flow, session), `echo.example.com:${port}`);
  flow.host.life.quarantine(session.id, 'a test');
  expect(existsSync(socketOf(flow, session))).toBe(false);
  await until('the tunnel is cut', () => socket.closed);
});

test('a start waits for it: one that cannot be opened is shown, and tried again', async () => {
  const flow = await setUp();
  const session = await start(flow);
  const socket = socketOf(flow, session);
  await flow.host.stopContainers();
  await until('it is stopped', () => !existsSync(socket));
  await flow.stop();
  mkdirSync(join(socket, 'in-the-way'), { recursive: true });
  await flow.start();
  const count = flow.seen('family').length;
  await flow.say('family', 'help');
  const shown = await until('it is shown', () => {
    const state = flow.host.life.liveState(flow.session(session.id));
    return state.reason !== null && state;
  });
  expect(shown).toMatchObject({ state: 'waiting', reason: expect.stringContaining('could not be opened') });
  rmSync(socket, { recursive: true });
  expect((await flow.next('family', count)).text).toContain('demo provider');
});

test('one that cannot be opened for a running container is tried once a second, however often its state changes', async () => {
  const flow = await setUp();
  const session = await start(flow);
  const socket = socketOf(flow, session);
  await flow.stop();
  rmSync(socket, { force: true });
  mkdirSync(join(socket, 'in-the-way'), { recursive: true });
  const readLog = logInto(join(flow.home, 'log'), 'warn');
  const tries = () =>
    readLog()
      .split('\n')
      .filter((line) => line.includes('the way out of a session cannot be opened now'))
      .map((line) => Date.parse((JSON.parse(line) as { time: string }).time));
  await flow.start();
  const before = await until('its container is adopted', () => tries().length || null);
  const changes = 50;
  for (let time = 0; time < changes; time++) flow.host.life.stateChanged(session.id, { kind: 'running' });
  const told = await until('each was tried at once', () =>
    tries().length >= before + changes ? tries().length : null,
  );
  // One more may have been under way.
  const [, first = 0, second = 0, third = 0] = await until('it is tried on', () =>
    tries().length >= told + 4 ? tries().slice(told) : null,
  );
  expect(second - first).toBeGreaterThan(900);
  expect(third - second).toBeGreaterThan(900);
  rmSync(socket, { recursive: true });
  await until('it is open', async () => (await ask(socket, '/service/nowhere/')) === 403);
});

test('a tunnel is cut when its rule goes, and no other', async () => {
  const flow = await setUp();
  const [kept, lost, session] = [await listenEcho(), await listenEcho(), await start(flow)];
  const socket = socketOf(flow, session);
  const rules = { kept: allow(flow, kept), lost: allow(flow, lost) };
  const tunnels = {
    kept: await openTunnel(socket, `echo.example.com:${kept}`),
    lost: await openTunnel(socket, `echo.example.com:${lost}`),
  };
  tunnels.lost.socket.write('ping');
  await until('it is echoed', () => tunnels.lost.heard().endsWith('ping'));
  expect(flow.host.access.remove(flow.agent.id, rules.lost.id, OWNER)).not.toBeNull();
  await until('it is cut', () => tunnels.lost.socket.closed);
  tunnels.kept.socket.write('still');
  await until('the other goes on', () => tunnels.kept.heard().endsWith('still'));
  expect(await ask(socket, `/https/echo.example.com:${lost}/`)).toBe(403);
});

test('what an admin allows holds at once, in the container that runs', async () => {
  const flow = await setUp();
  const [port, session] = [await listenHttp(), await start(flow)];
  const socket = socketOf(flow, session);
  const path = `http://shop.example.com:${port}/`;
  const askProxy = () =>
    new Promise<number>((resolve, reject) => {
      const headers = { host: `shop.example.com:${port}` };
      request({ socketPath: socket, path, headers }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      })
        .on('error', reject)
        .end();
    });
  expect(await askProxy()).toBe(403);
  const wish = { host: 'shop.example.com', service: null, port, methods: ['GET'], pathPrefix: null };
  const author = { by: OWNER, approvalId: null, reason: null };
  expect(flow.host.access.allow(flow.agent.id, wish, true, author).kind).toBe('allowed');
  expect(await askProxy()).toBe(200);
  expect(flow.host.life.liveState(flow.session(session.id)).state).toBe('running');
});

test('an agent in a container asks to be let out, and is, in the same container, once an admin approves', async () => {
  // Nothing of the test goes outside: the name that the rule lets through has no address.
  const flow = await new FlowHost({}, { resolve: async () => [] }).startForTest();
  flow.wire(flow.agent, 'family');
  const fetch = async () => (await flow.ask('family', 'fetch https://shop.example.com/')).text;
  expect(await fetch()).toContain('not_allowed');
  const asked = await flow.ask('family', 'ask for access to shop.example.com because people want to buy');
  const code = /the code is (\w{4})/.exec(asked.text)?.[1] ?? '';
  const approval = await until('an approval waits', () => flow.host.stores.approvals.list(1, null, 'pending')[0]);
  expect(approval).toMatchObject({ code, action: 'allow_access', reason: 'people want to buy' });
  const count = flow.seen('family').length;
  expect(await portolan(flow.host.paths, ['approvals', 'approve', code])).toMatchObject({ code: 0 });
  expect((await flow.next('family', count)).text).toContain('shop.example.com');
  expect(await fetch()).toContain('no_address');
  const [rule] = flow.host.access.list(flow.agent.id);
  expect(rule).toMatchObject({ host: 'shop.example.com', port: 443, approvalId: approval.id, isPrivate: false });
  const rows = await until('both are in the log', () => {
    const found = flow.host.stores.egressLog.page({ agentGroupId: flow.agent.id }, 10).toReversed();
    return found.length >= 2 && found;
  });
  expect(rows).toMatchObject([
    { host: 'shop.example.com', outcome: 'refused', reason: 'not_allowed', rule: null },
    { host: 'shop.example.com', reason: 'no_address', rule: rule?.id },
  ]);
  const [session] = flow.host.stores.sessions.listForAgent(flow.agent.id);
  expect(session?.epoch).toBe(1);
});
