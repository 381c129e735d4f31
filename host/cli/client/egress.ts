/**
 * The live tail of the egress log, across lost connections.
 *
 * I1. Every connection names the last row seen, so that the host first sends what came meanwhile: nothing is lost.
 */
import type { HostApi } from './api.ts';
import { parseEventStream } from './event-stream.ts';
import { isConnectionFault, waitToReconnect } from './reconnect.ts';
import type { EgressQuery } from './resources/access.ts';
import type { EgressEntry } from './types.ts';

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
      if (!wasOpen || !isConnectionFault(error)) throw error;
    }
    if (signal.aborted) return;
    if (failures === 0) tell('… the host is away; waiting');
    await waitToReconnect(failures++, signal);
  }
}
