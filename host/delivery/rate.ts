/** How fast one session may send: a bucket that time and answered messages fill. */
import { MAX_OUTBOUND_ROWS_PER_MINUTE, OUTBOUND_BURST_ROWS } from '../../shared/limits.ts';
import { OUTBOUND_BURST_BYTES, OUTBOUND_BYTES_PER_MINUTE } from '../config/limits.ts';

/** Rows that one answered message pays for: an agent that is asked often may answer often. */
const ROWS_PER_ANSWER = 4;

export class RowRate {
  #credits = OUTBOUND_BURST_ROWS;
  #at: number;

  constructor(now: number) {
    this.#at = now;
  }

  /** Whole rows that may be read now. */
  available(now: number): number {
    this.#fill(now);
    return Math.floor(this.#credits);
  }

  spend(rows: number, answered: number, now: number): void {
    this.#fill(now);
    this.#credits = Math.min(this.#credits + answered * ROWS_PER_ANSWER, OUTBOUND_BURST_ROWS) - rows;
  }

  /** Until one more row may be read. */
  waitMs(now: number): number {
    this.#fill(now);
    return Math.max(0, Math.ceil(((1 - this.#credits) * 60_000) / MAX_OUTBOUND_ROWS_PER_MINUTE));
  }

  #fill(now: number): void {
    const grown = (Math.max(0, now - this.#at) * MAX_OUTBOUND_ROWS_PER_MINUTE) / 60_000;
    this.#credits = Math.min(this.#credits + grown, OUTBOUND_BURST_ROWS);
    this.#at = now;
  }
}

/** Reads in a row that may find nothing: a runner also rings for what is no news here. Higher: a burst of rings costs more. */
const EMPTY_READS_BURST = 40;
/** And per second after that. Higher: a container that rings without end costs more (about 1 ms each). Lower: its own news waits. */
const EMPTY_READS_PER_SECOND = 20;

/** How often one session may have its outbound.db read for nothing. A read that finds something is free. */
export class ReadRate {
  #credits = EMPTY_READS_BURST;
  #at: number;

  constructor(now: number) {
    this.#at = now;
  }

  /** Until the next read may begin. */
  waitMs(now: number): number {
    const grown = (Math.max(0, now - this.#at) * EMPTY_READS_PER_SECOND) / 1_000;
    this.#credits = Math.min(this.#credits + grown, EMPTY_READS_BURST);
    this.#at = now;
    return Math.max(0, Math.ceil(((1 - this.#credits) * 1_000) / EMPTY_READS_PER_SECOND));
  }

  /** A read begins. */
  spend(): void {
    this.#credits--;
  }

  /** It found something. */
  giveBack(): void {
    this.#credits++;
  }
}

/** How many bytes of files one session may have the host copy. */
export class ByteRate {
  #credits = OUTBOUND_BURST_BYTES;
  #at: number;

  constructor(now: number) {
    this.#at = now;
  }

  /** Whether that many may be copied now; then they are spent. */
  spend(bytes: number, now: number): boolean {
    const grown = (Math.max(0, now - this.#at) * OUTBOUND_BYTES_PER_MINUTE) / 60_000;
    this.#credits = Math.min(this.#credits + grown, OUTBOUND_BURST_BYTES);
    this.#at = now;
    if (bytes > this.#credits) return false;
    this.#credits -= bytes;
    return true;
  }
}
