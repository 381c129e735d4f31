/**
 * The live tail of the egress log, across lost connections.
 *
 * I1. Every connection names the last row seen, so that the host first sends what came meanwhile: nothing is lost.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { errorCode } from '../../config/errors.ts';
import { CliError } from '../errors.ts';
import type { EgressQuery, HostApi } from './api.ts';
import { parseEventStream } from './event-stream.ts';
import type { EgressEntry } from './types.ts';

/** First and longest delay between attempts. Higher: late news. Lower: a stopped host's owner burns processor. */
const BACKOFF_MS = 200;
const BACKOFF_MAX_MS = 5_000;

/** Until the signal aborts. The first connection must succeed (throws CliError); later ones are tried again for ever. */
export async function* followRows(
  api: HostApi,
  query: EgressQuery,
  after: number,
  { signal, tell }: { signal: AbortSignal; tell: (text: string) => void },
): AsyncGenerator<EgressEntry> {
  let last = after;
  let failures = 0;
  let wasOpen = false;
  while (!signal.aborted) {
    try {
      const stream = await api.openEgress(query, String(last), signal);
      wasOpen = true;
      failures = 0;
      for await (const event of parseEventStream(stream)) {
        if (event === 'alive') continue;
        if (event.event === 'reset') tell('… some are left out here; see portolan egress list');
        if (event.event !== 'request') continue;
        // The host made it by the schema of its route.
        const entry = JSON.parse(event.data) as EgressEntry;
        last = Math.max(last, entry.id);
        yield entry;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof CliError) && !LOST.has(errorCode(error))) throw error;
      if (!wasOpen) throw error;
    }
    if (signal.aborted) return;
    if (failures === 0) tell('… the host is away; waiting');
    try {
      await wait(Math.min(BACKOFF_MAX_MS, BACKOFF_MS * 2 ** failures++), undefined, { signal });
    } catch (error) {
      if (errorCode(error) !== 'ABORT_ERR') throw error;
    }
  }
}

const LOST = new Set(['ECONNRESET', 'EPIPE', 'ABORT_ERR', 'ERR_STREAM_PREMATURE_CLOSE', 'ECONNABORTED']);
