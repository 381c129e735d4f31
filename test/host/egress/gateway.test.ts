import { existsSync, readdirSync, statSync } from 'node:fs';
import http from 'node:http';
import { connect } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Credential } from '../../../host/egress/credentials.ts';
import { REFUSAL_HEADER } from '../../../shared/gateway.ts';
import { makeId } from '../../../shared/ids.ts';
import { until } from '../../support/until.ts';
import { call, openWayOut, outside, outsideTcp, raw, refusalOf, SECRET } from './way-out.ts';

/** Holds back an answer until it is opened. */
function gate<T>() {
  const waiting: ((answer: T) => void)[] = [];
  return {
    wait: () => new Promise<T>((settle) => waiting.push(settle)),
    get waiting() {
      return waiting.length;
    },
    open: (answer: T) => {
      for (const settle of waiting) settle(answer);
    },
  };
}

describe('a request', () => {
  test('goes nowhere without a rule, and is told how to ask', async () => {
    const way = await openWayOut();
    way.names.set('api.example.com', ['93.184.216.34']);
    const answer = await way.call('http://api.example.com/x?secret=1', { headers: { host: 'api.example.com' } });
    expect(answer.status).toBe(403);
    expect(answer.headers[REFUSAL_HEADER]).toBe('not_allowed');
    expect(refusalOf(answer).next).toBe('call request_access {"host": "api.example.com", "port": 80, "reason": "…"}');
    expect(way.asked).toEqual([]);
    const [row] = await way.rows(1);
    expect(row).toMatchObject({ kind: 'http', host: 'api.example.com', port: 80, path: '/x', outcome: 'refused' });
  });

  test('goes where a rule leads, by the name that it has, to the address that was checked', async () => {
    const seen: http.IncomingMessage[] = [];
    const { port } = await outside((request, response) => {
      seen.push(request);
      response.setHeader('set-cookie', 'a=b');
      response.end('hello');
    });
    const way = await openWayOut();
    way.names.set('api.example.com', ['127.0.0.1']);
    const rule = way.allow({ host: 'api.example.com', port, isPrivate: true });
    const answer = await way.call(`http://API.example.com.:${port}/x?y=1`, {
      headers: { host: `api.example.com:${port}` },
    });
    expect(answer).toMatchObject({ status: 200, body: 'hello', isWhole: true });
    expect(answer.headers['set-cookie']).toEqual(['a=b']);
    expect(seen[0]?.url).toBe('/x?y=1');
    expect(seen[0]?.headers.host).toBe(`api.example.com:${port}`);
    const [row] = await way.rows(1);
    expect(row).toMatchObject({
      ...{ host: 'api.example.com', port, path: '/x', address: '127.0.0.1', outcome: 'allowed', status: 200 },
      ...{ rule: rule.id, bytesIn: 5, bytesOut: 0, reason: null, method: 'GET' },
    });
  });

  test('over TLS is checked by the name, and a wrong certificate is named', async () => {
    const { port } = await outsideTcp((socket) => socket.end('this is no TLS'));
    const way = await openWayOut();
    way.names.set('api.example.com', ['127.0.0.1']);
    way.allow({ host: 'api.example.com', port, isPrivate: true, methods: ['GET'], pathPrefix: '/v1' });
    const answer = await way.call(`/https/api.example.com:${port}/v1/x`);
    expect(answer.status).toBe(502);
    expect(refusalOf(answer).error.message).toContain('cannot be trusted');
    expect((await way.rows(1))[0]).toMatchObject({ kind: 'https', outcome: 'failed', reason: 'unreachable' });
  });

  test('of a rule with methods and a path is held to both', async () => {
    const { port } = await outside((_, response) => response.end('ok'));
    const way = await openWayOut();
    way.names.set('a.test', ['127.0.0.1']);
    way.allow({ host: 'a.test', port, isPrivate: true, methods: ['GET'], pathPrefix: '/v1' });
    const get = (path: string, method = 'GET') =>
      way.call(`http://a.test:${port}${path}`, { method, headers: { host: `a.test:${port}` } });
    expect((await get('/v1')).status).toBe(200);
    expect((await get('/v1/x?y')).status).toBe(200);
    expect((await get('/v10')).status).toBe(403);
    expect((await get('/v1/x', 'POST')).status).toBe(403);
    for (const path of [
      '/v1/../x',
      '/v1/%2e%2e/x',
      '/v1/..%2fx',
      '/v1/%2E./x',
      '/v1/..;/x',
      '/v1//x',
      '/v1/%252e%252e/x',
    ]) {
      expect((await get(path)).status, path).toBe(400);
    }
    const tunnel = await way.raw(`CONNECT a.test:${port} HTTP/1.1\r\nhost: a.test:${port}\r\n\r\n`);
    expect(tunnel).toContain('403 Forbidden');
    expect(tunnel).toContain(`/https/a.test:${port}/`);
  });

  test('keeps a redirect for the program to judge, and follows none', async () => {
    const { port } = await outside((_, response) => {
      response.writeHead(302, { location: 'http://169.254.169.254/latest' });
      response.end();
    });
    const way = await openWayOut();
    way.names.set('a.test', ['127.0.0.1']);
    way.allow({ host: 'a.test', port, isPrivate: true });
    const answer = await way.call(`http://a.test:${port}/`, { headers: { host: `a.test:${port}` } });
    expect(answer).toMatchObject({ status: 302, headers: { location: 'http://169.254.169.254/latest' } });
    const next = await way.call('http://169.254.169.254/latest', { headers: { host: '169.254.169.254' } });
    expect(next.status).toBe(403);
  });

  test('is streamed both ways without being held back', async () => {
    let toServer = '';
    const { port } = await outside((request, response) => {
      response.write('first');
      request.on('data', (chunk: Buffer) => {
        toServer += chunk.toString();
        response.write(`got ${chunk}`);
      });
      request.on('end', () => response.end());
    });
    const way = await openWayOut();
    way.allow({ host: '127.0.0.1', port, isPrivate: true });
    const request = http.request({
      ...{ socketPath: way.socketPath, path: `http://127.0.0.1:${port}/`, method: 'POST' },
      headers: { host: `127.0.0.1:${port}` },
    });
    let seen = '';
    request.on('response', (answer) => answer.on('data', (chunk: Buffer) => (seen += chunk.toString())));
    request.flushHeaders();
    await until('the first bytes of the answer', () => seen === 'first');
    request.write('one');
    await until('the first bytes of the body', () => seen === 'firstgot one');
    request.end('two');
    await until('the rest', () => seen === 'firstgot onegot two');
    expect(toServer).toBe('onetwo');
    expect((await way.rows(1))[0]).toMatchObject({ bytesOut: 6, bytesIn: 19 });
  });

  test('has the head of its answer before there is a body', async () => {
    const waiting: (() => void)[] = [];
    const { port } = await outside((_, response) => {
      response.writeHead(202).flushHeaders();
      waiting.push(() => response.end('at last'));
    });
    const way = await openWayOut();
    way.allow({ host: '127.0.0.1', port, isPrivate: true });
    const answer = await new Promise<http.IncomingMessage>((resolve, reject) => {
      const options = { path: `http://127.0.0.1:${port}/`, headers: { host: `127.0.0.1:${port}` } };
      http.get({ socketPath: way.socketPath, ...options }, resolve).on('error', reject);
    });
    expect(answer.statusCode).toBe(202);
    for (const end of waiting) end();
    expect((await answer.toArray()).join('')).toBe('at last');
  });
});

describe('addresses', () => {
  test('that are private, or never to be reached, are refused whatever the rule says of the name', async () => {
    const way = await openWayOut();
    way.allow({ host: 'a.test', port: 80 });
    way.allow({ host: 'b.test', port: 80, isPrivate: true });
    const get = async (host: string) => {
      const answer = await way.call(`http://${host}/`, { headers: { host } });
      return { status: answer.status, type: refusalOf(answer).error.type };
    };
    for (const address of ['127.0.0.1', '10.0.0.1', '::1', '::ffff:10.0.0.1', '169.254.169.254', '64:ff9b::7f00:1']) {
      way.names.set('a.test', ['93.184.216.34', address]);
      expect(await get('a.test'), address).toEqual({ status: 403, type: 'private_address' });
    }
    for (const address of ['169.254.169.254', 'fd00:ec2::254', '0.0.0.0', '224.0.0.1', '2002:7f00:1::']) {
      way.names.set('b.test', ['127.0.0.1', address]);
      expect(await get('b.test'), address).toEqual({ status: 403, type: 'private_address' });
    }
    way.names.delete('a.test');
    expect(await get('a.test')).toEqual({ status: 502, type: 'no_address' });
  });

  test('are looked up once for a request: a name that changes its mind between check and use gains nothing', async () => {
    const inner = await outside((_, response) => response.end('the inner server'));
    let lookups = 0;
    const way = await openWayOut({
      limits: { connectMs: 300 },
      resolve: () => Promise.resolve(lookups++ === 0 ? ['192.88.1.1'] : ['127.0.0.1']),
    });
    way.allow({ host: 'rebind.test', port: inner.port });
    const path = `http://rebind.test:${inner.port}/`;
    const headers = { host: `rebind.test:${inner.port}` };
    const first = await way.call(path, { headers });
    expect(first.body).not.toContain('inner');
    expect(first.status).toBe(502);
    expect(lookups).toBe(1);
    expect(refusalOf(await way.call(path, { headers })).error.type).toBe('private_address');
  });

  test('outside get no credential without TLS, though an owner said that the service lies on this network', async () => {
    const way = await openWayOut();
    const input = { name: 'nas', url: 'http://nas.test/v1', api: null, header: 'X-Key: {}', isPrivate: true };
    way.services.add(input, 'web:owner');
    way.allow({ service: 'nas' });
    way.names.set('nas.test', ['10.255.255.1', '93.184.216.34']);
    const refused = refusalOf(await way.call('/service/nas/', { headers: { host: '127.0.0.1' } }));
    expect(refused).toMatchObject({ error: { type: 'not_allowed', message: expect.stringContaining('without TLS') } });
  });

  test('are judged by what is allowed when they are known, not by what was when they were asked for', async () => {
    let connections = 0;
    const { port } = await outsideTcp(() => (connections += 1));
    const lookedUp = gate<string[]>();
    const way = await openWayOut({ resolve: lookedUp.wait });
    const generous = way.allow({ host: 'a.test', port, isPrivate: true });
    const path = `http://a.test:${port}/`;
    const asked = [
      way.call(path, { headers: { host: `a.test:${port}` } }).then(({ status }) => status),
      way.raw(`CONNECT a.test:${port} HTTP/1.1\r\nhost: a.test:${port}\r\n\r\n`).then((text) => text.slice(9, 12)),
    ];
    await until('the name is asked for', () => lookedUp.waiting === 2);
    way.rules.remove(generous.id);
    way.allow({ host: 'a.test', port });
    way.gateway.accessChanged(way.agent.id);
    lookedUp.open(['127.0.0.1']);
    expect(await Promise.all(asked)).toEqual([403, '403']);
    expect(connections).toBe(0);
  });

  test('of this machine are private, however public they look', async () => {
    const way = await openWayOut();
    const own = Object.values((await import('node:os')).networkInterfaces())
      .flatMap((all) => all ?? [])
      .find(({ internal, family }) => !internal && family === 'IPv4');
    if (own === undefined) return;
    way.allow({ host: own.address, port: 80 });
    const answer = await way.call(`http://${own.address}/`, { headers: { host: own.address } });
    expect(refusalOf(answer).error.type).toBe('private_address');
  });
});

describe('a service', () => {
  async function withService(listener: http.RequestListener, base = '') {
    const server = await outside(listener);
    const way = await openWayOut();
    const header = 'Authorization: Bearer {}';
    way.services.add({ name: 'own', url: `${server.url}${base}`, api: null, header, isPrivate: true }, 'web:owner');
    way.allow({ service: 'own' });
    return { ...way, server };
  }

  test('gets the credential of the host, and none from inside', async () => {
    let seen: http.IncomingHttpHeaders = {};
    let url = '';
    const way = await withService((request, response) => {
      seen = request.headers;
      url = request.url ?? '';
      response.writeHead(200, { 'set-cookie': 'session=1' });
      response.end('ok');
    }, '/base');
    const headers = {
      ...{ authorization: 'Bearer mine', 'x-api-key': 'mine', cookie: 'a=b', 'proxy-authorization': 'Basic mine' },
      ...{ connection: 'authorization, x-keep', 'x-keep': '1', 'x-http-method-override': 'DELETE', range: 'bytes=1-2' },
      ...{ 'x-forwarded-for': '1.2.3.4', 'x-other': 'stays' },
    };
    const answer = await way.call('/service/own/path?q=1', { headers });
    expect(answer.status).toBe(200);
    expect(answer.headers['set-cookie']).toBeUndefined();
    expect(url).toBe('/base/path?q=1');
    expect(seen.authorization).toBe(`Bearer ${SECRET}`);
    expect(seen['x-other']).toBe('stays');
    expect(JSON.stringify(seen)).not.toContain('mine');
    for (const name of ['x-api-key', 'cookie', 'x-keep', 'x-http-method-override', 'range', 'x-forwarded-for'])
      expect(seen[name], name).toBeUndefined();
    expect((await way.rows(1))[0]).toMatchObject({
      kind: 'service',
      rule: 'own',
      host: '127.0.0.1',
      path: '/base/path',
    });
  });

  test('gets the credential that holds when its name is known: none that was taken away meanwhile', async () => {
    const seen: unknown[] = [];
    const server = await outside((request, response) => {
      seen.push(request.headers['x-key']);
      response.end('ok');
    });
    let credential: Credential = { kind: 'header', name: 'x-key', value: 'old' };
    const lookups = [gate<string[]>(), gate<string[]>()] as const;
    let asked = 0;
    const way = await openWayOut({
      credentials: { credentialFor: () => credential },
      resolve: () => lookups[asked++ === 0 ? 0 : 1].wait(),
    });
    const url = server.url.replace('127.0.0.1', 'own.test');
    way.services.add({ name: 'own', url, api: null, header: 'X-Key: {}', isPrivate: true }, 'web:owner');
    way.allow({ service: 'own' });
    const first = way.call('/service/own/');
    await until('the name is asked for', () => asked === 1);
    credential = { kind: 'header', name: 'x-key', value: 'new' };
    lookups[0].open(['127.0.0.1']);
    expect((await first).status).toBe(200);
    const second = way.call('/service/own/');
    await until('the name is asked for', () => asked === 2);
    credential = { kind: 'missing', why: 'the vault is locked', next: 'portolan secrets unlock' };
    lookups[1].open(['127.0.0.1']);
    expect(refusalOf(await second).error.type).toBe('no_secret');
    expect(seen).toEqual(['new']);
  });

  test('that was given no secret gets none from inside either, whatever its header is called', async () => {
    let seen: http.IncomingHttpHeaders = {};
    const server = await outside((request, response) => {
      seen = request.headers;
      response.end('ok');
    });
    const way = await openWayOut({ credentials: { credentialFor: () => ({ kind: 'none' }) } });
    way.services.add(
      { name: 'nas', url: server.url, api: null, header: 'X-Nas-Pass: {}', isPrivate: true },
      'web:owner',
    );
    way.allow({ service: 'nas' });
    const headers = { 'X-NAS-Pass': 'mine', 'x-other': 'stays' };
    expect((await way.call('/service/nas/', { headers })).status).toBe(200);
    expect([seen['x-nas-pass'], seen['x-other']]).toEqual([undefined, 'stays']);
  });

  test('that echoes what it got does not hand the credential out, in whatever pieces it comes', async () => {
    const bare = Buffer.from(SECRET).toString('base64');
    const echo = `{"authorization":"Bearer ${SECRET}","b64":"${bare}","url":"${encodeURIComponent(SECRET)}"}`;
    const way = await withService((request, response) => {
      response.writeHead(200, { 'x-echo': request.headers.authorization ?? '', 'content-length': echo.length });
      let at = 0;
      const step = () => {
        if (at >= echo.length) return response.end();
        response.write(echo.slice(at, ++at), () => setImmediate(step));
      };
      step();
    });
    const answer = await way.call('/service/own/headers');
    const all = JSON.stringify(answer);
    expect(answer.isWhole).toBe(true);
    expect(answer.body).toHaveLength(echo.length);
    for (const part of [SECRET, bare, encodeURIComponent(SECRET), SECRET.slice(4)]) expect(all).not.toContain(part);
    expect(answer.body).toContain('"authorization":"');
  });

  test('that compresses although asked not to is looked through all the same', async () => {
    const { gzipSync } = await import('node:zlib');
    const way = await withService((request, response) => {
      expect(request.headers['accept-encoding']).toBe('identity');
      const encoding = request.url === '/odd' ? 'zstd' : 'gzip';
      response.writeHead(200, { 'content-encoding': encoding });
      response.end(gzipSync(`you sent ${request.headers.authorization}`));
    });
    const answer = await way.call('/service/own/gzip', { headers: { 'accept-encoding': 'gzip' } });
    expect(answer.body).toBe(`you sent ${'*'.repeat(SECRET.length + 7)}`);
    expect(answer.headers['content-encoding']).toBeUndefined();
    expect((await way.call('/service/own/odd')).status).toBe(502);
  });

  test('is not left by its path, not traced, and refuses another host’s name', async () => {
    const way = await withService((_, response) => response.end('ok'), '/api/v1');
    for (const path of ['/../x', '/%2e%2e/x', '/a/..%2f..%2fx', '/..%5cx', '/%252e%252e/x', '/..;a/x'])
      expect((await way.call(`/service/own${path}`)).status, path).toBe(400);
    expect((await way.call('/service/own/', { method: 'TRACE' })).status).toBe(400);
    expect((await way.call('/service/own/x', { headers: { host: 'evil.test' } })).status).toBe(400);
    expect((await way.call('/service/own/group%2Fproject')).status).toBe(200);
    expect(refusalOf(await way.call('/service/other/x')).error.type).toBe('unknown_service');
  });

  test('that the agent was not given, or whose secret is not there, is refused', async () => {
    const way = await openWayOut({
      credentials: {
        credentialFor: () => ({ kind: 'missing', why: 'the vault is locked', next: 'portolan vault unlock' }),
      },
    });
    expect(refusalOf(await way.call('/service/github/user')).error.type).toBe('unknown_service');
    way.allow({ service: 'github' });
    const answer = await way.call('/service/github/user');
    expect(refusalOf(answer)).toMatchObject({
      error: { type: 'no_secret' },
      next: 'an owner types: portolan vault unlock',
    });
  });
});

describe('a model', () => {
  async function withModel(listener: http.RequestListener) {
    const server = await outside(listener);
    const way = await openWayOut();
    const input = { name: 'own', url: `${server.url}/v1`, api: 'openai', header: null, isPrivate: true } as const;
    way.services.add(input, 'web:owner');
    way.db.prepare("UPDATE container_configs SET service = 'own'").run();
    return way;
  }

  test('is the agent’s own alone, counted both ways, on behalf of a message', async () => {
    const way = await withModel((request, response) => {
      request.resume();
      request.on('end', () => response.end('{"usage":1}'));
    });
    const answer = await way.call('/for/msg_1/model/own/chat/completions', { method: 'POST', body: '{"model":"x"}' });
    expect(answer).toMatchObject({ status: 200, body: '{"usage":1}' });
    expect(way.model.calls[0]).toMatchObject({
      ...{ messageId: 'msg_1', path: '/chat/completions', method: 'POST', bodyBytes: 13, sessionId: way.sessionId },
      service: { name: 'own', api: 'openai' },
    });
    expect([way.model.sent, way.model.received]).toEqual(['{"model":"x"}', '{"usage":1}']);
    expect([way.model.ends, way.model.statuses]).toEqual([['whole'], [200]]);
    expect(refusalOf(await way.call('/model/openai/models')).error.type).toBe('unknown_service');
    // No way round the count, also when a rule names it.
    way.allow({ service: 'own' });
    expect(refusalOf(await way.call('/service/own/chat/completions')).error.type).toBe('unknown_service');
    expect(
      (
        await way.call('/model/own/chat/completions', {
          method: 'POST',
          headers: { 'content-encoding': 'gzip' },
          body: 'x',
        })
      ).status,
    ).toBe(400);
    expect((await way.call('/model/own/../../admin')).status).toBe(400);
  });

  test('that may not be called is not called, and one that is refused in the middle is broken off', async () => {
    let reached = 0;
    const way = await withModel((request, response) => {
      reached++;
      request.resume();
      request.on('end', () => response.end('ok'));
    });
    way.model.refusal = { kind: 'refused', reason: 'over_budget', status: 403, message: 'spent', next: 'ask' };
    const body = 'x'.repeat(100_000);
    const refused = await way.call('/model/own/chat/completions', { method: 'POST', body });
    expect(refusalOf(refused)).toMatchObject({ error: { type: 'over_budget', message: 'spent → ask' }, next: 'ask' });
    expect(reached).toBe(0);
    way.model.refusal = null;
    way.model.refuseAfter = 10;
    const broken = await way.call('/model/own/chat/completions', { method: 'POST', body });
    expect(refusalOf(broken).error.type).toBe('over_budget');
    expect(way.model.sent).toBe('');
    expect(way.model.ends).toEqual(['unsent']);
  });

  test('whose answer breaks off breaks off in the container too, and is counted as broken', async () => {
    const way = await withModel((_, response) => {
      response.write('data: half', () => setImmediate(() => response.destroy()));
    });
    const answer = await way.call('/model/own/chat/completions', { method: 'POST', body: '{}' });
    expect(answer).toMatchObject({ status: 200, body: 'data: half', isWhole: false });
    expect(way.model.ends).toEqual(['broken']);
    expect((await way.rows(1))[0]).toMatchObject({ outcome: 'failed', reason: 'broken_off', status: 200 });
  });

  test('that cannot be counted at its end ends as it did, once, and nothing else does', async () => {
    const way = await withModel((request, response) => {
      if (request.url?.endsWith('/whole') === true) response.end('{"usage":1}');
      else response.write('data: half', () => setImmediate(() => response.destroy()));
    });
    way.model.fault = Object.assign(new Error('disk I/O error'), { code: 'SQLITE_IOERR_READ' });
    const whole = await way.call('/model/own/chat/whole', { method: 'POST', body: '{}' });
    expect(whole).toMatchObject({ status: 200, body: '{"usage":1}', isWhole: true });
    const broken = await way.call('/model/own/chat/broken', { method: 'POST', body: '{}' });
    expect(broken).toMatchObject({ status: 200, body: 'data: half', isWhole: false });
    expect(way.model.ends).toEqual(['whole', 'broken']);
    expect((await way.rows(2)).map(({ outcome }) => outcome)).toEqual(['allowed', 'failed']);
  });

  test('that the container leaves is left at once', async () => {
    let isLeft = false;
    const way = await withModel((_, response) => {
      response.write('data: …');
      response.on('close', () => {
        isLeft = true;
      });
    });
    const request = http.request({ socketPath: way.socketPath, path: '/model/own/chat/completions', method: 'POST' });
    request.on('error', () => undefined);
    request.on('response', (answer) => answer.once('data', () => request.destroy()));
    request.end('{}');
    await until('the server was left', () => isLeft);
    expect((await way.rows(1))[0]).toMatchObject({ outcome: 'failed', reason: 'container_left' });
    expect(way.model.ends).toEqual(['broken']);
  });

  test('gets no body that is larger than it may be', async () => {
    const server = await outside((request, response) => {
      request.resume();
      request.on('end', () => response.end());
    });
    const way = await openWayOut({ limits: { maxBodyBytes: 1_000 } });
    way.services.add({ name: 'own', url: server.url, api: 'openai', header: null, isPrivate: true }, 'web:owner');
    way.db.prepare("UPDATE container_configs SET service = 'own'").run();
    const post = (headers: http.OutgoingHttpHeaders) =>
      way.call('/model/own/chat/completions', { method: 'POST', headers, body: 'x'.repeat(1_001) });
    expect((await post({ 'content-length': 1_001 })).status).toBe(400);
    expect((await post({ 'transfer-encoding': 'chunked' })).status).toBe(400);
  });
});

describe('a tunnel', () => {
  async function withTunnel(rule: object = {}) {
    const server = await outsideTcp((socket) => {
      socket.on('data', (chunk) => socket.write(`<${chunk}>`));
      socket.on('end', () => socket.end('bye'));
    });
    const way = await openWayOut();
    way.names.set('a.test', ['127.0.0.1']);
    const made = way.allow({ host: 'a.test', port: server.port, isPrivate: true, ...rule });
    const open = async () => {
      const socket = connect({ path: way.socketPath, allowHalfOpen: true });
      let seen = '';
      let isClosed = false;
      socket.on('data', (chunk) => (seen += chunk.toString()));
      socket.on('error', () => undefined);
      socket.on('close', () => {
        isClosed = true;
      });
      socket.on('end', () => socket.end());
      socket.write(`CONNECT a.test:${server.port} HTTP/1.1\r\nhost: a.test:${server.port}\r\n\r\n`);
      onTestFinished(() => {
        socket.destroy();
      });
      await until('the tunnel', () => seen.endsWith('\r\n\r\n') || isClosed);
      return { socket, seen: () => seen, isClosed: () => isClosed };
    };
    return { ...way, server, rule: made, open };
  }

  test('carries bytes both ways, passes each end on, and counts', async () => {
    const way = await withTunnel();
    const tunnel = await way.open();
    expect(tunnel.seen()).toContain('200 Connection established');
    tunnel.socket.write('hello');
    await until('the echo', () => tunnel.seen().endsWith('<hello>'));
    tunnel.socket.end();
    await until('the other end', () => tunnel.seen().endsWith('<hello>bye'));
    const [row] = await way.rows(1);
    expect(row).toMatchObject({ kind: 'connect', outcome: 'allowed', status: 200, bytesOut: 5, bytesIn: 10, path: '' });
    expect(way.gateway.count('open')).toBe(0);
  });

  test('is closed when the rule that opened it goes, and stays when another still allows it', async () => {
    const way = await withTunnel();
    const other = way.allow({ host: '*.test', port: way.server.port, isPrivate: true });
    const tunnel = await way.open();
    way.rules.remove(way.rule.id);
    way.gateway.accessChanged(way.agent.id);
    tunnel.socket.write('still');
    await until('the echo', () => tunnel.seen().endsWith('<still>'));
    way.rules.remove(other.id);
    way.gateway.accessChanged(way.agent.id);
    await until('the tunnel is closed', () => tunnel.isClosed());
    await until('the server outside is left', () => way.server.sockets.size === 0);
    expect((await way.rows(1))[0]).toMatchObject({ outcome: 'refused', reason: 'not_allowed', status: 200 });
  });

  test('to a private address is closed when the rule is no longer private', async () => {
    const way = await withTunnel();
    const tunnel = await way.open();
    way.rules.remove(way.rule.id);
    way.allow({ host: 'a.test', port: way.server.port });
    way.gateway.accessChanged(way.agent.id);
    await until('the tunnel is closed', () => tunnel.isClosed());
  });

  test('that cannot be judged again is closed, and so is every other', async () => {
    const way = await withTunnel();
    const tunnels = [await way.open(), await way.open()];
    way.rules.listFor = () => {
      throw Object.assign(new Error('disk I/O error'), { code: 'SQLITE_IOERR_READ' });
    };
    way.gateway.accessChanged(way.agent.id);
    await until('both are closed', () => tunnels.every((tunnel) => tunnel.isClosed()));
    expect((await way.rows(2)).map(({ reason }) => reason)).toEqual(['gateway_failed', 'gateway_failed']);
  });

  test('is not opened with a body, for another Host, without a port, or among other requests', async () => {
    const way = await withTunnel();
    const { port } = way.server;
    const connectTo = (authority: string, more = '', body = '') =>
      way.raw(`CONNECT ${authority} HTTP/1.1\r\n${more}\r\n${body}`);
    expect(await connectTo(`a.test:${port}`, '', 'GET / HTTP/1.1\r\n\r\n')).toContain('400 Bad Request');
    expect(await connectTo(`a.test:${port}`, 'content-length: 3\r\n')).toContain('400 Bad Request');
    expect(await connectTo(`a.test:${port}`, 'transfer-encoding: chunked\r\n')).toContain('400 Bad Request');
    expect(await connectTo(`a.test:${port}`, 'host: b.test\r\n')).toContain('400 Bad Request');
    expect(await connectTo(`a.test:${port}`, 'host: a.test:1\r\n')).toContain('400 Bad Request');
    expect(await connectTo('a.test')).toContain('400 Bad Request');
    expect(await connectTo('a.test:0')).toContain('400 Bad Request');
    expect(await connectTo('a.test:65536')).toContain('400 Bad Request');
    expect(await connectTo(`user@a.test:${port}`)).toContain('400 Bad Request');
    expect(await connectTo(`http://a.test:${port}`)).toContain('400 Bad Request');
    expect(await connectTo(`a.test:${port + 1}`)).toContain('403 Forbidden');
    expect(way.server.sockets.size).toBe(0);
  });

  test('to a server that is not there says so', async () => {
    const way = await openWayOut();
    way.allow({ host: '127.0.0.1', port: 1, isPrivate: true });
    const answer = await way.raw('CONNECT 127.0.0.1:1 HTTP/1.1\r\n\r\n');
    expect(answer).toContain('502 Bad Gateway');
    expect(answer).toContain('nothing listens there');
  });
});

describe('the socket', () => {
  test('takes the place of a stale one, at a path that is too long for a socket, open to every uid', async () => {
    const way = await openWayOut({ deep: true });
    expect(Buffer.byteLength(way.socketPath)).toBeGreaterThan(107);
    expect(statSync(way.socketPath).mode & 0o777).toBe(0o666);
    const folder = readdirSync(way.socketPath.replace('/gateway.sock', ''));
    expect(folder).toEqual(['gateway.sock']);
    // Opening again changes nothing; after its file was lost it is made anew.
    const inode = statSync(way.socketPath).ino;
    const who = { sessionId: way.sessionId, agentGroupId: way.agent.id };
    await Promise.all([way.gateway.open(who, way.socketPath), way.gateway.open(who, way.socketPath)]);
    expect(statSync(way.socketPath).ino).toBe(inode);
    (await import('node:fs')).rmSync(way.socketPath);
    await way.gateway.open(who, way.socketPath);
    expect(statSync(way.socketPath).isSocket()).toBe(true);
    way.gateway.close(way.sessionId);
    way.gateway.close(way.sessionId);
    expect(existsSync(way.socketPath)).toBe(false);
  });

  test('is the identity: another session’s rules are not its own', async () => {
    const { port } = await outside((_, response) => response.end('ok'));
    const way = await openWayOut();
    way.allow({ host: '127.0.0.1', port, isPrivate: true });
    const bert = way.agents.create({ name: 'bert', folder: 'bert', now: 2 });
    const path = way.socketPath.replace('gateway.sock', 'other.sock');
    await way.gateway.open({ sessionId: makeId('session'), agentGroupId: bert.id }, path);
    const headers = { host: `127.0.0.1:${port}` };
    expect((await way.call(`http://127.0.0.1:${port}/`, { headers })).status).toBe(200);
    expect((await call(path, `http://127.0.0.1:${port}/`, { headers })).status).toBe(403);
    expect(await raw(path, `CONNECT 127.0.0.1:${port} HTTP/1.1\r\n\r\n`)).toContain('403');
  });

  test('that is closed cuts off what is on its way, and leaves nothing', async () => {
    const server = await outsideTcp((socket) => {
      socket.resume().on('end', () => socket.end());
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf');
    });
    const way = await openWayOut();
    way.allow({ host: '127.0.0.1', port: server.port, isPrivate: true });
    const answer = way.call(`http://127.0.0.1:${server.port}/`, { headers: { host: `127.0.0.1:${server.port}` } });
    await until('the server is asked', () => server.sockets.size === 1);
    await until('it is under way', () => way.gateway.count('open') === 1);
    way.gateway.close(way.sessionId);
    await answer.catch(() => undefined);
    await until('the server outside is left', () => server.sockets.size === 0);
    expect((await way.rows(1))[0]).toMatchObject({ outcome: 'failed', reason: 'session_closed' });
  });
});

test('a gateway that is closed opens no door any more', async () => {
  const { gateway, agent, socketPath } = await openWayOut();
  await gateway[Symbol.asyncDispose]();
  expect(existsSync(socketPath)).toBe(false);
  const opening = gateway.open({ sessionId: makeId('session'), agentGroupId: agent.id }, socketPath);
  await expect(opening).rejects.toMatchObject({ code: 'gateway_unavailable', retryable: true });
  expect(existsSync(socketPath)).toBe(false);
});

test('a gateway that is closed in the turn that opened a door waits for nothing that never comes', async () => {
  const { gateway, agent, socketPath } = await openWayOut();
  const other = `${socketPath}2`;
  const opening = gateway.open({ sessionId: makeId('session'), agentGroupId: agent.id }, other);
  const closing = gateway[Symbol.asyncDispose]();
  await expect(opening).rejects.toMatchObject({ code: 'gateway_unavailable', retryable: true });
  await closing;
  expect([existsSync(socketPath), existsSync(other)]).toEqual([false, false]);
});
