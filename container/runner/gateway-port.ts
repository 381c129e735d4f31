/**
 * The way out as programs inside see it: 127.0.0.1:3128, an ordinary HTTP proxy and base URL. What speaks HTTP is the
 * host's gateway behind `in/gateway.sock`; here bytes are carried, and nothing is read.
 *
 *   program ─▶ 127.0.0.1:port ─▶ in/gateway.sock      a connection each, both ways, each end closed by itself
 *
 * I1. Each connection connects anew: a host that restarts puts another socket into its place.
 * I2. Neither side is read faster than the other takes it.
 * I3. Whoever connects is as untrusted as all else in the container: connections are bounded, and none ends the
 *     runner or keeps it up.
 * I4. Without the gateway a program gets an answer that says so, in the gateway's own form, not a closed door.
 */
import { closeSync, constants, openSync } from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { basename, dirname } from 'node:path';
import { GATEWAY_PORT, type GatewayRefusal, makeRefusalBody, REFUSAL_HEADER } from '../../shared/gateway.ts';
import { describeError, log } from './log.ts';

/** On an answer that the runner gives because the gateway is not there. */
export const RUNNER_HEADER = 'x-portolan-runner';

const HOST = '127.0.0.1';
/** At once. Higher: they use up the process's open files, two each of 1,024. Lower: parallel downloads fail. */
const MAX_CONNECTIONS = 256;
/** How long a program may go on sending after its answer. Higher: it keeps its place. Lower: it may not get to read the answer. */
const LINGER_MS = 2_000;
/** Longest path of a Unix socket, in bytes: what `sockaddr_un` holds. */
const MAX_SOCKET_PATH_BYTES = 107;

export class GatewayPort implements Disposable {
  readonly #path: SocketPath;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #connections = 0;

  constructor(socketPath: string) {
    this.#path = new SocketPath(socketPath);
    // Each end is closed by itself: a program may end its request and still read.
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#serve(client));
    this.#server.unref();
  }

  /** Resolves with the port that it got: `wanted`, or any free one when that is taken. */
  async listen(wanted: number = GATEWAY_PORT): Promise<number> {
    try {
      return await this.#listen(wanted);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error;
      log.warn('the port of the gateway is taken, another is used', { port: wanted });
      return await this.#listen(0);
    }
  }

  #listen(port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host: HOST, port }, () => {
        this.#server.off('error', reject);
        this.#server.on('error', (error) =>
          log.warn('the gateway port has a problem', { error: describeError(error) }),
        );
        const address = this.#server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : port);
      });
    });
  }

  #serve(client: Socket): void {
    this.#keep(client);
    if (this.#connections >= MAX_CONNECTIONS) {
      refuse(client, 429, TOO_MANY);
      return;
    }
    this.#connections++;
    client.once('close', () => {
      this.#connections--;
    });
    const gateway = createConnection({ path: this.#path.toConnect(), allowHalfOpen: true });
    this.#keep(gateway);
    const giveUp = (error: Error) => {
      log.warn('the gateway cannot be reached', { error: describeError(error) });
      refuse(client, 502, describeAbsence(error));
    };
    gateway.once('error', giveUp);
    gateway.once('connect', () => {
      gateway.off('error', giveUp);
      // I2. Each end of what one side says is passed on as an end.
      client.pipe(gateway);
      gateway.pipe(client);
      gateway.once('close', () => (gateway.readableEnded ? closeGently(client) : client.resetAndDestroy()));
    });
    client.once('close', () => {
      // With both ends said, what is still on its way to the gateway may arrive.
      if (!client.readableEnded || !gateway.readableEnded) gateway.destroy();
    });
  }

  /** I3. */
  #keep(socket: Socket): void {
    socket.unref();
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    // It is destroyed with it; `close` says the rest.
    socket.on('error', () => undefined);
  }

  [Symbol.dispose](): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    this.#path[Symbol.dispose]();
  }
}

/** A socket's path as it can be connected to: one that is too long goes through its folder, which stays open. */
class SocketPath implements Disposable {
  readonly #path: string;
  #folder: number | null = null;

  constructor(path: string) {
    this.#path = path;
  }

  toConnect(): string {
    if (Buffer.byteLength(this.#path) <= MAX_SOCKET_PATH_BYTES) return this.#path;
    this.#folder ??= openSync(dirname(this.#path), constants.O_RDONLY | constants.O_DIRECTORY);
    return `/proc/self/fd/${this.#folder}/${basename(this.#path)}`;
  }

  [Symbol.dispose](): void {
    if (this.#folder !== null) closeSync(this.#folder);
    this.#folder = null;
  }
}

interface Refusal {
  type: GatewayRefusal;
  message: string;
  next: string;
}

const TOO_MANY: Refusal = {
  type: 'too_many',
  message: `More than ${MAX_CONNECTIONS} connections to the gateway are open at once.`,
  next: 'Close some, or wait for them to end.',
};

function describeAbsence(error: Error): Refusal {
  const code = 'code' in error ? String(error.code) : error.name;
  return {
    type: 'unreachable',
    message: `The host's gateway is not there (in/gateway.sock: ${code}), so nothing outside can be reached now.`,
    next: 'Try again in a few seconds: a host that restarts opens it anew. If it stays away, tell an admin.',
  };
}

/** I4. */
function refuse(client: Socket, status: 429 | 502, { type, message, next }: Refusal): void {
  const body = JSON.stringify(makeRefusalBody(type, message, next));
  const head = [
    `HTTP/1.1 ${status} ${status === 429 ? 'Too Many Requests' : 'Bad Gateway'}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    `${REFUSAL_HEADER}: ${type}`,
    `${RUNNER_HEADER}: 1`,
    'connection: close',
  ];
  client.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  closeGently(client);
}

/** Lets a program read what it was sent, though it may still be sending: closing at once would reset the connection. */
function closeGently(client: Socket): void {
  client.unpipe();
  client.resume();
  client.end();
  const cutOff = () => setTimeout(() => client.destroy(), LINGER_MS).unref();
  if (client.writableFinished) cutOff();
  else client.once('finish', cutOff);
}
