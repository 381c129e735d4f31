/** What a hostile container, and a hostile server outside, try on the gateway. */
import http from 'node:http';
import { connect, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { until } from '../../support/until.ts';
import { openWayOut, outside, outsideTcp, refusalOf } from './way-out.ts';

/** Requests that reached the server, as method and path. */
async function openAllowed(limits: object = {}) {
  const reached: string[] = [];
  const server = await outside((request, response) => {
    reached.push(`${request.method} ${request.url}`);
    request.resume();
    request.on('end', () => response.end('ok'));
  });
  const way = await openWayOut({ limits });
  const host = `127.0.0.1:${server.port}`;
  way.allow({ host: '127.0.0.1', port: server.port, isPrivate: true, pathPrefix: '/open' });
  return { ...way, reached, host, base: `http://${host}` };
}

describe('smuggling', () => {
  test.each([
    ['both lengths', 'content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /closed HTTP/1.1\r\n\r\n'],
    ['two content lengths', 'content-length: 0\r\ncontent-length: 40\r\n\r\nGET /closed HTTP/1.1\r\n\r\n'],
    ['an unusual transfer encoding', 'transfer-encoding: xchunked\r\n\r\n0\r\n\r\n'],
    ['two transfer encodings', 'transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n\r\n0\r\n\r\n'],
    ['chunked, and something before it', 'transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n'],
    ['a folded header', 'x-a: b\r\n  folded: c\r\ncontent-length: 0\r\ncontent-\r\n length: 5\r\n\r\n'],
    ['NUL in a header', 'x-a: b\u0000c\r\n\r\n'],
    ['a blank before a colon', 'content-length : 5\r\n\r\nhello'],
    ['a negative length', 'content-length: -1\r\n\r\n'],
    ['a length with a sign', 'content-length: +5\r\n\r\nhello'],
    ['two hosts', 'host: evil.test\r\n\r\n'],
    ['an upgrade', 'connection: upgrade\r\nupgrade: websocket\r\n\r\n'],
    ['a bad chunk size', 'transfer-encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n'],
    ['a bare CR', 'x-a: b\rcontent-length: 5\r\n\r\n'],
  ])('with %s reaches nothing that was not asked for', async (_, rest) => {
    const way = await openAllowed({ headMs: 500, keepAliveMs: 200 });
    const answer = await way.raw(`POST ${way.base}/open HTTP/1.1\r\nhost: ${way.host}\r\n${rest}`);
    expect(way.reached.filter((one) => !one.endsWith(' /open'))).toEqual([]);
    // What is found out in the middle of a body ends the connection.
    expect(answer).toMatch(/^(?:HTTP\/1\.1 400 |$)/);
    const isTold = () => way.store.page({ outcome: 'refused' }, 1)[0]?.reason === 'bad_request';
    await until('it is in the log', isTold);
  });

  test('by chunk extensions, trailers and line ends passes on nothing but the body', async () => {
    let seen = '';
    let trailers: unknown = null;
    let headers: http.IncomingHttpHeaders = {};
    const server = await outside((request, response) => {
      headers = request.headers;
      request.on('data', (chunk: Buffer) => (seen += chunk.toString()));
      request.on('end', () => {
        trailers = request.trailers;
        response.end('ok');
      });
    });
    const way = await openWayOut();
    way.allow({ host: '127.0.0.1', port: server.port, isPrivate: true });
    const host = `127.0.0.1:${server.port}`;
    const answer = await way.raw(
      `POST http://${host}/ HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\ntransfer-encoding: chunked\r\ntrailer: authorization\r\n\r\n` +
        '5;x=y\r\nhello\r\n0\r\nauthorization: mine\r\n\r\n',
    );
    expect(answer).toContain('200 OK');
    expect(seen).toBe('hello');
    expect(trailers).toEqual({});
    expect(headers.trailer).toBeUndefined();
  });

  test('a second request on the same connection is judged by itself, pipelined too', async () => {
    const way = await openAllowed({ keepAliveMs: 200 });
    const get = (path: string) => `GET ${way.base}${path} HTTP/1.1\r\nhost: ${way.host}\r\n\r\n`;
    const answer = await way.raw(get('/open/1') + get('/closed') + get('/open/2'));
    expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 403', 'HTTP/1.1 200']);
    expect(way.reached.sort()).toEqual(['GET /open/1', 'GET /open/2']);
  });

  test('a tunnel is not opened behind a request that is not yet answered', async () => {
    const server = await outsideTcp(() => undefined);
    const way = await openWayOut();
    way.allow({ host: '127.0.0.1', port: server.port, isPrivate: true });
    const host = `127.0.0.1:${server.port}`;
    const answer = await way.raw(
      `GET http://${host}/ HTTP/1.1\r\nhost: ${host}\r\n\r\nCONNECT ${host} HTTP/1.1\r\n\r\n`,
    );
    expect(answer).toBe('');
  });

  test.each([
    ...['GET / HTTP/1.1', 'GET * HTTP/1.1', 'GET https://a.test/ HTTP/1.1', 'GET ftp://a.test/ HTTP/1.1'],
    ...['GET http://user:pw@127.0.0.1/ HTTP/1.1', 'GET http:///x HTTP/1.1', 'GET http://a.test:0/ HTTP/1.1'],
    ...['GET /https/ HTTP/1.1', 'GET /https/a%2etest/ HTTP/1.1', 'GET /https/u@a.test/ HTTP/1.1', 'GET /x/y HTTP/1.1'],
    ...['GET /service/../model/x HTTP/1.1', 'GET /for/x HTTP/1.1', 'GET /for/../../x/y HTTP/1.1'],
    ...['GET http://a.test\\@b.test/ HTTP/1.1', 'GET http://a.test/#x HTTP/1.1', 'TRACE http://a.test/ HTTP/1.1'],
    ...['PRI * HTTP/2.0', 'GET http://a.test/ HTTP/3.0', 'hello', '\u0016\u0003\u0001\u0000'],
  ])('%j is refused as it stands', async (line) => {
    const way = await openWayOut({ limits: { headMs: 300, keepAliveMs: 100 } });
    way.names.set('a.test', ['127.0.0.1']);
    way.allow({ host: 'a.test', port: 80, isPrivate: true });
    // Otherwise Node keeps the connection for another second.
    expect(await way.raw(`${line}\r\nconnection: close\r\n\r\n`)).toMatch(/^HTTP\/1\.1 400 /);
    expect(way.asked).toEqual([]);
    expect((await way.rows(1))[0]).toMatchObject({ outcome: 'refused', reason: 'bad_request' });
  });

  test('a Host that names another place is refused, in every form', async () => {
    const way = await openAllowed();
    for (const host of ['evil.test', `127.0.0.1:1`, `${way.host}, evil.test`, `user@${way.host}`, '']) {
      const answer = await way.raw(`GET ${way.base}/open HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`);
      expect(answer, host).toMatch(/^HTTP\/1\.1 400 /);
    }
    expect(way.reached).toEqual([]);
  });
});

describe('a server outside', () => {
  async function answering(serve: (socket: Socket) => void, limits: object = {}) {
    const server = await outsideTcp((socket) => socket.once('data', () => serve(socket)));
    const way = await openWayOut({ limits });
    way.allow({ host: '127.0.0.1', port: server.port, isPrivate: true });
    const host = `127.0.0.1:${server.port}`;
    const get = (more: object = {}) => way.call(`http://${host}/`, { headers: { host }, ...more });
    return { ...way, server, get, host };
  }

  test.each([
    ['what is no HTTP', 'hello\r\n\r\n'],
    ['a head without end', `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`],
    ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['another protocol', 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n'],
    ['nothing, and closes', ''],
    ['a status that is none', 'HTTP/1.1 099 Odd\r\ncontent-length: 0\r\n\r\n'],
    ['a status of zero', 'HTTP/1.1 000 Odd\r\ncontent-length: 0\r\n\r\n'],
    ['signs that a header may not have', 'HTTP/1.1 200 OK\r\nx: a\u0001b\r\ncontent-length: 0\r\n\r\n'],
  ])('that answers with %s is unreachable, in words', async (_, text) => {
    const way = await answering((socket) => socket.end(text, 'latin1'));
    const answer = await way.get();
    expect(answer.status).toBe(502);
    expect(refusalOf(answer).error.type).toBe('unreachable');
    expect((await way.rows(1))[0]).toMatchObject({ outcome: 'failed', reason: 'unreachable' });
  });

  test('that never answers is given up, and so is one that never ends', async () => {
    const silent = await answering(() => undefined, { idleMs: 200 });
    expect((await silent.get()).status).toBe(502);
    const endless = await answering((socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx'), {
      idleMs: 200,
    });
    expect(await endless.get()).toMatchObject({ status: 200, body: 'x', isWhole: false });
    await until('nothing is open', () => endless.gateway.count('open') === 0);
    expect((await endless.rows(1))[0]).toMatchObject({ outcome: 'failed' });
  });

  test('that says 100, 103 and trailers is passed on without them', async () => {
    const way = await answering((socket) =>
      socket.end(
        'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n' +
          'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x\r\nconnection: close, x-hop\r\nx-hop: 1\r\n' +
          'x-portolan-refusal: not_allowed\r\n\r\n2\r\nok\r\n0\r\nx: y\r\n\r\n',
      ),
    );
    const answer = await way.get();
    expect(answer).toMatchObject({ status: 200, body: 'ok', isWhole: true });
    for (const name of ['trailer', 'x-hop', 'x-portolan-refusal']) expect(answer.headers[name]).toBeUndefined();
  });

  test('that answers before the body has come is heard, and the rest of the body goes nowhere', async () => {
    const way = await answering((socket) => {
      socket.resume();
      socket.end('HTTP/1.1 413 Too Large\r\ncontent-length: 4\r\nconnection: close\r\n\r\nmuch');
    });
    const request = http.request({
      ...{ socketPath: way.socketPath, path: `http://${way.host}/`, method: 'POST', agent: false },
      headers: { host: way.host },
    });
    let isClosed = false;
    request.on('error', () => undefined);
    request.on('close', () => {
      isClosed = true;
    });
    const status = new Promise((resolve) => request.on('response', (answer) => resolve(answer.resume().statusCode)));
    // A body without an end.
    const timer = setInterval(() => request.write('x'.repeat(1_000)), 1);
    onTestFinished(() => clearInterval(timer));
    expect(await status).toBe(413);
    expect(way.gateway.count('open')).toBe(0);
    await until('the connection is closed', () => isClosed);
  });

  test('does not end the host by what a part of ours throws about it', async () => {
    const server = await outside((_, response) => response.end('ok'));
    const way = await openWayOut({
      model: {
        admit: () => ({
          kind: 'go',
          meter: {
            sent: () => null,
            answered: () => {
              throw new Error('a part of ours is broken');
            },
            received: () => undefined,
            end: () => undefined,
          },
        }),
      },
    });
    way.services.add({ name: 'own', url: server.url, api: 'openai', header: null, isPrivate: true }, 'web:owner');
    way.db.prepare("UPDATE container_configs SET service = 'own'").run();
    await expect(way.call('/model/own/models')).rejects.toThrow('socket hang up');
    expect((await way.rows(1))[0]).toMatchObject({ outcome: 'failed', reason: 'gateway_failed' });
  });

  test('that closes kept connections under us is asked again, where that is safe', async () => {
    let answered = 0;
    const server = await outsideTcp((socket) => {
      let requests = 0;
      socket.on('data', () => {
        if (++requests > 1) return socket.resetAndDestroy();
        answered++;
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
      });
    });
    const way = await openWayOut();
    way.allow({ host: '127.0.0.1', port: server.port, isPrivate: true });
    const host = `127.0.0.1:${server.port}`;
    for (let time = 0; time < 3; time++) {
      expect((await way.call(`http://${host}/`, { headers: { host } })).body).toBe('ok');
    }
    expect(answered).toBe(3);
  });
});

describe('a flood', () => {
  test('of requests waits and is refused, with a time to try again', async () => {
    const way = await openAllowed({ requestBurst: 3, requestsPerMinute: 6, refusalDelayMs: 50 });
    const answers = await Promise.all(
      Array.from({ length: 6 }, () => way.call(`${way.base}/open`, { headers: { host: way.host } })),
    );
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused).toHaveLength(3);
    expect(Number(refused[0]?.headers['retry-after'])).toBeGreaterThan(0);
    expect(way.reached).toHaveLength(3);
    const counted = () =>
      way.store.page({ outcome: 'refused' }, 10).reduce((sum, { repeats }) => sum + repeats, 0) === 3;
    await until('each is counted', counted);
    expect(way.store.page({ outcome: 'refused' }, 1)[0]?.reason).toBe('too_many');
  });

  test('of requests that wait for no answer ends the connection', async () => {
    const way = await openAllowed();
    const get = `GET ${way.base}/open HTTP/1.1\r\nhost: ${way.host}\r\n\r\n`;
    await way.raw(get.repeat(5_000));
    expect(way.reached.length).toBeLessThanOrEqual(32);
    expect(way.gateway.count('open')).toBe(0);
  });

  test('of open requests leaves other sessions alone', async () => {
    const server = await outsideTcp(() => undefined);
    const way = await openWayOut({ limits: { maxOpen: 2, refusalDelayMs: 10 } });
    way.allow({ host: '127.0.0.1', port: server.port, isPrivate: true });
    const host = `127.0.0.1:${server.port}`;
    const hanging = [1, 2].map(() => way.call(`http://${host}/`, { headers: { host } }).catch(() => undefined));
    await until('both are open', () => way.gateway.count('open') === 2);
    expect((await way.call(`http://${host}/`, { headers: { host } })).status).toBe(429);
    const other = way.socketPath.replace('gateway.sock', 'other.sock');
    const bert = way.agents.create({ name: 'bert', folder: 'bert', now: 2 });
    const { call } = await import('./way-out.ts');
    const { makeId } = await import('../../../shared/ids.ts');
    await way.gateway.open({ sessionId: makeId('session'), agentGroupId: bert.id }, other);
    expect((await call(other, `http://${host}/`, { headers: { host } })).status).toBe(403);
    way.gateway.close(way.sessionId);
    await Promise.all(hanging);
  });

  test('of 1,000 connections shuts the door for a second, and then it is open again', async () => {
    const way = await openAllowed({ connectionBurst: 100, connectionsPerSecond: 50, maxConnections: 40 });
    const sockets: Socket[] = [];
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
    });
    let refused = 0;
    for (let at = 0; at < 1_000; at++) {
      const socket = connect(way.socketPath);
      socket.on('error', () => refused++);
      sockets.push(socket);
      if (at % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await until('the flood is refused', () => refused > 500);
    expect(way.gateway.count('connections')).toBeLessThanOrEqual(40);
    for (const socket of sockets) socket.destroy();
    const answer = await until('the door is open again', () =>
      way.call(`${way.base}/open`, { headers: { host: way.host } }).catch(() => null),
    );
    expect(answer.status).toBe(200);
    expect((await way.rows(1))[0]).toMatchObject({ outcome: 'refused', reason: 'too_many' });
  });

  test('of heads that never end (slow-loris) is closed, and so is a connection that says nothing', async () => {
    const way = await openWayOut({ limits: { headMs: 200 } });
    const started = performance.now();
    const [slow, silent] = await Promise.all([way.raw('GET http://a.test/ HTTP/1.1\r\nhost: a.te'), way.raw('')]);
    expect(slow).toMatch(/^HTTP\/1\.1 400 /);
    expect(silent).not.toContain('200');
    expect(performance.now() - started).toBeLessThan(5_000);
    await until('nothing is left', () => way.gateway.count('connections') === 0);
  });

  test('of a head that is too large is refused', async () => {
    const way = await openWayOut();
    expect(await way.raw(`GET http://a.test/ HTTP/1.1\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 400 /,
    );
  });

  test('of an answer that nobody reads holds the server back, not the memory', async () => {
    let written = 0;
    const server = await outside((_, response) => {
      const more = () => {
        do written += 64 * 1024;
        while (response.write(Buffer.alloc(64 * 1024)) && written < 200_000_000);
        response.once('drain', more);
      };
      more();
    });
    const way = await openWayOut();
    way.allow({ host: '127.0.0.1', port: server.port, isPrivate: true });
    const host = `127.0.0.1:${server.port}`;
    const socket = connect(way.socketPath).pause();
    onTestFinished(() => {
      socket.destroy();
    });
    socket.write(`GET http://${host}/ HTTP/1.1\r\nhost: ${host}\r\n\r\n`);
    await until('it is under way', () => written > 0);
    let before = -1;
    await until('the server waits', async () => {
      const isStill = written === before;
      before = written;
      await new Promise((resolve) => setTimeout(resolve, 100));
      return isStill;
    });
    expect(written).toBeLessThan(32 * 1024 * 1024);
  });
});
