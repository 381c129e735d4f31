/**
 * Answers that come before a request's body has: closed at once, the program's next write fails, and it never reads
 * why.
 */
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { REFUSAL_HEADER } from '../../shared/gateway.ts';
import { formatRefusal, type Refusal } from './refusal.ts';

/** How long the rest of a body is let in. Higher: who sends without end keeps a connection. Lower: large bodies lose the answer. */
const DRAIN_MS = 5_000;

/** Before an answer's head: also who wants the connection closed may go on sending. */
export function letFinishSending(request: IncomingMessage, response: ServerResponse): void {
  if (!request.complete && request.httpVersion === '1.1') response.shouldKeepAlive = true;
}

/** The rest of the body, up to so many bytes, is read and dropped. */
export function drain(request: IncomingMessage, maxBytes: number): void {
  const { socket } = request;
  let dropped = 0;
  request.removeAllListeners('data');
  request.on('data', (chunk: Buffer) => {
    dropped += chunk.length;
    if (dropped > maxBytes) socket.destroy();
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
  const headers: OutgoingHttpHeaders = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    [REFUSAL_HEADER]: refusal.reason,
  };
  if (retryAfterMs !== null) headers['retry-after'] = String(Math.max(1, Math.ceil(retryAfterMs / 1_000)));
  response.writeHead(refusal.status, headers);
  response.end(body);
}
