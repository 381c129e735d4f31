/** One call of a channel: bounded in time, and cut off when the host does not wait for it any more. */
import { SEND_TIMEOUT_MS } from '../config/limits.ts';
import { deliveryLog } from '../observe/logger.ts';

type Uncertain = { kind: 'uncertain'; reason: string };

const STOPPED = 'the host stopped while it was sent';

/**
 * What the channel answered. One that throws, hangs or is cut off leaves it open whether the call had its effect. The
 * signal that it is given aborts then; whoever does not heed it is not waited for. Nothing is asked when `stop` has
 * aborted before. Never rejects.
 */
export async function callChannel<Outcome>(
  call: (signal: AbortSignal) => Promise<Outcome>,
  stop: AbortSignal,
): Promise<Outcome | Uncertain> {
  // A signal that has fired fires no more: nothing would cut this one off.
  if (stop.aborted) return { kind: 'uncertain', reason: STOPPED };
  const controller = new AbortController();
  let giveUp: (reason: string) => void = () => undefined;
  const givenUp = new Promise<Uncertain>((resolve) => {
    giveUp = (reason) => {
      controller.abort();
      resolve({ kind: 'uncertain', reason });
    };
  });
  const cut = () => giveUp(STOPPED);
  const timer = setTimeout(
    () => giveUp(`the channel did not answer within ${SEND_TIMEOUT_MS / 1000} s`),
    SEND_TIMEOUT_MS,
  );
  stop.addEventListener('abort', cut, { once: true });
  try {
    return await Promise.race([call(controller.signal), givenUp]);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    deliveryLog.warn({ foreign: error }, 'a channel threw; what was asked of it is treated as perhaps done');
    return { kind: 'uncertain', reason: `the channel failed: ${detail.slice(0, 200)}` };
  } finally {
    clearTimeout(timer);
    stop.removeEventListener('abort', cut);
  }
}
