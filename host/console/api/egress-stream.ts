/**
 * The live tail of the egress log, as server-sent events: `request` for each row, its number as the id; told again
 * when more of the same were counted in it.
 *
 * I1. A reader that names the last number it saw hears the rows after it first, or `reset` when they are too many.
 * I2. What waits for a slow reader is bounded (BoundedStream); one that is cut comes back by I1.
 * I3. Whether somebody may see a row is asked for each, at that moment; a sign-in that ended ends the stream.
 */
import type { EgressListener } from '../../egress/egress-log.ts';
import type { EgressEntry } from '../../store/egress-log.ts';
import type { EgressEntryResource } from './access-schemas.ts';
import { BoundedStream } from './bounded-stream.ts';
import { HEARTBEAT_MS } from './limits.ts';
import { Problem } from './problem.ts';

/** Rows told again to a reader that comes back. Higher: one answer holds up the others. Lower: short breaks lose rows. */
const MAX_REPLAY_ROWS = 500;
/** Tails open at once. Higher: each row is written that often. Lower: many admins are refused. */
const MAX_TAILS = 32;

export interface TailRequest {
  /** Null: what comes from now on. */
  after: number | null;
  concerns: (entry: EgressEntry) => boolean;
  /** Newest first, at most so many. */
  list: (limit: number) => EgressEntry[];
  mayHear: (entry: EgressEntry) => boolean;
  isSignedIn: () => boolean;
  disconnect: () => void;
}

export class EgressTails {
  readonly #onRow: (listener: EgressListener) => () => void;
  #open = 0;

  constructor(onRow: (listener: EgressListener) => () => void) {
    this.#onRow = onRow;
  }

  /** Throws Problem 503. */
  open(request: TailRequest): ReadableStream<Uint8Array> {
    if (this.#open >= MAX_TAILS) {
      throw new Problem(503, 'too_many_readers', 'Too many tails of the egress log are open.', {
        expected: `at most ${MAX_TAILS}`,
        next: 'close some of them',
      });
    }
    this.#open += 1;
    let leave: () => void = () => undefined;
    const stream = new BoundedStream(() => leave(), request.disconnect);
    const silence = this.#onRow((entry) => {
      if (request.concerns(entry) && request.mayHear(entry)) stream.write(format(entry));
    });
    // I3
    const beat = setInterval(() => {
      if (request.isSignedIn()) return stream.beat();
      stream.end();
      leave();
    }, HEARTBEAT_MS);
    beat.unref();
    leave = () => {
      leave = () => undefined;
      silence();
      clearInterval(beat);
      this.#open -= 1;
    };
    stream.write('retry: 1000\n\n');
    if (request.after !== null) replay(stream, request, request.after);
    return stream.readable;
  }
}

/** I1 */
function replay(stream: BoundedStream, { list, mayHear }: TailRequest, after: number): void {
  const missed = list(MAX_REPLAY_ROWS + 1).filter(({ id }) => id > after);
  if (missed.length > MAX_REPLAY_ROWS) stream.write('event: reset\ndata: {}\n\n');
  const told = missed.slice(0, MAX_REPLAY_ROWS).reverse();
  for (const entry of told) if (mayHear(entry)) stream.write(format(entry));
}

export function presentEgress({ agentGroupId, ...entry }: EgressEntry): EgressEntryResource {
  return { ...entry, agentId: agentGroupId };
}

function format(entry: EgressEntry): string {
  return `id: ${entry.id}\nevent: request\ndata: ${JSON.stringify(presentEgress(entry))}\n\n`;
}
