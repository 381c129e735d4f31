/**
 * Touches `out/heartbeat` while the runner's event loop turns. On the main thread on purpose: a loop
 * that is blocked must show.
 */
import { closeSync, openSync, utimesSync } from 'node:fs';
import { HEARTBEAT_MS } from '../../shared/limits.ts';
import { RUNNER_EXIT } from '../../shared/protocol.ts';
import { MODES } from '../../shared/session-files.ts';
import { describeError, log } from './log.ts';

export class Heartbeat implements Disposable {
  readonly #path: string;
  readonly #timer: NodeJS.Timeout;
  #hasFailed = false;

  constructor(path: string) {
    this.#path = path;
    this.#beat();
    this.#timer = setInterval(() => this.#beat(), HEARTBEAT_MS);
  }

  #beat(): void {
    try {
      this.#touch();
      this.#hasFailed = false;
    } catch (error) {
      // A full disk must not end the turn that is running; the host sees the old heartbeat.
      if (!this.#hasFailed) log.warn('heartbeat cannot be touched', { error: describeError(error) });
      this.#hasFailed = true;
    }
  }

  #touch(): void {
    const now = new Date();
    try {
      utimesSync(this.#path, now, now);
    } catch (error) {
      if (!isMissing(error)) throw error;
      this.#make();
    }
  }

  #make(): void {
    try {
      closeSync(openSync(this.#path, 'a', MODES.outFile));
    } catch (error) {
      if (!isMissing(error)) throw error;
      // The whole folder is gone: nobody will ever ask this process anything again.
      log.error('the session folder is gone');
      process.exit(RUNNER_EXIT.badContract);
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
