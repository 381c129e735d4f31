/** HTTP over the host's Unix socket: one request, one answer, or a stream of it. */
import { type IncomingMessage, request as openRequest } from 'node:http';
import { errorCode } from '../../config/errors.ts';
import { CliError, EXIT } from '../errors.ts';
import { shellWord } from '../output/shell.ts';

/** An answer read to its end. */
export interface SocketAnswer {
  status: number;
  headers: IncomingMessage['headers'];
  body: Buffer;
}

/** Where to connect: a Unix socket, or a TCP port (only the doctor asks a remote Docker Engine so). */
export type SocketAddress = { socketPath: string } | { host: string; port: number };

export interface SocketRequest {
  method: string;
  /** With its query, from the root: `/api/v1/status`. */
  path: string;
  headers?: Record<string, string>;
  body?: Buffer | string;
  signal?: AbortSignal;
  /** Silence before it is given up, when the host has long work to do first. */
  timeoutMs?: number;
}

/** Silence on the socket before a request is given up. Higher: a hung host looks busy. Lower: a loaded one fails. */
const REQUEST_TIMEOUT_MS = 30_000;
/** Largest answer read into memory. Higher: a wrong server fills it. Lower: large attachments cannot be saved. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/**
 * Sends a request and reads the whole answer, of any status.
 * Throws CliError `host_not_running` when nothing listens, `host_silent` when no answer comes.
 */
export async function requestOverSocket(address: SocketAddress, request: SocketRequest): Promise<SocketAnswer> {
  const answer = await openStream(address, request, request.timeoutMs ?? REQUEST_TIMEOUT_MS);
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of answer) {
      if (!Buffer.isBuffer(chunk)) throw new TypeError('the socket yielded text although no encoding is set');
      size += chunk.length;
      if (size > MAX_ANSWER_BYTES) {
        throw new CliError(EXIT.failed, 'answer_too_large', `The answer is larger than ${MAX_ANSWER_BYTES} bytes.`);
      }
      chunks.push(chunk);
    }
  } catch (error) {
    throw translateSocketError(error, address);
  }
  return { status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks) };
}

/** Sends a request and hands out the answer as soon as its headers are there; the caller reads or destroys it. */
export function openStream(address: SocketAddress, request: SocketRequest, timeoutMs = 0): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { method, path, headers = {}, body, signal } = request;
    const length: Record<string, string> =
      body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
    const outgoing = openRequest(
      {
        ...address,
        method,
        path,
        headers: { Host: 'localhost', ...headers, ...length },
        timeout: timeoutMs,
        ...(signal === undefined ? {} : { signal }),
      },
      resolve,
    );
    outgoing.on('timeout', () => {
      outgoing.destroy(
        new CliError(EXIT.failed, 'host_silent', `The host did not answer within ${timeoutMs / 1000} s.`, {
          next: 'portolan doctor',
        }),
      );
    });
    outgoing.on('error', (error) => reject(translateSocketError(error, address)));
    outgoing.end(body);
  });
}

const NOBODY_LISTENS = new Set(['ENOENT', 'ECONNREFUSED', 'ENOTSOCK']);

function translateSocketError(error: unknown, address: SocketAddress): unknown {
  const socketPath = 'socketPath' in address ? address.socketPath : `${address.host}:${address.port}`;
  const code = errorCode(error);
  if (NOBODY_LISTENS.has(code)) {
    const why = code === 'ENOENT' ? 'there is no socket at' : 'nobody listens on';
    return new CliError(EXIT.hostNotRunning, 'host_not_running', `The host is not running: ${why} ${socketPath}`, {
      expected: 'a running host; PORTOLAN_HOME says which one',
      next: 'npm run up',
      cause: error,
    });
  }
  if (code === 'ENOTDIR') {
    return new CliError(EXIT.hostNotRunning, 'host_not_running', `The host's home is not a folder: ${socketPath}`, {
      expected: 'PORTOLAN_HOME or --home with the folder of a host',
      cause: error,
    });
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return new CliError(EXIT.refused, 'socket_permission', `You may not use the host's socket ${socketPath}`, {
      expected: 'the user that runs the host',
      next: `sudo -u "$(stat -c %U ${shellWord(socketPath)})" portolan …`,
      cause: error,
    });
  }
  if (code === 'ECONNRESET' || code === 'EPIPE') {
    return new CliError(EXIT.failed, 'host_gone', 'The host closed the connection in the middle of the answer.', {
      expected: 'a host that keeps running',
      next: 'portolan status',
      cause: error,
    });
  }
  return error;
}
