/**
 * The two doors: TCP on loopback, and a Unix socket that only its owner can open.
 *
 * I1. TCP listens on 127.0.0.1 alone.
 * I2. The socket has mode 0600 from the moment it exists.
 */
import { lstatSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { errorCode, Fault } from '../../config/errors.ts';
import type { UnderWay } from '../../config/under-way.ts';
import { buildApp } from './app.ts';
import { EventStreams } from './event-stream.ts';
import * as limits from './limits.ts';
import type { ApiParts } from './ports.ts';
import { discardStagedUploads } from './uploads.ts';

export interface ServerOptions {
  /** 0 lets the system choose. */
  port: number;
  socketPath: string;
  /** Of scripts over TCP. */
  bearerToken: string;
  /**
   * Requests that are not answered yet. One whose caller has left, or was cut off by the close, is worked on to its
   * end: whoever closes what requests write to waits here first.
   */
  requests: UnderWay;
}

export interface ApiServer extends AsyncDisposable {
  readonly port: number;
}

type Listener = ReturnType<typeof getRequestListener>;

/** Opens both doors. Throws Fault `port_in_use`, `port_refused`, `socket_unusable`; neither stays open then. */
export async function startServer(parts: ApiParts, options: ServerOptions): Promise<ApiServer> {
  discardStagedUploads(parts.uploads);
  const streams = new EventStreams(parts);
  const app = buildApp(parts, streams, options.bearerToken);
  let port = options.port;
  const listenerFor = (door: 'tcp' | 'unix'): Listener =>
    getRequestListener(
      (request, env) => {
        const answer = app.fetch(request, { ...env, door, port });
        return answer instanceof Promise ? options.requests.add(answer) : answer;
      },
      { overrideGlobalObjects: false },
    );
  const tcp = makeServer(listenerFor('tcp'));
  port = await listenTcp(tcp, options.port);
  const unix = makeServer(listenerFor('unix'));
  try {
    await listenUnix(unix, options.socketPath);
  } catch (error) {
    await close(tcp);
    throw error;
  }
  return {
    port,
    async [Symbol.asyncDispose]() {
      streams[Symbol.dispose]();
      await Promise.all([close(tcp), close(unix)]);
    },
  };
}

const OPTIONS = { maxHeaderSize: limits.MAX_HEADER_BYTES, connectionsCheckingInterval: limits.TIMEOUT_CHECK_MS };

function makeServer(listener: Listener): Server {
  const server = createServer(OPTIONS, (request, response) => {
    // Failures of requests are answers; what is left is a connection that broke.
    listener(request, response).catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  });
  server.maxConnections = limits.MAX_CONNECTIONS;
  server.headersTimeout = limits.HEADERS_TIMEOUT_MS;
  server.requestTimeout = limits.REQUEST_TIMEOUT_MS;
  server.timeout = limits.SILENCE_TIMEOUT_MS;
  return server;
}

/** I1. Returns the port. */
async function listenTcp(server: Server, port: number): Promise<number> {
  try {
    await listen(server, () => server.listen({ host: '127.0.0.1', port }));
  } catch (cause) {
    const code = errorCode(cause);
    if (code === 'EADDRINUSE') {
      throw new Fault('port_in_use', `port ${port} of 127.0.0.1 is taken by another program`, {
        cause,
        hint: `PORTOLAN_PORT=${port + 1} npm run up`,
      });
    }
    throw new Fault('port_refused', `cannot listen on port ${port} of 127.0.0.1 (${code})`, {
      cause,
      hint: 'PORTOLAN_PORT=4180 npm run up',
    });
  }
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has an address');
  return address.port;
}

/** I2. A socket of an earlier host is replaced: this host holds the home's lock. */
async function listenUnix(server: Server, path: string): Promise<void> {
  try {
    if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() === true) rmSync(path);
    await listen(server, () => {
      // The file is made within the call, so no other file of this process gets this mask.
      const umask = process.umask(0o177);
      try {
        server.listen({ path });
      } finally {
        process.umask(umask);
      }
    });
  } catch (cause) {
    throw new Fault('socket_unusable', `cannot listen on ${path} (${errorCode(cause)})`, {
      cause,
      hint: `remove ${path}, or choose another PORTOLAN_HOME`,
    });
  }
}

function listen(server: Server, start: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', () => {
      server.off('error', reject);
      resolve();
    });
    start();
  });
}

/** Lets open requests end, then cuts what is left. */
async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // A kept connection falls idle when its answer is out; nothing tells of that.
  const sweep = setInterval(() => server.closeIdleConnections(), limits.DRAIN_SWEEP_MS);
  const timer = setTimeout(() => server.closeAllConnections(), limits.DRAIN_MS);
  await closed;
  clearInterval(sweep);
  clearTimeout(timer);
}
