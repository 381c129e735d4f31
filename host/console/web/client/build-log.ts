import { BASE } from './call.ts';
import { createEventParser } from './event-parser.ts';
import { ApiFault, HostAwayFault, isRecord, overNetwork, parseErrorBody } from './fault.ts';

/** Before a cut log is taken up again. Higher: it lags. Lower: a host that is away is hammered. */
const RETRY_MS = 2_000;

export interface LogReader {
  onLines(lines: readonly string[]): void;
  /** The build has ended; `state` as the API says it. */
  onEnd(state: string): void;
}

/**
 * A build's log from its first line, while it runs; taken up where it was cut, until it has ended or `signal` says
 * so. Throws ApiFault.
 */
export async function followBuildLog(id: string, reader: LogReader, signal: AbortSignal): Promise<void> {
  let last: string | null = null;
  while (!signal.aborted) {
    try {
      const outcome = await readOnce(id, last, reader, signal, (seen) => {
        last = seen;
      });
      if (outcome === 'ended') return;
    } catch (error) {
      if (!(error instanceof HostAwayFault)) throw error;
    }
    if (!signal.aborted) await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

async function readOnce(
  id: string,
  last: string | null,
  reader: LogReader,
  signal: AbortSignal,
  onSeen: (id: string) => void,
): Promise<'ended' | 'cut'> {
  const headers = new Headers({ accept: 'text/event-stream' });
  if (last !== null) headers.set('last-event-id', last);
  const response = await overNetwork(fetch(`${BASE}/builds/${id}/log`, { headers, signal, cache: 'no-store' }));
  if (!response.ok) throw new ApiFault(response.status, parseErrorBody(response.status, await response.text()));
  if (response.body === null) return 'cut';
  const parser = createEventParser();
  const decoder = new TextDecoder();
  const body = response.body.getReader();
  for (;;) {
    const { done, value } = await overNetwork(body.read());
    if (done) return 'cut';
    const frames = parser.push(decoder.decode(value, { stream: true }));
    const lines = frames.filter(({ event }) => event === 'line').map(({ data }) => readField(data, 'text'));
    if (lines.length > 0) reader.onLines(lines);
    const seen = frames.findLast(({ id: number }) => number !== null)?.id;
    if (seen != null) onSeen(seen);
    const end = frames.find(({ event }) => event === 'end');
    if (end === undefined) continue;
    reader.onEnd(readField(end.data, 'state'));
    return 'ended';
  }
}

function readField(data: string, field: string): string {
  const parsed: unknown = JSON.parse(data);
  const value = isRecord(parsed) ? parsed[field] : null;
  return typeof value === 'string' ? value : '';
}
