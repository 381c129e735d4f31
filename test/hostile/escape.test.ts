/**
 * Ways out, tried from inside a real container with the real runner, by a program that an agent would write. The
 * program tries and tells (test/hostile/escape/); here each attempt has its expectation. What reaches the gateway is
 * in the log, and nothing that nobody allowed meets a byte.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer, type Server as HttpServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { EgressEntry } from '../../host/store/egress-log.ts';
import type { Session } from '../../host/store/sessions.ts';
import type { UserId } from '../../shared/ids.ts';
import { sessionPaths } from '../../shared/session-files.ts';
import { portolan } from '../host/cli/support/run.ts';
import { FlowHost } from '../support/flow-host.ts';
import { bundleProgram } from '../support/hosted/bundle.ts';
import { until } from '../support/until.ts';
import type { EscapeReport, EscapeTask } from './escape/main.ts';

const OWNER = 'web:owner' as UserId;
/** All attempts of one sort: on a busy machine 20 s were too few. Its container is not paused meanwhile. */
const TRY_MS = 120_000;
const VAULT_SECRET = 'sk-live-4f9a1c77d2e04b5c9a3e6f10';
/** Lies where it can be found: a search that finds nothing must be able to find. */
const DECOY = 'decoy-72b1c09e55d84f31';
const HOST_SECRET = 'host-environment-8d1f0b2c44aa';
/** Where nothing of a container may lead, by any spelling. */
const NO_WAY = /^(?:ENETUNREACH|EHOSTUNREACH|ENETDOWN|EADDRNOTAVAIL|EACCES|ECONNREFUSED)$/;

/** Where names lead: on every request anew, as the last of the list for ever. */
function makeNames(): { resolve: (host: string) => Promise<string[]>; asked: Map<string, number> } {
  const asked = new Map<string, number>();
  const answers: Record<string, string[][]> = {
    ...{ open: [['127.0.0.1']], tunnel: [['127.0.0.1']], limited: [['127.0.0.1']], inner: [['127.0.0.1']] },
    ...{ reflect: [['127.0.0.1']], 'deep.wild': [['127.0.0.1']], wild: [['127.0.0.1']], evilwild: [['127.0.0.1']] },
    ...{ loop: [['127.0.0.1']], twin: [['93.184.216.34', '127.0.0.1']] },
    rebind: [['93.184.216.34', '10.0.0.1'], ['127.0.0.1']],
    ...{ meta: [['169.254.169.254']], mapped: [['::ffff:169.254.169.254']], nat64: [['64:ff9b::a9fe:a9fe']] },
    ...{ 'six-to-four': [['2002:a9fe:a9fe::1']], 'aws-v6': [['fd00:ec2::254']], zero: [['0.0.0.0']] },
    ...{ 'link-local': [['fe80::1']], broadcast: [['255.255.255.255']] },
  };
  const resolve = async (host: string) => {
    const times = asked.get(host) ?? 0;
    asked.set(host, times + 1);
    const ways = answers[host.replace(/\.example\.com$/, '')] ?? [];
    return ways[Math.min(times, ways.length - 1)] ?? [];
  };
  return { resolve, asked };
}

/** Of a listening server. */
async function listen(server: Server | HttpServer, host = '127.0.0.1'): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  onTestFinished(() => {
    server.close();
    if ('closeAllConnections' in server) server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

/** What a server outside sees that a rule allows; it sends back what it was sent, in several ways. */
async function openPlaces() {
  const requests: IncomingMessage[] = [];
  const inner: string[] = [];
  const open = createHttpServer((request, response) => {
    requests.push(request);
    request.resume();
    const said = JSON.stringify(request.headers);
    const path = (request.url ?? '').split('?')[0];
    if (path === '/redirect') return void response.writeHead(302, { location: 'http://inner.example.com/' }).end();
    if (path === '/echo/echo-base64') return void response.end(Buffer.from(said).toString('base64'));
    if (path === '/echo/echo-header') {
      return void response.writeHead(200, { 'x-said': request.headers.authorization ?? '' }).end();
    }
    if (path === '/echo/echo-slowly') {
      // Cut where a secret lies, so that no chunk holds it whole.
      const half = Math.floor(said.indexOf(VAULT_SECRET) + VAULT_SECRET.length / 2);
      response.write(said.slice(0, half));
      return void setTimeout(() => response.end(said.slice(half)), 50);
    }
    response.end(said);
  });
  const tunnel = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => socket.write(`tunnel: ${chunk.toString('latin1')}`));
  });
  const hidden = createServer((socket) => {
    inner.push('connected');
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => inner.push(chunk.toString('latin1')));
  });
  const ports = { open: await listen(open), tunnel: await listen(tunnel), inner: await listen(hidden, '0.0.0.0') };
  return { requests, inner, ports };
}

interface World {
  flow: FlowHost;
  session: Session;
  places: Awaited<ReturnType<typeof openPlaces>>;
  asked: Map<string, number>;
  /** Has the agent's program try, and returns what came of it. */
  breakOut: (sort: string) => Promise<EscapeReport>;
  /** Of this session, oldest first. */
  rows: () => EgressEntry[];
}

async function setUp(): Promise<World> {
  process.env.PORTOLAN_TEST_SECRET = HOST_SECRET;
  onTestFinished(() => void delete process.env.PORTOLAN_TEST_SECRET);
  const places = await openPlaces();
  const { resolve, asked } = makeNames();
  const flow = await new FlowHost({ pauseAfterMs: 2 * TRY_MS }, { resolve }).startForTest();
  flow.wire(flow.agent, 'attacker');
  const honest = flow.host.stores.agents.create({
    ...{ name: 'honest', folder: 'honest', provider: 'demo', timezone: 'UTC', now: Date.now() },
  });
  flow.wire(honest, 'honest');
  allowPlaces(flow, places.ports);
  await giveSecret(flow, places.ports.open);
  const foreign = await flow.say('honest', 'help');
  const session = await flow.say('attacker', 'help');
  await flow.next('honest', 0);
  await flow.next('attacker', 0);
  const task = describeTask(flow, foreign, places.ports);
  const folder = join(flow.home, 'groups', flow.agent.folder);
  copyFileSync(await bundleProgram('test/hostile/escape/main.ts'), join(folder, 'escape.mjs'));
  writeFileSync(join(folder, 'decoy.txt'), DECOY, { mode: 0o644 });
  writeFileSync(join(folder, 'task.json'), JSON.stringify(task), { mode: 0o644 });
  const breakOut = async (sort: string) => {
    const reply = await flow.ask('attacker', `run node escape.mjs ${sort}`);
    expect(reply.text).toContain(`tries: ${sort}`);
    const report = join(folder, 'report.json');
    await until('it has tried all', () => existsSync(report), TRY_MS);
    return JSON.parse(readFileSync(report, 'utf8')) as EscapeReport;
  };
  const rows = () => flow.host.stores.egressLog.page({ sessionId: session.id }, 5_000).toReversed();
  return { flow, session, places, asked, breakOut, rows };
}

function allowPlaces(flow: FlowHost, ports: World['places']['ports']): void {
  const add = (host: string | null, port: number | null, more: object = {}) =>
    flow.host.stores.accessRules.add({
      ...{ agentGroupId: flow.agent.id, host, service: null, port, methods: null, pathPrefix: null, isPrivate: true },
      ...{ reason: null, approvalId: null, createdBy: OWNER, createdAt: Date.now(), ...more },
    });
  add('open.example.com', ports.open);
  add('limited.example.com', ports.open, { methods: ['GET'], pathPrefix: '/v1' });
  add('tunnel.example.com', ports.tunnel);
  add('*.wild.example.com', ports.open);
  add('nowhere.example.com', ports.open);
  // Allowed by name, and not as private: where they lead is looked at.
  for (const name of ['loop', 'twin', 'rebind']) add(`${name}.example.com`, ports.inner, { isPrivate: false });
  // Allowed as private: metadata and what is reserved stay out of reach all the same.
  for (const name of ['meta', 'mapped', 'nat64', 'six-to-four', 'aws-v6', 'zero', 'link-local', 'broadcast']) {
    add(`${name}.example.com`, 80);
  }
  add(null, null, { service: 'reflector' });
}

/** A service whose server sends back all that it is sent. */
async function giveSecret(flow: FlowHost, port: number): Promise<void> {
  const url = `http://reflect.example.com:${port}/echo`;
  const paths = flow.host.paths;
  const added = await portolan(paths, [
    ...['services', 'add', 'reflector', '--url', url, '--private', '--header', 'Authorization: Bearer {}'],
  ]);
  expect(added).toMatchObject({ code: 0 });
  expect(await portolan(paths, ['secrets', 'set', 'reflector'], { stdin: VAULT_SECRET })).toMatchObject({ code: 0 });
}

function describeTask(flow: FlowHost, foreign: Session, ports: World['places']['ports']): EscapeTask {
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  const token = readFileSync(flow.host.paths.apiToken, 'utf8').trim();
  const [message] = flow.host.stores.transcript.listForSession(foreign, { limit: 1 });
  return {
    ...{ innerPort: ports.inner, openPort: ports.open, tunnelPort: ports.tunnel, apiPort: flow.host.port ?? 0 },
    hostAddresses: addresses.filter(({ family, internal }) => family === 'IPv4' && !internal).map((one) => one.address),
    foreignSession: sessionPaths(flow.home, foreign.agentGroupId, foreign.id).root,
    foreignMessage: message?.id ?? '',
    home: flow.home,
    secrets: [VAULT_SECRET, HOST_SECRET, token, DECOY].map((secret) => [...secret].reverse().join('')),
  };
}

const REFUSED = '403 not_allowed';
const BAD = '400 bad_request';

test('there is no way out beside the gateway: no route, no name, no raw socket', { timeout: 240_000 }, async () => {
  const { breakOut, places, rows } = await setUp();
  const { interfaces, routes, ...seen } = await breakOut('sockets');
  expect(interfaces).toEqual(['lo']);
  expect(routes).toEqual([]);
  const { getaddrinfo, 'resolver of its own': own, 'resolver of docker': docker, 'raw sockets': raw, ...more } = seen;
  expect(getaddrinfo).toMatch(/EAI_AGAIN|ENOTFOUND/);
  for (const resolver of [own, docker]) expect(resolver).toMatch(/ECONNREFUSED|ETIMEOUT|ENETUNREACH/);
  // EPERM for a raw one; EACCES or ENETUNREACH for what ping uses.
  expect(raw).toMatch(/^1 (?:13|101)$/);
  const { 'new network': network, ...sockets } = more;
  expect(network).toBe('no');
  for (const [name, word] of Object.entries(sockets))
    expect([name, word]).toEqual([name, expect.stringMatching(NO_WAY)]);
  expect(places.inner).toEqual([]);
  expect(rows()).toEqual([]);
});

test('no other socket can be reached, and its own cannot be put elsewhere', { timeout: 240_000 }, async () => {
  const { flow, session, breakOut } = await setUp();
  const seen = await breakOut('foreign-sockets');
  expect(seen).toEqual({
    own: 'connected',
    'by path': 'ENOENT',
    'by climbing': 'ENOENT',
    'through init': expect.stringMatching(/ENOENT|EACCES/),
    'through every process': [],
    'the api': 'ENOENT',
    'the engine': 'ENOENT',
    abstract: [],
    'abstract shim': 'ECONNREFUSED',
    'takes its own away': 'EROFS',
    'renames its own': 'EROFS',
    'links its own': expect.stringMatching(/EXDEV|EROFS|EPERM/),
    'listens in its place': expect.stringMatching(/EROFS|EACCES/),
    'says that it is another': [REFUSED],
    'leaves sockets for the host': 'left',
  });
  // What it left is no file of the host's, and stops nothing: neither work nor measuring nor an end.
  expect((await flow.ask('attacker', 'help')).text).toContain('demo provider');
  expect(flow.state(session)).toBe('running');
});

test('nothing is reached by another spelling, another port, another host header or another request inside', {
  timeout: 240_000,
}, async () => {
  const { breakOut, places, rows, asked, flow } = await setUp();
  const seen = await breakOut('gateway');

  for (const [name, words] of Object.entries(seen).filter(([each]) => each.startsWith('metadata '))) {
    for (const word of words as string[])
      expect([name, word]).toEqual([name, expect.stringMatching(/^(?:403 not_allowed|400)/)]);
  }
  for (const [name, words] of Object.entries(seen).filter(([each]) => /^(?:inner|api) at /.test(each))) {
    for (const word of words as string[])
      expect([name, word]).toEqual([name, expect.stringMatching(/^(?:403 not_allowed|400)/)]);
  }
  expect(seen).toMatchObject({
    'leads to meta': '403 private_address',
    'leads to mapped': '403 private_address',
    'leads to nat64': '403 private_address',
    'leads to six-to-four': '403 private_address',
    'leads to aws-v6': '403 private_address',
    'leads to zero': '403 private_address',
    'leads to link-local': '403 private_address',
    'leads to broadcast': '403 private_address',
    'leads to loopback': '403 private_address',
    'leads to both': '403 private_address',
    rebinds: ['403 private_address', '403 private_address'],
    'a name without an address': '502 no_address',
    'is redirected': '302',
    'follows the redirect': REFUSED,
  });
  expect(seen).toMatchObject({
    'cl.te': [expect.stringMatching(/^400/)],
    'te.te': [expect.stringMatching(/^400/)],
    'two lengths': [expect.stringMatching(/^400/)],
    'bare line feeds': [expect.stringMatching(/^400/)],
    'a line break in the path': [expect.stringMatching(/^400/)],
    'a folded header': [expect.stringMatching(/^400/)],
    pipelined: ['200', REFUSED],
    'behind a body': ['200', REFUSED],
    upgrade: [BAD],
    trace: [BAD],
  });
  expect(seen).toMatchObject({
    'another host header': BAD,
    'two host headers': expect.stringMatching(/^400/),
    'a host header at the base url': BAD,
    'a user name': BAD,
    'a user name and a port': BAD,
    'a fragment': BAD,
    'a backslash': BAD,
    'an encoded host': BAD,
    'an encoded dot': BAD,
    'a tab': expect.stringMatching(/^400/),
    'another scheme': BAD,
    'a file': BAD,
    'no host at all': BAD,
    'a trailing dot': REFUSED,
    'a longer name': REFUSED,
    'forwarded headers': '200',
  });
  expect(seen).toMatchObject({
    'an allowed tunnel': ['200'],
    'another name inside it': 'told to the tunnel’s server',
    'bytes before the tunnel is open': [BAD],
    'another port': [REFUSED],
    'no port': [BAD],
    'port 0': [BAD],
    'a port that wraps': [BAD],
    'a tunnel to a limited place': [REFUSED],
    'a tunnel with another host header': [BAD],
    'a tunnel to the gateway itself': [REFUSED],
  });
  expect(seen).toMatchObject({
    'below the path': '200',
    'beside the path': REFUSED,
    'above the path': BAD,
    'above, encoded': BAD,
    'above, encoded twice': BAD,
    'above, with a backslash': expect.stringMatching(/^400/),
    'above, with parameters': BAD,
    'another method': REFUSED,
    'a method in lower case': expect.stringMatching(/^(?:400|403)/),
    'a service that was not given': '403 unknown_service',
    'above a service': BAD,
    'a model of another agent': '403 unknown_service',
    'a service as a model': '403 unknown_service',
    'below a wildcard': '200',
    'the wildcard itself': REFUSED,
    'beside the wildcard': REFUSED,
  });

  expect(places.inner).toEqual([]);
  // What is allowed was asked by the name of its rule, without what came from inside.
  const hosts = new Set(places.requests.map(({ headers }) => headers.host?.split(':')[0]));
  expect([...hosts].sort()).toEqual(['deep.wild.example.com', 'limited.example.com', 'open.example.com']);
  const forwarded = places.requests.find(({ url }) => url === '/forwarded')?.headers ?? {};
  expect(Object.keys(forwarded).filter((name) => /^(?:authorization|proxy|cookie|x-api-key)/.test(name))).toEqual([]);
  expect(JSON.stringify(forwarded)).not.toContain('of-the-agent');
  // A name is looked up once for each request that its rule lets through.
  expect(asked.get('rebind.example.com')).toBe(2);
  expect(asked.get('inner.example.com')).toBeUndefined();

  await expectLogged(rows, flow);
});

/** Each attempt that a request can be made of is in the log, by the place that it named, as what it came to. */
async function expectLogged(rows: () => EgressEntry[], flow: FlowHost): Promise<void> {
  const isLogged = (host: string, outcome: string, reason: string | null) =>
    rows().some((row) => row.host === host && row.outcome === outcome && row.reason === reason);
  await until('the last is written', () => isLogged('evilwild.example.com', 'refused', 'not_allowed'));
  for (const host of ['169.254.169.254', '127.0.0.1', 'inner.example.com', 'metadata.google.internal', 'localhost']) {
    expect([host, isLogged(host, 'refused', 'not_allowed')]).toEqual([host, true]);
  }
  for (const name of ['meta', 'mapped', 'nat64', 'six-to-four', 'zero', 'loop', 'twin', 'rebind']) {
    expect([name, isLogged(`${name}.example.com`, 'refused', 'private_address')]).toEqual([name, true]);
  }
  expect(rows().filter(({ reason }) => reason === 'bad_request').length).toBeGreaterThan(0);
  expect(rows().filter(({ kind, outcome }) => kind === 'connect' && outcome === 'allowed')).toMatchObject([
    { host: 'tunnel.example.com', address: '127.0.0.1' },
  ]);
  const text = JSON.stringify(flow.host.stores.egressLog.page({}, 5_000));
  for (const hidden of ['of-the-agent', 'c2VjcmV0', 'hello to', VAULT_SECRET]) expect(text).not.toContain(hidden);
}

test('no credential is in there: not in the environment, files, processes, answers or echoes', {
  timeout: 240_000,
}, async () => {
  const { flow, session, places, breakOut } = await setUp();
  expect(await breakOut('secrets')).toEqual({
    environment: [],
    'names in the environment': [],
    'environments of processes': [],
    'arguments of processes': [],
    'memory of processes': [],
    files: ['/workspace/agent/decoy.txt'],
    echoed: ['200'],
    'echoed in base64': ['200'],
    'echoed in a header': ['200'],
    'echoed by halves': ['200'],
    'asked for compressed': ['200'],
    'asked for a part': ['200'],
    'on behalf of another': ['200'],
    refused: ['403 unknown_service'],
  });
  // It was really there to be found.
  const sent = places.requests.filter(({ headers }) => headers.authorization === `Bearer ${VAULT_SECRET}`);
  expect(sent).toHaveLength(7);
  const { root } = sessionPaths(flow.home, session.agentGroupId, session.id);
  for (const folder of [root, flow.host.paths.home]) {
    const { stdout } = spawnSync('grep', ['-rl', '-e', VAULT_SECRET, '-e', HOST_SECRET, folder], { encoding: 'utf8' });
    expect([folder, stdout]).toEqual([folder, '']);
  }
});

test('Cost and growth: floods of requests and connections fill neither log nor host, and the door opens again', {
  timeout: 240_000,
}, async () => {
  const { flow, session, breakOut, rows } = await setUp();
  // Of this process, which is the host.
  const openFiles = () => readdirSync('/proc/self/fd').length;
  const before = openFiles();
  const answering = flow.ask('honest', 'help');
  const seen = await breakOut('floods');
  expect((await answering).text).toContain('demo provider');
  const {
    refused,
    held,
    'an endless head': head,
    after,
  } = seen as {
    refused: Record<string, number>;
    held: number;
    'an endless head': string[];
    after: string;
  };
  expect(Object.keys(refused).filter((word) => !/^(?:403 not_allowed|429 too_many|cut)$/.test(word))).toEqual([]);
  expect(refused['403 not_allowed']).toBeGreaterThan(0);
  expect(held).toBeLessThanOrEqual(256);
  // 502: after the flood before it, the door is still shut for a moment.
  expect(head.filter((word) => !/^(?:4\d\d|502)\b/.test(word))).toEqual([]);
  expect(after).toBe('200');
  // What it wrote there by names is bounded, and what else it did is still to be read.
  await until('the last is written', () => rows().some(({ path }) => path === '/after'));
  const told = rows().filter(({ host }) => host.includes('exfiltrate'));
  expect(told.length).toBeLessThanOrEqual(200);
  expect(rows().length).toBeLessThan(400);
  await until('the host lets go of them', () => openFiles() < before + 50);
  expect(flow.state(session)).toBe('running');
  expect((await flow.ask('honest', 'help')).text).toContain('demo provider');
});
