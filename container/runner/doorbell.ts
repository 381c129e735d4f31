/**
 * Wakes the runner: the host's touch of `in/doorbell`, a slow poll beside it, and a timer for work that
 * becomes due.
 *
 * I1. A ring carries no data and may be lost or doubled; whoever is woken reads the database.
 */
import { type FSWatcher, watch } from 'node:fs';
import { RUNNER_POLL_MS } from '../../shared/limits.ts';
import { log } from './log.ts';

/** No watch is left (128 per user id, across containers), or an older host made no doorbell: the poll alone must do. */
const PASSING = new Set(['EMFILE', 'ENOSPC', 'ENOENT']);

export class Doorbell implements Disposable {
  readonly #poll: NodeJS.Timeout;
  #watcher: FSWatcher | null = null;
  #isScheduled = false;
  #hasRung = false;
  #wake: (() => void) | null = null;
  /** Called for each ring while nobody waits: how a running turn hears of follow-ups. */
  onRing: (() => void) | null = null;

  constructor(path: string) {
    this.#poll = setInterval(() => this.ring(), RUNNER_POLL_MS);
    try {
      this.#watcher = watch(path, () => this.#schedule());
      this.#watcher.on('error', (error: NodeJS.ErrnoException) => this.#pollOnly(error.code));
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : '';
      if (!PASSING.has(code)) throw error;
      this.#pollOnly(code);
    }
  }

  /** Resolves at the next ring, at once if there was one since the last wait, or at `untilMs` (epoch ms). */
  async wait(untilMs: number | null): Promise<void> {
    if (!this.#hasRung) {
      // Due times beyond a day are met by the poll's own look at the table.
      const delayMs = untilMs === null ? null : Math.min(Math.max(untilMs - Date.now(), 0), 86_400_000);
      const timer = delayMs === null ? null : setTimeout(() => this.ring(), delayMs);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      if (timer) clearTimeout(timer);
    }
    this.#hasRung = false;
  }

  ring(): void {
    if (this.#wake) {
      const wake = this.#wake;
      this.#wake = null;
      this.#hasRung = true;
      wake();
    } else if (this.onRing) this.onRing();
    else this.#hasRung = true;
  }

  /** Rings of one turn of the event loop are one. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.ring();
    });
  }

  #pollOnly(code: string | null | undefined): void {
    log.warn('no file events, polling instead', { code: String(code), everyMs: RUNNER_POLL_MS });
    this.#watcher?.close();
    this.#watcher = null;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#poll);
    this.#watcher?.close();
  }
}
