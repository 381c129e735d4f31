/**
 * Reads outbound.db in child processes (I3).
 *
 * I1. Two readers: one for everybody, one for sessions that were slow before, so that a hostile
 *     database delays only its like. Each works on one file at a time.
 * I2. A read past READ_DEADLINE_MS ends its process. It is tried once more, in the reader for slow ones. The
 *     second time the session has broken the contract, if the reader was at work for it: a reader that starts
 *     slowly, or that a busy machine gives no processor time, blames nobody, and the read is tried again later.
 * I3. Unused readers end after READER_IDLE_MS.
 */
import { ReaderLane, type ReadResult } from './reader-lane.ts';
import type { ReadRequest } from './reader-protocol.ts';

/** Sessions remembered as slow. */
const MAX_SLOW = 1_000;

export class OutboxReader implements Disposable {
  readonly #fast: ReaderLane;
  readonly #slow: ReaderLane;
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
    this.#fast = new ReaderLane(entry, onTime);
    this.#slow = new ReaderLane(entry, onTime);
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
