/** The gateway's own TLS: who is believed, by which name, at which address, and what has left until then. */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import http, { type RequestListener } from 'node:http';
import https from 'node:https';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { createServer as createTlsServer, rootCertificates, type TLSSocket, type TlsOptions } from 'node:tls';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { listBelieved } from '../../../host/egress/trust.ts';
import { REFUSAL_HEADER } from '../../../shared/gateway.ts';
import { makeAuthority, makeSelfSigned } from '../../support/certificates.ts';
import { bundleProgram } from '../../support/hosted/bundle.ts';
import { makeTempHome } from '../../support/temp-home.ts';
import { until } from '../../support/until.ts';
import { openWayOut, refusalOf, SECRET } from './way-out.ts';

const NAME = 'api.example.test';
const DAY_MS = 24 * 3_600_000;
const authority = makeAuthority('Authority of the test');
const stranger = makeAuthority('Authority that nobody believes');

async function listen(server: https.Server | ReturnType<typeof createTlsServer>): Promise<number> {
  const sockets = new Set<TLSSocket>();
  server.on('secureConnection', (socket: TLSSocket) => sockets.add(socket));
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** An HTTPS server at 127.0.0.1, and the names that it was called by. */
async function outsideTls(listener: RequestListener, options: TlsOptions = authority.issue([NAME])) {
  const connections: string[] = [];
  const server = https.createServer(options, listener);
  server.on('secureConnection', (socket: TLSSocket) => connections.push(String(socket.servername)));
  return { port: await listen(server), connections };
}

/** A server that answers whatever it is told, and everything that it was told. */
async function listener(options: TlsOptions) {
  let heard = '';
  const server = createTlsServer(options, (socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      heard += chunk.toString('latin1');
      socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
    });
  });
  return { port: await listen(server), heard: () => heard };
}

async function withService(port: number, { ca = authority.cert, host = NAME }: { ca?: string; host?: string } = {}) {
  const way = await openWayOut({ ca });
  way.names.set(host, ['127.0.0.1']);
  const input = { name: 'own', api: null, header: 'Authorization: Bearer {}', isPrivate: true };
  expect(way.services.add({ ...input, url: `https://${host}:${port}/v1` }, 'web:owner')).not.toHaveProperty('code');
  way.allow({ service: 'own' });
  return way;
}

describe('a service over TLS', () => {
  test('gets its credential, by its name, at the address that was checked', async () => {
    const seen: { authorization: string | undefined; host: string | undefined; url: string | undefined }[] = [];
    const { port, connections } = await outsideTls(({ headers: { authorization, host }, url }, response) => {
      seen.push({ authorization, host, url });
      response.end(`you sent ${authorization}`);
    });
    const way = await withService(port);
    for (const path of ['/one', '/two']) {
      const answer = await way.call(`/service/own${path}`);
      expect(answer).toMatchObject({ status: 200, isWhole: true });
      expect(answer.body).toBe(`you sent ${'*'.repeat(SECRET.length + 7)}`);
    }
    const told = { authorization: `Bearer ${SECRET}`, host: `${NAME}:${port}` };
    expect(seen).toEqual([
      { ...told, url: '/v1/one' },
      { ...told, url: '/v1/two' },
    ]);
    // No other resolver knows the name: it was connected to where the gateway had looked, once, and kept.
    expect(way.asked).toEqual([NAME, NAME]);
    expect(connections).toEqual([NAME]);
    expect((await way.rows(2)).map(({ kind, host, address, outcome }) => [kind, host, address, outcome])).toEqual([
      ['service', NAME, '127.0.0.1', 'allowed'],
      ['service', NAME, '127.0.0.1', 'allowed'],
    ]);
  });

  test('whose name leads elsewhere by now is asked for its certificate there', async () => {
    const first = await outsideTls((_, response) => response.end('the first'));
    const way = await withService(first.port);
    expect((await way.call('/service/own/')).body).toBe('the first');
    const other = https.createServer(stranger.issue([NAME]), (_, response) => response.end('another'));
    await new Promise<void>((resolve) => other.listen(first.port, '127.0.0.2', resolve));
    onTestFinished(() => {
      other.close();
    });
    way.names.set(NAME, ['127.0.0.2']);
    const answer = await way.call('/service/own/');
    expect(answer.status).toBe(502);
    expect(refusalOf(answer).error.message).toContain('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
  });

  test('at an address needs a certificate for the address', async () => {
    const right = await outsideTls((_, response) => response.end('ok'), authority.issue(['127.0.0.1']));
    const way = await withService(right.port, { host: '127.0.0.1' });
    expect((await way.call('/service/own/')).body).toBe('ok');
    expect(right.connections).toEqual(['false']);
    const wrong = await outsideTls((_, response) => response.end('ok'));
    const other = await withService(wrong.port, { host: '127.0.0.1' });
    expect(refusalOf(await other.call('/service/own/')).error.message).toContain('ERR_TLS_CERT_ALTNAME_INVALID');
  });

  const past = { from: new Date(Date.now() - 9 * DAY_MS), until: new Date(Date.now() - DAY_MS) };
  const future = { from: new Date(Date.now() + DAY_MS), until: new Date(Date.now() + 9 * DAY_MS) };
  const wrongs: [what: string, server: TlsOptions, reason: string][] = [
    ['for another name', authority.issue(['evil.test']), 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['for the names below its own', authority.issue([`*.${NAME}`]), 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['for its address alone', authority.issue(['127.0.0.1']), 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['that has expired', authority.issue([NAME], past), 'CERT_HAS_EXPIRED'],
    ['of the future', authority.issue([NAME], future), 'CERT_NOT_YET_VALID'],
    ['that it signed itself', makeSelfSigned([NAME]), 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    ['of an authority that nobody believes', stranger.issue([NAME]), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    ['whose chain ends at such an authority', chainOf(stranger.issue([NAME])), 'SELF_SIGNED_CERT_IN_CHAIN'],
    [
      'of an authority of the same name',
      makeAuthority('Authority of the test').issue([NAME]),
      'CERT_SIGNATURE_FAILURE',
    ],
  ];

  function chainOf({ cert, key }: { cert: string; key: string }): TlsOptions {
    return { key, cert: cert + stranger.cert };
  }

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    test.each(wrongs)(`with a certificate %s is refused, and hears nothing (${version})`, async (_, server, reason) => {
      const { port, heard } = await listener({ ...server, minVersion: version, maxVersion: version });
      const way = await withService(port);
      const answers = [
        await way.call('/service/own/me'),
        await way.call('/service/own/me', { method: 'POST', body: `what the body says ${'x'.repeat(100_000)}` }),
      ];
      for (const answer of answers) {
        expect(answer).toMatchObject({ status: 502, headers: { [REFUSAL_HEADER]: 'unreachable' } });
        const { message } = refusalOf(answer).error;
        expect(message).toBe(`${NAME}:${port} cannot be trusted: its TLS or certificate is wrong (${reason}).`);
        expect(JSON.stringify(answer)).not.toContain(SECRET);
      }
      const [row] = await way.rows(2);
      expect(row).toMatchObject({ outcome: 'failed', reason: 'unreachable', status: 502, address: null });
      expect(heard()).toBe('');
    });
  }

  test('is not believed because the host was started with NODE_TLS_REJECT_UNAUTHORIZED=0', async () => {
    const before = process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    onTestFinished(() => {
      if (before === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
      else process.env.NODE_TLS_REJECT_UNAUTHORIZED = before;
    });
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
    const { port, heard } = await listener(makeSelfSigned([NAME]));
    const way = await withService(port);
    expect(refusalOf(await way.call('/service/own/me')).error.message).toContain('DEPTH_ZERO_SELF_SIGNED_CERT');
    expect(heard()).toBe('');
  });

  test('that speaks no TLS, or an old one, or ends in the middle of it, is refused and told nothing', async () => {
    const told: string[] = [];
    const servers = {
      plain: createTcpServer((socket) => socket.on('error', () => undefined).end('HTTP/1.1 200 OK\r\n\r\n')),
      ending: createTcpServer((socket) => socket.on('error', () => undefined).once('data', () => socket.end())),
    };
    for (const server of Object.values(servers)) {
      server.on('connection', (socket) => socket.on('data', (chunk: Buffer) => told.push(chunk.toString('latin1'))));
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      onTestFinished(() => {
        server.close();
      });
      const way = await withService((server.address() as AddressInfo).port);
      expect(refusalOf(await way.call('/service/own/me')).error.type).toBe('unreachable');
    }
    const old = { ...authority.issue([NAME]), minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' };
    const { port, heard } = await listener(old as TlsOptions);
    const way = await withService(port);
    expect(refusalOf(await way.call('/service/own/me')).error.message).toMatch(
      /cannot be trusted: .*\((EPROTO|ERR_SSL)/,
    );
    expect(told.length).toBeGreaterThan(0);
    expect(told.join('') + heard()).not.toContain(SECRET);
  });

  test('is a model that was never called, when it cannot be believed', async () => {
    const { port, heard } = await listener(makeSelfSigned([NAME]));
    const way = await openWayOut({ ca: authority.cert });
    way.names.set(NAME, ['127.0.0.1']);
    const url = `https://${NAME}:${port}/v1`;
    way.services.add({ name: 'own', url, api: 'openai', header: null, isPrivate: true }, 'web:owner');
    way.db.prepare("UPDATE container_configs SET service = 'own'").run();
    const answer = await way.call('/model/own/chat/completions', { method: 'POST', body: '{"model":"x"}' });
    expect(refusalOf(answer).error.type).toBe('unreachable');
    expect(way.model.ends).toEqual(['unsent']);
    expect(heard()).toBe('');
  });
});

test('/https/<host>/ is held to its rule, carries no credential, and streams both ways', async () => {
  let url = '';
  const { port, connections } = await outsideTls((request, response) => {
    url = `${request.method} ${request.url} ${request.headers.authorization}`;
    response.write('first');
    request.on('data', (chunk: Buffer) => response.write(`got ${chunk}`));
    request.on('end', () => response.end());
  });
  const way = await openWayOut({ ca: authority.cert });
  way.names.set(NAME, ['127.0.0.1']);
  way.allow({ host: NAME, port, isPrivate: true, methods: ['POST'], pathPrefix: '/v1' });
  expect((await way.call(`/https/${NAME}:${port}/v2`, { method: 'POST' })).status).toBe(403);
  expect((await way.call(`/https/${NAME}:${port}/v1`)).status).toBe(403);
  expect(connections).toEqual([]);
  const request = http.request({
    ...{ socketPath: way.socketPath, path: `/https/${NAME}:${port}/v1/x?y=1`, method: 'POST' },
    headers: { authorization: 'Bearer mine' },
  });
  let seen = '';
  request.on('response', (answer) => answer.on('data', (chunk: Buffer) => (seen += chunk.toString())));
  request.flushHeaders();
  await until('the first bytes of the answer', () => seen === 'first');
  request.write('one');
  await until('the first bytes of the body', () => seen === 'firstgot one');
  request.end('two');
  await until('the rest', () => seen === 'firstgot onegot two');
  expect([url, connections]).toEqual(['POST /v1/x?y=1 undefined', [NAME]]);
  expect((await way.rows(3))[2]).toMatchObject({ kind: 'https', bytesOut: 6, bytesIn: 19, address: '127.0.0.1' });
});

describe('who is believed', () => {
  test('is not replaced by what is added: the system’s certificates stay', () => {
    const added = listBelieved(authority.cert, '');
    expect(added).toEqual([...rootCertificates, authority.cert]);
    expect(listBelieved(authority.cert, '/nowhere/at-all.pem')).toEqual(added);
  });

  test('says the environment that the host was started with, with certificates added and without', async () => {
    const { home } = makeTempHome();
    const file = join(home, 'extra.pem');
    writeFileSync(file, `${makeSelfSigned(['unrelated.test']).cert}${stranger.cert}`);
    // A process of its own: Node reads what it believes once, when it starts.
    const program = await bundleProgram('test/support/hosted/ask-over-tls.ts');
    const [own, extra] = [authority, stranger].map((one) => outsideTls((_, answer) => answer.end(), one.issue([NAME])));
    const ports = (await Promise.all([own, extra])).map((one) => String(one?.port));
    const ask = async (env: NodeJS.ProcessEnv, ca: string) => {
      const args = [program, NAME, ca, ...ports];
      return JSON.parse((await promisify(execFile)(process.execPath, args, { env })).stdout) as unknown;
    };
    const unknown = 'UNABLE_TO_VERIFY_LEAF_SIGNATURE';
    expect(await ask({}, '')).toEqual([unknown, unknown]);
    expect(await ask({ NODE_EXTRA_CA_CERTS: file }, '')).toEqual([unknown, 200]);
    expect(await ask({}, authority.cert)).toEqual([200, unknown]);
    expect(await ask({ NODE_EXTRA_CA_CERTS: file }, authority.cert)).toEqual([200, 200]);
  });
});
