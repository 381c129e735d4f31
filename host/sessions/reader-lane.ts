/**
 * One reader process and what waits for it: started when needed, ended when unused or when a read overruns.
 *
 *   none ─fork→ starting ─up→ reading ⇄ ready ─unused→ none
 *                  └── too late, or gone ──┘ ─overrun→ none
 *
 * I1. The deadline of a read runs from when its reader could read: not while that starts.
 * I2. Only a reader that was at work for a read until its deadline, or that ended in it, leaves it `unanswered`.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { READ_DEADLINE_MS, READ_WORK_MS, READER_IDLE_MS, READER_START_MS, SLOW_READ_MS } from '../config/limits.ts';
import { sessionsLog } from '../observe/logger.ts';
import type { OutboxSnapshot, ReaderMessage, ReadRequest } from './reader-protocol.ts';
import { readWorkMs } from './reader-work.ts';

/** Heap of a reader. Lower: large batches fail. Higher: a hostile database costs the machine. */
const READER_FLAGS = ['--max-old-space-size=128', '--max-semi-space-size=2'];
export type ReadResult =
  | { kind: 'snapshot'; snapshot: OutboxSnapshot }
  /** The container holds a lock. */
  | { kind: 'busy' }
  /** No reader had the time for it; nothing is known of the file, and nobody is to blame. */
  | { kind: 'unread' }
  | { kind: 'hot-journal' }
  | { kind: 'violation'; reason: string };

/** How a read went, before anybody is blamed for one that never answered. */
export type LaneResult = ReadResult | { kind: 'unanswered'; reason: string };

interface Waiting {
  request: ReadRequest;
  resolve: (result: LaneResult) => void;
}

/** The read under way: it waits for its reader to come up, then for the answer. */
interface Current extends Waiting {
  sentAt: number;
  /** Processor time of the reader when it was asked; null while it starts, or where nobody can tell. */
  workedMs: number | null;
  deadline: NodeJS.Timeout;
}

/** One reader process and its queue. */
export class ReaderLane {
  readonly #entry: string;
  readonly #onTime: (out: string, isSlow: boolean) => void;
  /** Its first read pays for its start. */
  #isFresh = true;
  /** It has said that it can read. */
  #isUp = false;
  #child: ChildProcess | null = null;
  #queue: Waiting[] = [];
  #current: Current | null = null;
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
    if (this.#closed) return;
    this.#ensure();
    if (this.#current === null) this.#armIdle();
  }

  #next(): void {
    // Closed: what waits has its answer, and starts no reader.
    if (this.#current !== null || this.#closed) return;
    const waiting = this.#queue.shift();
    if (waiting === undefined) {
      this.#armIdle();
      return;
    }
    const child = this.#ensure();
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#idle = null;
    const { id } = waiting.request;
    const deadline = setTimeout(() => this.#giveUpStart(id), READER_START_MS);
    this.#current = { ...waiting, sentAt: performance.now(), workedMs: null, deadline };
    if (this.#isUp) this.#send(child, this.#current);
  }

  #send(child: ChildProcess, current: Current): void {
    clearTimeout(current.deadline);
    const { id } = current.request;
    current.sentAt = performance.now();
    current.workedMs = readWorkMs(child.pid);
    // An answer may wait behind the timer when this process itself stood still: look once more before judging.
    current.deadline = setTimeout(() => setImmediate(() => this.#overrun(id)), READ_DEADLINE_MS);
    // A reader that is gone says so through its 'exit'.
    child.send(current.request, () => undefined);
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
    const { workedMs, request } = this.#current;
    const nowMs = readWorkMs(this.#child?.pid);
    const isStarved = workedMs !== null && nowMs !== null && nowMs - workedMs < READ_WORK_MS;
    this.#end();
    // However it comes that it is slow, the others do not wait for it again.
    this.#onTime(request.out, true);
    this.#isFresh = true;
    if (isStarved) sessionsLog.warn({ out: request.out }, 'a reader had no processor time; its read is tried again');
    const reason = `outbound.db: reading it took longer than ${READ_DEADLINE_MS} ms`;
    this.#settle(isStarved ? { kind: 'unread' } : { kind: 'unanswered', reason });
  }

  #giveUpStart(id: number): void {
    if (this.#current?.request.id !== id) return;
    this.#end();
    this.#settleUnstarted(`it did not come up within ${READER_START_MS} ms`);
  }

  /** The reader's own trouble: no file has been opened. */
  #settleUnstarted(why: string): void {
    sessionsLog.error({ entry: this.#entry, why }, 'a reader did not start');
    this.#settle({ kind: 'unread' });
  }

  #ensure(): ChildProcess {
    if (this.#child !== null) return this.#child;
    const child = fork(this.#entry, [], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], execArgv: READER_FLAGS });
    child.on('message', (message) => {
      if (this.#child !== child) return;
      // The reader is our own program; only what it carries is not believed.
      const said = message as ReaderMessage;
      if (said.kind !== 'up') {
        if (said.id === this.#current?.request.id) this.#settle(said);
        return;
      }
      this.#isUp = true;
      if (this.#current !== null) this.#send(child, this.#current);
    });
    const gone = () => {
      if (this.#child !== child) return;
      this.#child = null;
      if (this.#isUp) {
        // Memory, a crash inside SQLite: the file being read is the likely cause.
        this.#settle({ kind: 'unanswered', reason: 'outbound.db: reading it ended the reader' });
      } else this.#settleUnstarted('it ended before it was up');
    };
    child.on('exit', gone);
    // It could not be started, or could not be written to.
    child.on('error', gone);
    this.#child = child;
    this.#isFresh = true;
    this.#isUp = false;
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
