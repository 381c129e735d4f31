/** How a stream of the host's is come back to when its connection was lost. */
import { setTimeout as wait } from 'node:timers/promises';
import { errorCode } from '../../config/errors.ts';
import { CliError } from '../errors.ts';

/** First and longest delay between attempts. Higher: late news. Lower: a stopped host's owner burns processor. */
const BACKOFF_MS = 200;
const BACKOFF_MAX_MS = 5_000;

const CONNECTION_FAULTS = new Set(['ECONNRESET', 'EPIPE', 'ABORT_ERR', 'ERR_STREAM_PREMATURE_CLOSE', 'ECONNABORTED']);

export function isConnectionFault(error: unknown): boolean {
  return error instanceof CliError || CONNECTION_FAULTS.has(errorCode(error));
}

/** Before the next attempt: between 50 % and 100 % of the delay, so that many clients do not come at once. */
export function waitToReconnect(failures: number, signal: AbortSignal): Promise<void> {
  const delayMs = Math.min(BACKOFF_MAX_MS, BACKOFF_MS * 2 ** failures);
  return pause(delayMs * (0.5 + Math.random() / 2), signal);
}

/** Ends early, and quietly, when the signal aborts. */
export async function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  try {
    await wait(delayMs, undefined, { signal });
  } catch (error) {
    if (errorCode(error) !== 'ABORT_ERR') throw error;
  }
}
