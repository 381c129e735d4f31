/**
 * Answers in the gateway's own name, and those that come before a request's body has: closed at once, the program's
 * next write fails, and it never reads why.
 */
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { REFUSAL_HEADER } from '../../shared/gateway.ts';
import { formatRefusal, type Refusal } from './refusal.ts';

/** How long the rest of a body is let in. Higher: who sends without end keeps a connection. Lower: large bodies lose the answer. */
const DRAIN_MS = 5_000;
/** How long who was refused may take to read it. Higher: it keeps its connection. Lower: a busy program never reads why. */
const LINGER_MS = 2_000;
/** Chunks of the rest of a body. Higher: a body of single bytes takes the host's time. Lower: the same as `DRAIN_MS`. */
const MAX_DRAINED_CHUNKS = 4_096;

/** Before an answer's head: also who wants the connection closed may go on sending. */
export function letFinishSending(request: IncomingMessage, response: ServerResponse): void {
  if (!request.complete && request.httpVersion === '1.1') response.shouldKeepAlive = true;
}

/** The rest of the body, up to so many bytes, is read and dropped. */
export function drain(request: IncomingMessage, maxBytes: number): void {
  const { socket } = request;
  let [dropped, chunks] = [0, 0];
  request.removeAllListeners('data');
  request.on('data', (chunk: Buffer) => {
    dropped += chunk.length;
    chunks += 1;
    if (dropped > maxBytes || chunks > MAX_DRAINED_CHUNKS) socket.destroy();
  });
  request.resume();
  if (request.complete) return;
  const timer = setTimeout(() => socket.destroy(), DRAIN_MS).unref();
  const done = () => clearTimeout(timer);
  request.once('end', done).once('close', done);
}

/** The whole answer, in the gateway's own name. */
export function writeRefusal(response: ServerResponse, refusal: Refusal, retryAfterMs: number | null): void {
  const body = formatRefusal(refusal);
  response.writeHead(refusal.status, headersOf(refusal, body, retryAfterMs));
  response.end(body);
}

/** Answers, and reads no more: who goes on sending may not get to read why. */
export function turnAway(request: IncomingMessage, response: ServerResponse, refusal: Refusal): void {
  response.shouldKeepAlive = false;
  response.once('finish', () => request.socket.destroy());
  writeRefusal(response, refusal, LINGER_MS);
  // What was read already goes nowhere, from its first chunk on: to keep it costs ten times as much.
  request.on('data', () => undefined);
  request.read(0);
}

/** The same on a connection that no server of Node's keeps any more. Lets the other side read it. */
export function refuseSocket(socket: Socket, refusal: Refusal, retryAfterMs: number | null = null): void {
  if (socket.destroyed) return;
  const body = formatRefusal(refusal);
  const headers = { ...headersOf(refusal, body, retryAfterMs), connection: 'close' };
  const head = [
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status] ?? 'Refused'}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), LINGER_MS).unref();
  socket.once('close', () => clearTimeout(timer));
}

function headersOf({ reason }: Refusal, body: string, retryAfterMs: number | null): Record<string, string | number> {
  const headers = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    [REFUSAL_HEADER]: reason,
  };
  if (retryAfterMs === null) return headers;
  return { ...headers, 'retry-after': Math.max(1, Math.ceil(retryAfterMs / 1_000)) };
}
