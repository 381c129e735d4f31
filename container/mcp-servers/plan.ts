/** When a server that went down is started again. Pure. */
import { RESTART_BASE_MS, RESTART_MAX_MS, STABLE_AFTER_MS } from './limits.ts';

/**
 * How often it went down in a row, this time included. One that was up for long went down for the first time.
 * `upMs` is how long it was up; 0 when it did not come up.
 */
export function countFailures(before: number, upMs: number): number {
  return upMs >= STABLE_AFTER_MS ? 1 : before + 1;
}

/** The pause after that many failures in a row, in ms: 1, 2, 4 s … 10 min. */
export function planPause(failures: number): number {
  return Math.min(RESTART_BASE_MS * 2 ** Math.min(failures - 1, 20), RESTART_MAX_MS);
}
