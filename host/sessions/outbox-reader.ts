/**
 * Reads outbound.db in child processes (I3).
 *
 * I1. Two readers: one for everybody, one for sessions that were slow before, so that a hostile
 *     database delays only its like. Each works on one file at a time.
 * I2. A read past READ_DEADLINE_MS ends its process. It is tried once more, in the reader for slow ones: one
 *     stall of the machine blames nobody. The second time the session has broken the contract.
 * I3. Unused readers end after READER_IDLE_MS.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { READ_DEADLINE_MS, READER_IDLE_MS, SLOW_READ_MS } from '../config/limits.ts';
import type { OutboxSnapshot, ReadAnswer, ReadRequest } from './reader-protocol.ts';

export type ReadResult =
  | { kind: 'snapshot'; snapshot: OutboxSnapshot }
  | { kind: 'busy' }
  | { kind: 'hot-journal' }
  | { kind: 'violation'; reason: string };

/** How a read went, before anybody is blamed for one that never answered. */
type LaneResult = ReadResult | { kind: 'unanswered'; reason: string };

interface Waiting {
  request: ReadRequest;
  resolve: (result: LaneResult) => void;
}

/** One child process and its queue. */
class Lane {
  readonly #entry: string;
  readonly #onTime: (out: string, isSlow: boolean) => void;
  /** Its first read pays for its start. */
  #isFresh = true;
  #child: ChildProcess | null = null;
  #queue: Waiting[] = [];
  #current: (Waiting & { sentAt: number; deadline: NodeJS.Timeout }) | null = null;
  #idle: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(entry: string, onTime: (out: string, isSlow: boolean) => void) {
    this.#entry = entry;
    this.#onTime = onTime;
  }

  read(request: ReadRequest): Promise<LaneResult> {
    return new Promise((resolve) => {
      if (this.#closed) {
        resolve({ kind: 'busy' });
        return;
      }
      this.#queue.push({ request, resolve });
      this.#next();
    });
  }

  /** Starts the process ahead of need. */
  warm(): void {
    this.#ensure();
    if (this.#current === null) this.#armIdle();
  }

  #next(): void {
    if (this.#current !== null) return;
    const waiting = this.#queue.shift();
    if (waiting === undefined) {
      this.#armIdle();
      return;
    }
    const child = this.#ensure();
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#idle = null;
    // An answer may wait behind the timer when this process itself stood still: look once more before judging.
    const deadline = setTimeout(() => setImmediate(() => this.#overrun(waiting.request.id)), READ_DEADLINE_MS);
    this.#current = { ...waiting, sentAt: performance.now(), deadline };
    // A reader that is gone says so through its 'exit'.
    child.send(waiting.request, () => undefined);
  }

  #settle(result: LaneResult): void {
    const current = this.#current;
    if (current === null) return;
    clearTimeout(current.deadline);
    this.#current = null;
    if (!this.#isFresh) this.#onTime(current.request.out, performance.now() - current.sentAt > SLOW_READ_MS);
    this.#isFresh = false;
    current.resolve(result);
    this.#next();
  }

  #overrun(id: number): void {
    if (this.#current?.request.id !== id) return;
    this.#end();
    this.#settle({ kind: 'unanswered', reason: `outbound.db: reading it took longer than ${READ_DEADLINE_MS} ms` });
  }

  #ensure(): ChildProcess {
    if (this.#child !== null) return this.#child;
    const child = fork(this.#entry, [], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], execArgv: READER_FLAGS });
    child.on('message', (message) => {
      // The reader is our own program; only what it carries is not believed.
      const answer = message as ReadAnswer;
      if (this.#child === child && answer.id === this.#current?.request.id) this.#settle(answer);
    });
    const gone = () => {
      if (this.#child !== child) return;
      this.#child = null;
      // Memory, a crash inside SQLite: the file being read is the likely cause.
      this.#settle({ kind: 'unanswered', reason: 'outbound.db: reading it ended the reader' });
    };
    child.on('exit', gone);
    // It could not be started, or could not be written to.
    child.on('error', gone);
    this.#child = child;
    this.#isFresh = true;
    return child;
  }

  #armIdle(): void {
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.#end(), READER_IDLE_MS);
    this.#idle.unref();
  }

  #end(): void {
    const child = this.#child;
    this.#child = null;
    child?.kill('SIGKILL');
  }

  close(): void {
    this.#closed = true;
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#end();
    this.#settle({ kind: 'busy' });
    for (const waiting of this.#queue.splice(0)) waiting.resolve({ kind: 'busy' });
  }
}

/** Heap of a reader. Lower: large batches fail. Higher: a hostile database costs the machine. */
const READER_FLAGS = ['--max-old-space-size=128', '--max-semi-space-size=2'];
/** Sessions remembered as slow. */
const MAX_SLOW = 1_000;

export class OutboxReader implements Disposable {
  readonly #fast: Lane;
  readonly #slow: Lane;
  readonly #slowOnes = new Set<string>();
  #nextId = 1;

  /** `entry` is the built reader program. */
  constructor(entry: string) {
    const onTime = (out: string, isSlow: boolean) => {
      if (!isSlow) this.#slowOnes.delete(out);
      else {
        if (this.#slowOnes.size >= MAX_SLOW) this.#slowOnes.clear();
        this.#slowOnes.add(out);
      }
    };
    this.#fast = new Lane(entry, onTime);
    this.#slow = new Lane(entry, onTime);
  }

  async read(request: Omit<ReadRequest, 'id'>): Promise<ReadResult> {
    const lane = this.#slowOnes.has(request.out) ? this.#slow : this.#fast;
    const first = await lane.read({ ...request, id: this.#nextId++ });
    if (first.kind !== 'unanswered') return first;
    const second = await this.#slow.read({ ...request, id: this.#nextId++ });
    return second.kind === 'unanswered' ? { kind: 'violation', reason: second.reason } : second;
  }

  /** A container is starting: have the reader ready when it answers. */
  warm(): void {
    this.#fast.warm();
  }

  [Symbol.dispose](): void {
    this.#fast.close();
    this.#slow.close();
  }
}
