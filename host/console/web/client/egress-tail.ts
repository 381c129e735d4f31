/**
 * The live tail of the egress log, taken up where it was cut.
 *
 * I1. Every connection names the newest row that was seen, so that the host first tells what came meanwhile.
 */
import { type EgressFilter, egressUrl } from './egress-api.ts';
import { createEventParser, type EventFrame } from './event-parser.ts';
import { ApiFault, HostAwayFault, isRecord, overNetwork, parseErrorBody } from './fault.ts';
import { planReconnectMs } from './reconnect.ts';
import type { EgressEntry } from './types.ts';

export interface EgressReader {
  /** Rows in the order of the log; one that is known already counts more of the same. */
  onRows(rows: readonly EgressEntry[]): void;
  /** More came than the host tells again: what is shown is to be fetched anew. */
  onGap(): void;
  /** Whether news comes in now. */
  onLive(isLive: boolean): void;
}

/** Until `signal` says so. Throws ApiFault when this person may not, or the host refuses. */
export async function followEgress(
  filter: EgressFilter,
  after: number,
  reader: EgressReader,
  signal: AbortSignal,
): Promise<void> {
  const place = { last: after, attempt: 0 };
  while (!signal.aborted) {
    try {
      await readOnce(filter, place, reader, signal);
    } catch (error) {
      if (!(error instanceof HostAwayFault) && !(error instanceof ApiFault && error.retryable)) throw error;
    }
    if (signal.aborted) return;
    reader.onLive(false);
    place.attempt += 1;
    const waitMs = planReconnectMs(place.attempt, Math.random());
    await new Promise((resolve) => setTimeout(resolve, waitMs));
  }
}

async function readOnce(
  filter: EgressFilter,
  place: { last: number; attempt: number },
  reader: EgressReader,
  signal: AbortSignal,
): Promise<void> {
  const headers = { accept: 'text/event-stream', 'last-event-id': String(place.last) };
  const response = await overNetwork(fetch(egressUrl(filter), { headers, signal, cache: 'no-store' }));
  if (!response.ok) throw new ApiFault(response.status, parseErrorBody(response.status, await response.text()));
  if (response.body === null) return;
  const parser = createEventParser();
  const decoder = new TextDecoder();
  const body = response.body.getReader();
  reader.onLive(true);
  for (;;) {
    const { done, value } = await overNetwork(body.read());
    if (done) return;
    place.attempt = 0;
    const frames = parser.push(decoder.decode(value, { stream: true }));
    if (frames.some(({ event }) => event === 'reset')) reader.onGap();
    const rows = frames.filter(({ event }) => event === 'request').flatMap(readRow);
    if (rows.length === 0) continue;
    reader.onRows(rows);
    // I1: only after they were handed on.
    for (const { id } of rows) place.last = Math.max(place.last, id);
  }
}

function readRow({ data }: EventFrame): EgressEntry[] {
  const parsed: unknown = JSON.parse(data);
  return isEgressEntry(parsed) ? [parsed] : [];
}

/** The host made it by the schema of its route. */
function isEgressEntry(data: unknown): data is EgressEntry {
  return isRecord(data) && typeof data.id === 'number' && typeof data.agentId === 'string';
}
