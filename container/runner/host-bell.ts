/** The host's doorbell, as this side rings it: an empty file that is touched after a commit. */
import { closeSync, openSync, utimesSync } from 'node:fs';
import { MODES } from '../../shared/session-files.ts';
import { describeError, log } from './log.ts';

export class HostBell {
  readonly #path: string;
  #hasFailed = false;

  constructor(path: string) {
    this.#path = path;
  }

  /** A ring that fails is a late message, not a lost one: the host looks by itself every few seconds. */
  ring(): void {
    try {
      const now = new Date();
      utimesSync(this.#path, now, now);
      this.#hasFailed = false;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error;
      if (!this.#hasFailed) log.warn('the host cannot be rung', { error: describeError(error) });
      this.#hasFailed = true;
    }
  }

  /** Makes the file anew if something removed it. */
  ensure(): void {
    try {
      closeSync(openSync(this.#path, 'a', MODES.outFile));
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error;
      log.warn('the host has no doorbell', { error: describeError(error) });
    }
  }
}
