/** Waiting for an engine that is away. */
import { setTimeout as wait } from 'node:timers/promises';
import { errorCode, Fault } from '../config/errors.ts';
import { imagesLog } from '../observe/logger.ts';
import { ENGINE_AGAIN_MS } from './limits.ts';

/**
 * The work's result, as soon as the engine answers. Throws Fault `host_stopping` (retryable) when the signal aborts
 * first, and whatever else the work throws.
 */
export async function whenEngineAnswers<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  for (;;) {
    if (signal.aborted) throw stopping();
    try {
      return await work();
    } catch (error) {
      if (signal.aborted) throw stopping();
      if (!(error instanceof Fault) || error.code !== 'engine_away') throw error;
      await pause(signal);
    }
  }
}

/** For work that nobody waits for: the host's end is no failure, and a refusal of the engine ends this work alone. */
export async function alone(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    if (error.code !== 'host_stopping') imagesLog.warn({ err: error }, 'the engine refused a step');
  }
}

/** What work that a stopping host leaves to the next one ends with. */
export function stopping(): Fault {
  return new Fault('host_stopping', 'the host is stopping', { retryable: true });
}

async function pause(signal: AbortSignal): Promise<void> {
  try {
    await wait(ENGINE_AGAIN_MS, undefined, { signal });
  } catch (error) {
    if (errorCode(error) !== 'ABORT_ERR') throw error;
  }
}
