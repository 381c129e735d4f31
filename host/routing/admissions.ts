/**
 * Gates: where messages wait for an admin to let their sender in, or to wire their chat.
 *
 *   message → held ──ask──► approval ──► approved: member, or wiring ──► received again, in order
 *                                   ├──► rejected: turned away for a while ──► dropped and counted
 *                                   └──► expired ──► dropped and counted; the next message asks again
 *
 * I1. `settle` is the only way out of a gate: it reads the tables, does the next step, and can be called at any
 *     time, any number of times. A decision changes the tables and rings it.
 * I2. A held message leaves its row only after it is committed elsewhere, or counted as dropped. Received again
 *     it has the id it would have had, so a crash in between doubles nothing.
 * I3. An admin is asked once per gate, however much waits there.
 * I4. What is let in is one sender to one agent: other agents of the chat decide for themselves.
 */
import { errorCode, Fault, toDiskFault } from '../config/errors.ts';
import { UnderWay } from '../config/under-way.ts';
import { routingLog } from '../observe/logger.ts';
import type { Gate, HeldMessage, HeldStore } from '../store/held.ts';
import type { Holding } from './holding.ts';
import { MAX_HELD_MS, RELEASE_RETRY_MAX_MS, RELEASE_RETRY_MS, SWEEP_HELD_MS } from './limits.ts';

/** What became of a held message that was received again. */
export type ReceivedAgain =
  | { kind: 'received' }
  /** The gate is still closed. */
  | { kind: 'waits' }
  | { kind: 'dropped'; reason: string };

export interface AdmissionParts {
  held: HeldStore;
  holding: Holding;
  /** Throws Fault when the message cannot be taken now. */
  receiveAgain: (message: HeldMessage) => Promise<ReceivedAgain>;
  /** Has an admin asked, once; whether one is. `message` is the first that waits. */
  ask: (message: HeldMessage) => boolean;
  countDropped: (message: HeldMessage, reason: string) => void;
  now: () => number;
}

/** How it stands at a gate: nothing waits, or an admin is asked, or none can be and what waited was dropped. */
export type Settled = 'passed' | 'waits' | 'not_asked';

/** Rows that one sweep drops. */
const MAX_SWEPT = 1_000;

export class Admissions implements AsyncDisposable {
  readonly #parts: AdmissionParts;
  readonly #running = new Map<string, Promise<void>>();
  readonly #retries = new Map<string, { timer: NodeJS.Timeout; delayMs: number }>();
  readonly #underWay = new UnderWay();
  #sweeper: NodeJS.Timeout | null = null;
  #isClosed = false;

  constructor(parts: AdmissionParts) {
    this.#parts = parts;
  }

  /** After a start: what an earlier host left waiting. */
  async start(): Promise<void> {
    await this.#parts.holding.removeOrphans();
    this.sweep();
    this.#sweeper = setInterval(() => this.sweep(), SWEEP_HELD_MS).unref();
    for (const gate of this.#parts.held.listGates()) this.settleSoon(gate);
  }

  /** Drops what waits too long, whatever became of its approval. */
  sweep(): void {
    const { held, now } = this.#parts;
    for (const message of held.listBefore(now() - MAX_HELD_MS, MAX_SWEPT)) {
      this.#inTurn(message.gate, () => this.#drop(message, 'admission_expired')).catch((error: unknown) => {
        this.#report(message.gate, error);
      });
    }
  }

  /** Rejects with the Fault of a message that cannot be taken now; it and those behind it go on waiting. */
  async settle(gate: Gate): Promise<Settled> {
    let settled: Settled = 'passed';
    await this.#inTurn(gate, async () => {
      settled = await this.#settle(gate);
    });
    return settled;
  }

  /** The same without a caller who waits; a fault is tried again. */
  settleSoon(gate: Gate): void {
    this.settle(gate).then(
      () => this.#forgetRetry(gate),
      (error: unknown) => this.#report(gate, error),
    );
  }

  /** Nobody decided in time: drops what waits since then or longer. */
  async expire(gate: Gate, since: number): Promise<void> {
    await this.#inTurn(gate, async () => {
      for (const message of this.#walk(gate)) {
        if (message.createdAt > since) return;
        await this.#drop(message, 'admission_expired');
      }
    });
  }

  async #settle(gate: Gate): Promise<Settled> {
    const { receiveAgain, ask, holding } = this.#parts;
    let isRefused = false;
    for (const message of this.#walk(gate)) {
      const outcome = await receiveAgain(message).catch(readLoss);
      if (outcome.kind === 'received') await holding.remove(message);
      else if (outcome.kind === 'dropped') await this.#drop(message, outcome.reason);
      else if (ask(message)) return 'waits';
      else {
        isRefused = true;
        await this.#drop(message, 'too_many_strangers');
      }
    }
    return isRefused ? 'not_asked' : 'passed';
  }

  /** The first that waits, again and again: whoever walks takes it away or stops. */
  *#walk(gate: Gate): Generator<HeldMessage> {
    for (;;) {
      const [first] = this.#isClosed ? [] : this.#parts.held.listAt(gate, 1);
      if (first === undefined) return;
      yield first;
    }
  }

  async #drop(message: HeldMessage, reason: string): Promise<void> {
    if (!this.#parts.held.exists(message.id)) return;
    this.#parts.countDropped(message, reason);
    await this.#parts.holding.remove(message);
  }

  /** One at a time for each gate, in the order they were asked for. */
  #inTurn(gate: Gate, work: () => Promise<void>): Promise<void> {
    const key = keyOf(gate);
    const mine = (this.#running.get(key) ?? Promise.resolve()).then(work, work);
    this.#running.set(key, mine);
    const done = () => {
      if (this.#running.get(key) === mine) this.#running.delete(key);
    };
    mine.then(done, done);
    return this.#underWay.add(mine);
  }

  #report(gate: Gate, error: unknown): void {
    const fault = error instanceof Fault ? error : toDiskFault(error);
    if (fault === null) throw error;
    if (this.#isClosed) return;
    const key = keyOf(gate);
    const known = this.#retries.get(key);
    if (known !== undefined) clearTimeout(known.timer);
    const delayMs = Math.min(RELEASE_RETRY_MAX_MS, known === undefined ? RELEASE_RETRY_MS : known.delayMs * 2);
    routingLog.warn({ err: fault, delayMs }, 'messages that were let in cannot be taken now, and are tried again');
    this.#retries.set(key, { timer: setTimeout(() => this.settleSoon(gate), delayMs).unref(), delayMs });
  }

  #forgetRetry(gate: Gate): void {
    const known = this.#retries.get(keyOf(gate));
    if (known === undefined) return;
    clearTimeout(known.timer);
    this.#retries.delete(keyOf(gate));
  }

  /** Waits for what is under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    if (this.#sweeper !== null) clearInterval(this.#sweeper);
    for (const { timer } of this.#retries.values()) clearTimeout(timer);
    await this.#underWay[Symbol.asyncDispose]();
  }
}

/** Its files are gone, whoever took them: the message is lost, and those behind it are not. */
function readLoss(error: unknown): ReceivedAgain {
  if (errorCode(error) !== 'ENOENT') throw error;
  routingLog.error({ err: error }, 'files of a message that waited are gone');
  return { kind: 'dropped', reason: 'unreadable' };
}

function keyOf(gate: Gate): string {
  return JSON.stringify(
    gate.kind === 'sender' ? [gate.agentGroupId, gate.senderId] : ['', gate.channelType, gate.platformId],
  );
}
