/**
 * The engine's event stream as doorbells: lines of JSON over one long HTTP answer.
 *
 * I1. Every connection begins with `resync`: what happened before it may have been missed.
 * I2. A broken stream is opened again, after a growing pause; silence is normal.
 */
import { z } from 'zod';
import { parseContainerId, parseId } from '../../../shared/ids.ts';
import type { RuntimeLog } from '../ports.ts';
import { toDriverFault } from './docker-fault.ts';
import { type DriverEvent, DriverFault, LABELS } from './driver.ts';

/** First and longest pause before connecting again. Higher: deaths show late. Lower: load while the engine is away. */
const RECONNECT_MS = 250;
const RECONNECT_MAX_MS = 10_000;
/** One event is about 1 KiB, labels included; a longer line is no event of ours. */
const MAX_LINE_CHARS = 256 * 1024;

const eventSchema = z.object({
  Action: z.enum(['start', 'die', 'oom']),
  Actor: z.object({ ID: z.string(), Attributes: z.record(z.string(), z.string()) }),
});

export class DockerEvents {
  readonly #open: (signal: AbortSignal) => Promise<NodeJS.ReadableStream>;
  readonly #listener: (event: DriverEvent) => void;
  readonly #log: RuntimeLog;
  readonly #abort = new AbortController();
  #retry: NodeJS.Timeout | null = null;
  #pauseMs = RECONNECT_MS;

  constructor(
    open: (signal: AbortSignal) => Promise<NodeJS.ReadableStream>,
    listener: (event: DriverEvent) => void,
    log: RuntimeLog,
  ) {
    this.#open = open;
    this.#listener = listener;
    this.#log = log;
    void this.#connect();
  }

  close(): void {
    this.#abort.abort();
    if (this.#retry !== null) clearTimeout(this.#retry);
  }

  async #connect(): Promise<void> {
    try {
      const stream = await this.#open(this.#abort.signal);
      this.#pauseMs = RECONNECT_MS;
      this.#listener({ kind: 'resync' });
      await this.#read(stream);
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      const fault = toDriverFault('look', error);
      if (!(fault instanceof DriverFault)) this.#log.warn({ err: error }, 'the event stream of the engine broke');
    }
    if (this.#abort.signal.aborted) return;
    this.#retry = setTimeout(() => void this.#connect(), this.#pauseMs);
    this.#pauseMs = Math.min(this.#pauseMs * 2, RECONNECT_MAX_MS);
  }

  async #read(stream: NodeJS.ReadableStream): Promise<void> {
    let rest = '';
    for await (const chunk of stream) {
      rest += chunk.toString();
      const lines = rest.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#ring(line);
      if (rest.length > MAX_LINE_CHARS) rest = '';
    }
  }

  #ring(line: string): void {
    if (line.trim() === '') return;
    const parsed = eventSchema.safeParse(parseLine(line));
    if (!parsed.success) return;
    const { Action: kind, Actor: actor } = parsed.data;
    const containerId = parseContainerId(actor.ID);
    const sessionId = parseId('session', actor.Attributes[LABELS.session] ?? '');
    if (containerId !== null && sessionId !== null) this.#listener({ kind, sessionId, containerId });
  }
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
