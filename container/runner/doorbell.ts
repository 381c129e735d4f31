/**
 * Wakes the runner: file events on `in/`, a slow poll beside them, and a timer for work that becomes due.
 *
 * I1. A ring carries no data and may be lost or doubled; whoever is woken reads the database.
 * I2. While the host is in mid-commit the ring is held back a little: reading then would make the
 *     host's commit fail and try again. The end of the commit is an event of its own.
 */
import { existsSync, type FSWatcher, watch } from 'node:fs';
import { RUNNER_POLL_MS } from '../../shared/limits.ts';
import { log } from './log.ts';

/** Longest that a ring is held back. Higher: a busy host delays its own messages. Lower: more clashes. */
const MID_COMMIT_HOLD_MS = 5;

export class Doorbell implements Disposable {
  readonly #journal: string;
  readonly #poll: NodeJS.Timeout;
  #watcher: FSWatcher | null = null;
  #isScheduled = false;
  #held: NodeJS.Timeout | null = null;
  #hasRung = false;
  #wake: (() => void) | null = null;
  /** Called for each ring while nobody waits: how a running turn hears of follow-ups. */
  onRing: (() => void) | null = null;

  constructor(folder: string, inboundDb: string) {
    this.#journal = `${inboundDb}-journal`;
    this.#poll = setInterval(() => this.ring(), RUNNER_POLL_MS);
    try {
      this.#watcher = watch(folder, () => this.#schedule());
      this.#watcher.on('error', (error: NodeJS.ErrnoException) => this.#pollOnly(error.code));
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : null;
      // 128 watches per user id, across containers: with none left the poll alone must do.
      if (code !== 'EMFILE' && code !== 'ENOSPC') throw error;
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

  /** One commit is several events; they become one ring. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      if (!existsSync(this.#journal)) {
        this.#release();
        return;
      }
      this.#held ??= setTimeout(() => this.#release(), MID_COMMIT_HOLD_MS);
    });
  }

  #release(): void {
    if (this.#held) clearTimeout(this.#held);
    this.#held = null;
    this.ring();
  }

  #pollOnly(code: string | null | undefined): void {
    log.warn('no file events, polling instead', { code: String(code), everyMs: RUNNER_POLL_MS });
    this.#watcher?.close();
    this.#watcher = null;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#poll);
    if (this.#held) clearTimeout(this.#held);
    this.#watcher?.close();
  }
}
