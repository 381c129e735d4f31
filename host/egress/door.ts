/**
 * The gateway as one session sees it: a socket in its folder, and all that comes through it.
 *
 *   shut ─listen→ open ⇄ flooded (shut for seconds)          any ─close→ gone
 *
 * I1. Who asks is known by the socket alone.
 * I2. What one session may have is bounded: connections, requests, time without a byte. Beyond it, it waits; others
 *     do not (I10 of the architecture).
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { errorCode } from '../config/errors.ts';
import { egressLog } from '../observe/logger.ts';
import { Exchange } from './exchange.ts';
import { refuseSocket, turnAway } from './farewell.ts';
import { Rate } from './rate.ts';
import { refuse } from './refusal.ts';
import type { Scope } from './scope.ts';
import { SocketPlace } from './socket-place.ts';
import { Tunnel } from './tunnel.ts';
import { Visit } from './visit.ts';

/** How long a door stays shut that too many connect to. Higher: the agent's own programs wait. Lower: a flood costs more. */
const SHUT_MS = 1_000;
/** Higher: dead connections are held longer. Lower: the container hears nothing. */
const AFTER_IDLE_MS = 1_000;
/** Requests on one connection that wait for their turn to be answered. Higher: memory for whoever sends and reads nothing. */
const MAX_PIPELINED = 16;
/**
 * Requests whose bodies come in chunks, at once. 64 KiB can be 10,000 chunks of a byte, each of which costs the host
 * as much as a large one, and all that was read at once is gone through at once. Higher: such bodies together hold
 * all other sessions up. Lower: programs that stream several uploads wait.
 */
const MAX_CHUNKED = 4;
/**
 * Requests that came behind what ended their connection, or in chunks beyond MAX_CHUNKED, at once and per second
 * after that. Nothing comes of them, and each is read. Higher: all connections of a session together hold the others
 * up for longer. Lower: a program that sends far ahead takes the whole session's connections with it.
 */
const LOST_BURST = 16;
const LOST_PER_SECOND = 4;
/** How often connections are looked over for heads that do not come. Higher: they stay longer than `headMs`. Lower: busy work for each session. */
const LOOK_OVER_MS = 5_000;

export class SessionDoor {
  readonly #scope: Scope;
  readonly #server: Server;
  readonly #place: SocketPlace;
  readonly #connections: Rate;
  readonly #requests: Rate;
  /** With the requests of each that are not answered yet. */
  readonly #sockets = new Map<Socket, Set<Exchange>>();
  /** Those whose bodies are still coming, in chunks. */
  readonly #chunked = new Set<IncomingMessage>();
  #lost = new Rate(LOST_BURST, LOST_PER_SECOND, performance.now());
  #shut: NodeJS.Timeout | null = null;
  #isGone = false;

  constructor(scope: Scope, socketPath: string) {
    const { limits } = scope;
    this.#scope = scope;
    this.#place = new SocketPlace(socketPath);
    this.#connections = new Rate(limits.connectionBurst, limits.connectionsPerSecond, performance.now());
    this.#requests = new Rate(limits.requestBurst, limits.requestsPerMinute / 60, performance.now());
    this.#server = this.#makeServer();
  }

  /** Rejects with what the file system said. */
  async listen(): Promise<void> {
    await this.#place.listen(this.#server);
    if (this.#isGone) this.#place.leave(this.#server);
  }

  /** Whether its socket is where it was put. */
  isThere(): boolean {
    return this.#shut !== null || this.#place.isThere();
  }

  get connections(): number {
    return this.#sockets.size;
  }

  get open(): number {
    return this.#scope.passing.size;
  }

  /** What cannot be judged does not go on (I11 of the architecture). */
  recheck(): void {
    for (const passing of [...this.#scope.passing]) {
      try {
        passing.recheck();
      } catch (error) {
        egressLog.error({ err: error, session: this.#scope.who.sessionId }, 'a request could not be judged again');
        passing.cut('gateway_failed');
      }
    }
  }

  close(): void {
    this.#isGone = true;
    if (this.#shut !== null) clearTimeout(this.#shut);
    for (const passing of [...this.#scope.passing]) passing.cut('session_closed');
    this.#place.leave(this.#server);
    for (const socket of this.#sockets.keys()) socket.destroy();
    this.#scope.upstreams[Symbol.dispose]();
  }

  #makeServer(): Server {
    const { limits } = this.#scope;
    const server = createServer({
      maxHeaderSize: limits.maxHeadBytes,
      headersTimeout: limits.headMs,
      keepAliveTimeout: limits.keepAliveMs,
      // A large body may take its time: what limits it is `timeout`.
      requestTimeout: 0,
      connectionsCheckingInterval: Math.min(LOOK_OVER_MS, limits.headMs),
      // Old clients connect without; the form of the request says where to.
      requireHostHeader: false,
      noDelay: true,
    });
    // After that of the server outside: so that the container hears what was waited for.
    server.timeout = limits.idleMs + AFTER_IDLE_MS;
    server.maxConnections = limits.maxConnections;
    // All of them are looked at: one more is one that nobody checked.
    server.maxHeadersCount = 0;
    server.on('connection', (socket) => this.#connected(socket));
    server.on('drop', () => {
      this.#note('too_many');
      this.#countConnection();
    });
    server.on('request', (request, response) => this.#serve(request, response, false));
    server.on('checkContinue', (request, response) => this.#serve(request, response, true));
    server.on('connect', (request, socket: Socket, early) => this.#tunnel(request, socket, early));
    server.on('clientError', (error, socket: Socket) => this.#misread(error, socket));
    return server;
  }

  #connected(socket: Socket): void {
    this.#sockets.set(socket, new Set());
    socket.on('error', () => undefined);
    socket.once('close', () => {
      // Those that waited for their turn to be answered hear of it from nobody else.
      for (const exchange of this.#sockets.get(socket) ?? []) exchange.left();
      this.#sockets.delete(socket);
      for (const request of this.#chunked) if (request.socket === socket) this.#chunked.delete(request);
    });
    this.#countConnection();
  }

  /** I2: past its rate the door is shut, so that connecting costs the host nothing. */
  #countConnection(): void {
    if (!this.#connections.spend(performance.now())) this.#shutFor(SHUT_MS);
  }

  /**
   * I2: what a connection sent is gone through as a whole, also once it was ended in the middle. So who sends such
   * floods loses all connections, before the others are read.
   */
  #countLost(): void {
    if (this.#lost.spend(performance.now())) return;
    this.#lost = new Rate(LOST_BURST, LOST_PER_SECOND, performance.now());
    this.#shutFor(this.#scope.limits.floodShutMs);
    for (const socket of this.#sockets.keys()) socket.destroy();
  }

  #shutFor(ms: number): void {
    if (this.#shut !== null || this.#isGone) return;
    egressLog.warn({ session: this.#scope.who.sessionId }, 'a session floods its gateway');
    this.#note('too_many');
    this.#place.leave(this.#server);
    this.#shut = setTimeout(() => {
      this.#shut = null;
      this.listen().catch((error: unknown) => {
        egressLog.error({ err: error, session: this.#scope.who.sessionId }, 'a gateway could not be opened again');
      });
    }, ms);
  }

  #serve(request: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void {
    const { socket } = request;
    // What was read together with what ended the connection.
    if (socket.destroyed) {
      this.#countLost();
      return;
    }
    if (!this.#mayComeInChunks(request)) {
      this.#note('too_many');
      this.#countLost();
      const what = `More than ${MAX_CHUNKED} requests of this session come in chunks at once.`;
      turnAway(request, response, refuse('too_many', what, 'say their lengths, or wait, then try again'));
      return;
    }
    const waiting = this.#sockets.get(socket) ?? new Set();
    if (waiting.size >= MAX_PIPELINED) {
      this.#note('too_many');
      socket.destroy();
      return;
    }
    const exchange = new Exchange(this.#scope, request, response, expectsContinue);
    waiting.add(exchange);
    response.once('close', () => {
      waiting.delete(exchange);
      exchange.left();
    });
    this.#begin(exchange, () => exchange.run(), socket);
  }

  #mayComeInChunks(request: IncomingMessage): boolean {
    if (request.headers['transfer-encoding'] === undefined) return true;
    if (this.#chunked.size >= MAX_CHUNKED) return false;
    this.#chunked.add(request);
    // Not at its `close`: that is told of a request that was answered while its body still comes.
    request.once('end', () => this.#chunked.delete(request));
    return true;
  }

  #tunnel(request: IncomingMessage, socket: Socket, early: Buffer): void {
    // Its answer would come before, or among, those that are still to be given.
    if (this.#waitingOn(socket) > 0) {
      this.#note('bad_request');
      socket.destroy();
      return;
    }
    const tunnel = new Tunnel(this.#scope, request, socket);
    this.#begin(tunnel, () => tunnel.run(early), socket);
  }

  #begin(passing: Exchange | Tunnel, run: () => Promise<void>, socket: Socket): void {
    const { limits, passing: open } = this.#scope;
    const isInTime = this.#requests.spend(performance.now());
    if (!isInTime || open.size >= limits.maxOpen) {
      const what = isInTime
        ? `More than ${limits.maxOpen} requests of this session are open at once.`
        : `This session has made more than ${limits.requestsPerMinute} requests a minute.`;
      const waitMs = isInTime ? limits.refusalDelayMs : this.#requests.waitMs;
      // I2
      setTimeout(() => {
        passing.refuse(refuse('too_many', what, 'wait, then try again'), waitMs);
      }, limits.refusalDelayMs).unref();
      return;
    }
    run().catch((error: unknown) => {
      egressLog.error({ err: error, session: this.#scope.who.sessionId }, 'a request failed in the gateway');
      passing.cut('gateway_failed');
      socket.destroy();
    });
  }

  #waitingOn(socket: Socket): number {
    return this.#sockets.get(socket)?.size ?? 0;
  }

  /** What is no HTTP/1.1, or does not come to its end. */
  #misread(error: Error, socket: Socket): void {
    const code = errorCode(error);
    if (socket.destroyed || code === 'ECONNRESET' || code === 'EPIPE') {
      socket.destroy();
      return;
    }
    if (socket.bytesRead > 0) this.#note('bad_request');
    // In the middle of another answer there is no place for this one.
    if (this.#waitingOn(socket) > 0 || !socket.writable) socket.destroy();
    else refuseSocket(socket, refuse('bad_request', `The gateway speaks HTTP/1.1, and this was none (${code}).`));
  }

  /** Into the log, of what has no request. */
  #note(reason: 'too_many' | 'bad_request'): void {
    const { who, parts } = this.#scope;
    new Visit(who, parts).end('refused', reason === 'too_many' ? null : 400, reason);
  }
}
