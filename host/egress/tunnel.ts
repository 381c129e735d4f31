/**
 * A tunnel (CONNECT): bytes both ways, seen by nobody, counted.
 *
 * I1. Each side's end is passed on by itself; what breaks off breaks the other side.
 * I2. Its end is told to the log once.
 */
import type { IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { REFUSAL_HEADER } from '../../shared/gateway.ts';
import { describeFailure } from './failure.ts';
import type { Passage } from './plan.ts';
import { pump } from './pump.ts';
import { formatRefusal, type Refusal, refuse } from './refusal.ts';
import { type CutReason, covers, judge, locate, type Passing, type Scope } from './scope.ts';
import { type Head, parseHead } from './target.ts';
import { pin } from './upstreams.ts';
import { Visit } from './visit.ts';

/** How long who was refused may take to read it. */
const LINGER_MS = 2_000;
const PHRASES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  403: 'Forbidden',
  429: 'Too Many Requests',
  502: 'Bad Gateway',
};

export class Tunnel implements Passing {
  readonly #scope: Scope;
  readonly #request: IncomingMessage;
  readonly #inside: Socket;
  readonly #visit: Visit;
  #judged: { head: Head; passage: Passage } | null = null;
  #outside: Socket | null = null;
  #isOpen = false;
  #isOver = false;

  constructor(scope: Scope, request: IncomingMessage, inside: Socket) {
    this.#scope = scope;
    this.#request = request;
    this.#inside = inside;
    this.#visit = new Visit(scope.who, scope.parts);
  }

  /** `early` is what came behind the head. Resolves when it connects, or is refused. */
  async run(early: Buffer): Promise<void> {
    this.#scope.passing.add(this);
    this.#inside.on('error', () => undefined);
    this.#inside.once('close', () => this.#left());
    const way = early.length > 0 ? refuse('bad_request', 'CONNECT has no body.') : await this.#findWay();
    if (this.#isOver) return;
    if ('kind' in way) this.refuse(way);
    else this.#connect(way.passage, way.addresses);
  }

  recheck(): void {
    if (this.#isOver || this.#judged === null) return;
    const { head } = this.#judged;
    const now = judge(this.#scope, head);
    if (now.kind === 'go') {
      this.#judged = { head, passage: now };
      if (this.#mayStay()) return;
    }
    this.#end('refused', this.#isOpen ? 200 : null, 'not_allowed');
  }

  /** What it is connected to is an address that its rule, as it is now, covers. */
  #mayStay(): boolean {
    const { address } = this.#visit;
    return address === null || this.#judged === null || covers(this.#scope, this.#judged.passage, address);
  }

  cut(why: CutReason): void {
    this.#end('failed', this.#isOpen ? 200 : null, why);
  }

  refuse(refusal: Refusal, retryAfterMs: number | null = null): void {
    if (this.#isOver) return;
    const isFailure = refusal.reason === 'unreachable' || refusal.reason === 'no_address';
    this.#tell(isFailure ? 'failed' : 'refused', refusal.status, refusal.reason);
    this.#outside?.destroy();
    refuseSocket(this.#inside, refusal, retryAfterMs);
  }

  async #findWay(): Promise<{ passage: Passage; addresses: string[] } | Refusal> {
    const parsed = parseHead(this.#request);
    if (parsed.kind === 'refused') return parsed;
    this.#visit.asks(parsed.head);
    const passage = judge(this.#scope, parsed.head);
    if (passage.kind === 'refused') return passage;
    this.#visit.goes(passage);
    this.#judged = { head: parsed.head, passage };
    const addresses = await locate(this.#scope, passage);
    return 'kind' in addresses ? addresses : { passage, addresses };
  }

  #connect(passage: Passage, addresses: readonly string[]): void {
    const { host, port } = passage.upstream;
    const outside = connect({ host: host.text, port, lookup: pin(addresses), allowHalfOpen: true, noDelay: true });
    this.#outside = outside;
    const timer = setTimeout(() => outside.destroy(new Error('late')), this.#scope.limits.connectMs);
    timer.unref();
    outside.on('error', (error) => {
      if (!this.#isOpen) this.refuse(refuse('unreachable', describeFailure(error, passage)));
    });
    outside.once('close', () => {
      clearTimeout(timer);
      this.#closed();
    });
    outside.once('connect', () => {
      clearTimeout(timer);
      this.#visit.address = outside.remoteAddress ?? null;
      if (!this.#mayStay()) {
        this.refuse(refuse('private_address', 'What was connected to is not allowed.'));
        return;
      }
      this.#isOpen = true;
      this.#inside.write('HTTP/1.1 200 Connection established\r\n\r\n');
      this.#join(this.#inside, outside);
    });
  }

  #join(inside: Socket, outside: Socket): void {
    const { idleMs, halfClosedMs } = this.#scope.limits;
    pump(inside, outside, (chunk) => {
      this.#visit.bytesOut += chunk.length;
      return chunk;
    });
    pump(outside, inside, (chunk) => {
      this.#visit.bytesIn += chunk.length;
      return chunk;
    });
    for (const [from, to] of [
      [inside, outside],
      [outside, inside],
    ] as const) {
      from.setTimeout(idleMs, () => this.#end('failed', 200, 'idle'));
      // I1
      from.once('end', () => {
        to.end();
        to.setTimeout(halfClosedMs);
        from.setTimeout(halfClosedMs);
      });
    }
  }

  /** The server outside has ended, in whichever way. */
  #closed(): void {
    if (!this.#isOpen || this.#isOver) return;
    if (this.#outside?.readableEnded === true) {
      if (this.#inside.writableFinished) this.#end('allowed', 200, null);
      else this.#inside.once('finish', () => this.#end('allowed', 200, null));
      return;
    }
    this.#end('failed', 200, 'broken_off');
  }

  #left(): void {
    const isWhole = this.#isOpen && this.#inside.readableEnded;
    this.#end(
      isWhole || this.#isOpen ? 'allowed' : 'failed',
      this.#isOpen ? 200 : null,
      isWhole ? null : 'container_left',
    );
  }

  #end(outcome: 'allowed' | 'refused' | 'failed', status: number | null, reason: string | null): void {
    this.#tell(outcome, status, reason);
    this.#outside?.destroy();
    this.#inside.destroy();
  }

  /** I2 */
  #tell(outcome: 'allowed' | 'refused' | 'failed', status: number | null, reason: string | null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#scope.passing.delete(this);
    this.#visit.end(outcome, status, reason);
  }
}

/** A refusal on a connection that no server of Node's keeps any more. Lets the other side read it. */
export function refuseSocket(socket: Socket, refusal: Refusal, retryAfterMs: number | null = null): void {
  if (socket.destroyed) return;
  const body = formatRefusal(refusal);
  const head = [
    `HTTP/1.1 ${refusal.status} ${PHRASES[refusal.status] ?? 'Refused'}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    `${REFUSAL_HEADER}: ${refusal.reason}`,
    ...(retryAfterMs === null ? [] : [`retry-after: ${Math.max(1, Math.ceil(retryAfterMs / 1_000))}`]),
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), LINGER_MS).unref();
  socket.once('close', () => clearTimeout(timer));
}
