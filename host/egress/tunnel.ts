/**
 * A tunnel (CONNECT): bytes both ways, seen by nobody, counted.
 *
 * I1. Each side's end is passed on by itself; what breaks off breaks the other side.
 * I2. Its end is told to the log once.
 */
import type { IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { describeFailure } from './failure.ts';
import { refuseSocket } from './farewell.ts';
import { Judgement } from './judgement.ts';
import type { Passage } from './plan.ts';
import { pump } from './pump.ts';
import { outcomeOf, type Refusal, refuse } from './refusal.ts';
import type { CutReason, Passing, Scope } from './scope.ts';
import { pin } from './upstreams.ts';
import type { Visit } from './visit.ts';

export class Tunnel implements Passing {
  readonly #scope: Scope;
  readonly #request: IncomingMessage;
  readonly #inside: Socket;
  readonly #judgement: Judgement;
  readonly #visit: Visit;
  #outside: Socket | null = null;
  #isOpen = false;
  #isOver = false;

  constructor(scope: Scope, request: IncomingMessage, inside: Socket) {
    this.#scope = scope;
    this.#request = request;
    this.#inside = inside;
    this.#judgement = new Judgement(scope);
    this.#visit = this.#judgement.visit;
  }

  /** `early` is what came behind the head. Resolves when it connects, or is refused. */
  async run(early: Buffer): Promise<void> {
    this.#scope.passing.add(this);
    this.#inside.on('error', () => undefined);
    this.#inside.once('close', () => this.#left());
    const judged =
      early.length > 0 ? refuse('bad_request', 'CONNECT has no body.') : this.#judgement.decide(this.#request);
    if (judged.kind === 'refused') this.refuse(judged);
    else await this.#find();
  }

  recheck(): void {
    if (this.#isOver || this.#judgement.holds()) return;
    this.#end('refused', this.#isOpen ? 200 : null, 'not_allowed');
  }

  cut(why: CutReason): void {
    this.#end('failed', this.#isOpen ? 200 : null, why);
  }

  refuse(refusal: Refusal, retryAfterMs: number | null = null): void {
    if (this.#isOver) return;
    this.#tell(outcomeOf(refusal), refusal.status, refusal.reason);
    this.#outside?.destroy();
    refuseSocket(this.#inside, refusal, retryAfterMs);
  }

  async #find(): Promise<void> {
    const located = await this.#judgement.locate();
    if (this.#isOver) return;
    if (located.kind === 'refused') this.refuse(located);
    else this.#connect(located.passage, located.addresses);
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
      const refused = this.#judgement.connected(outside.remoteAddress ?? null);
      if (refused !== null) {
        this.refuse(refused);
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
