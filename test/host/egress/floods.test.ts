/**
 * Bytes that cost whoever sends them nothing, and the host thousands of times as much as others do: many requests or
 * chunks in what is read at once. One session's floods must not hold the others up (I10 of the architecture).
 */
import { once } from 'node:events';
import http, { type ClientRequest, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { Readable, Writable } from 'node:stream';
import { expect, onTestFinished, test } from 'vitest';
import type { GatewayLimits } from '../../../host/egress/limits.ts';
import { pump } from '../../../host/egress/pump.ts';
import { until } from '../../support/until.ts';
import { openWayOut, outside, outsideTcp, refusalOf } from './way-out.ts';

const SINGLE_BYTES = '1\r\na\r\n';

/** With a server outside that answers when a body has come. */
async function openAllowed(limits: Partial<GatewayLimits> = {}) {
  const server = await outside((request, response) => {
    request.resume();
    request.on('end', () => response.end('ok'));
  });
  const way = await openWayOut({ limits });
  way.allow({ host: '127.0.0.1', port: server.port, isPrivate: true });
  const host = `127.0.0.1:${server.port}`;
  return { ...way, url: `http://${host}/`, headers: { host } };
}

test('requests without end on many connections end all of them at the first, and the door opens again', async () => {
  const way = await openAllowed({ floodShutMs: 500 });
  const sockets: Socket[] = [];
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  for (let at = 0; at < 40; at++) {
    const socket = connect(way.socketPath);
    socket.on('error', () => undefined).resume();
    sockets.push(socket);
    await once(socket, 'connect');
  }
  await until('all are there', () => way.gateway.count('connections') === 40);
  // All of it lies before the gateway when it reads next.
  for (const socket of sockets) socket.write(`GET ${way.url} HTTP/1.1\r\n\r\n`.repeat(1_500));
  await until('none is left', () => way.gateway.count('connections') === 0);
  const answer = await until('the door is open again', () =>
    way.call(way.url, { headers: way.headers }).catch(() => null),
  );
  expect(answer.status).toBe(200);
  const refused = way.store.page({ outcome: 'refused' }, 100).filter(({ reason }) => reason === 'too_many');
  // The one that was read, and the door; each of the 40 was read to its end otherwise.
  expect(refused.reduce((sum, { repeats }) => sum + repeats, 0)).toBeLessThan(5);
});

test('of bodies in chunks few come at once; who waits for one of them to end is let in', async () => {
  const way = await openAllowed();
  const open: { request: ClientRequest; answer: Promise<IncomingMessage> }[] = [];
  for (let at = 0; at < 4; at++) {
    const request = http.request({
      ...{ socketPath: way.socketPath, path: way.url, method: 'POST', agent: false },
      headers: { ...way.headers, 'transfer-encoding': 'chunked' },
    });
    const answer = new Promise<IncomingMessage>((resolve) => request.on('response', resolve));
    request.on('error', () => undefined);
    onTestFinished(() => void request.destroy());
    request.write('a');
    open.push({ request, answer });
  }
  await until('all are open', () => way.gateway.count('open') === 4);
  const more = { method: 'POST', headers: { ...way.headers, 'transfer-encoding': 'chunked' }, body: 'a' };
  const refused = await way.call(way.url, more);
  expect(refused.status).toBe(429);
  expect(refusalOf(refused).error).toMatchObject({ type: 'too_many' });
  expect(refusalOf(refused).error.message).toContain('come in chunks');
  // One that says its length is none of them.
  const sized = { method: 'POST', headers: { ...way.headers, 'content-length': 1 }, body: 'a' };
  expect((await way.call(way.url, sized)).status).toBe(200);
  open[0]?.request.end();
  expect((await open[0]?.answer)?.resume().statusCode).toBe(200);
  expect((await way.call(way.url, more)).status).toBe(200);
});

test('a body of single bytes is passed on whole, a few in each turn of the event loop', async () => {
  const from = new Readable({ read: () => undefined, highWaterMark: 1_000_000 });
  for (let at = 0; at < 2_000; at++) from.push('a');
  from.push(null);
  let [inTurn, most, all] = [0, 0, 0];
  const to = new Writable({
    write: (chunk: Buffer, _, done) => {
      all += chunk.length;
      inTurn += 1;
      most = Math.max(most, inTurn);
      done();
    },
  });
  let isOver = false;
  const turn = () => {
    inTurn = 0;
    if (!isOver) setImmediate(turn);
  };
  turn();
  pump(from, to, (chunk) => chunk);
  await once(from, 'end');
  isOver = true;
  expect(all).toBe(2_000);
  expect(most).toBeLessThanOrEqual(128);
});

test('the rest of a body that was refused is not read on when it comes in single bytes', async () => {
  const way = await openWayOut();
  const started = performance.now();
  const head = 'POST http://nowhere.test/ HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n';
  await way.raw(head + SINGLE_BYTES.repeat(20_000));
  // A body that goes on is let in for 5 s.
  expect(performance.now() - started).toBeLessThan(4_000);
});

test('a server that goes on saying that an answer will come is left', async () => {
  const { port } = await outsideTcp((socket) => {
    socket.once('data', () => socket.write('HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(1_000)));
  });
  const way = await openWayOut();
  way.allow({ host: '127.0.0.1', port, isPrivate: true });
  const host = `127.0.0.1:${port}`;
  const answer = await way.call(`http://${host}/`, { headers: { host } });
  expect(answer.status).toBe(502);
  expect(refusalOf(answer).error.message).toContain('again and again');
});
