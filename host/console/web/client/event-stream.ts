/**
 * One connection to `GET /api/v1/events` that keeps itself up.
 *
 * I1. Resumes after the last revision it has handed on, so that nothing between two connections is missed.
 * I2. Silence longer than three heartbeats is a dead connection, whatever the socket says.
 */
import type { EventFrame } from './event-parser.ts';
import { createEventParser } from './event-parser.ts';
import { HostAwayFault, overNetwork } from './fault.ts';
import { planReconnectMs } from './reconnect.ts';

/** Heartbeats come each 15 s. Higher: a dead connection looks live for longer. Lower: a slow link flaps. */
const SILENCE_MS = 45_000;

export type StreamState =
  /** `resumed`: news from before the loss comes first; else it starts with a `ready` frame. */
  | { kind: 'live'; resumed: boolean }
  | { kind: 'reconnecting'; attempt: number; retryAtMs: number | null }
  | { kind: 'signed-out' };

export interface EventStreamOptions {
  url: string;
  onFrame(frame: EventFrame): void;
  onState(state: StreamState): void;
}

export interface EventStream {
  /** Tries at once instead of waiting for the next attempt. */
  hurry(): void;
  close(): void;
}

export function openEventStream(options: EventStreamOptions): EventStream {
  const closed = new AbortController();
  let lastRevision: string | null = null;
  let wake: () => void = () => {};

  async function run(): Promise<void> {
    let attempt = 0;
    while (!closed.signal.aborted) {
      const outcome = await connect(() => {
        attempt = 0;
      });
      if (closed.signal.aborted) return;
      if (outcome === 'signed-out') {
        options.onState({ kind: 'signed-out' });
        return;
      }
      attempt += 1;
      const waitMs = planReconnectMs(attempt, Math.random());
      options.onState({ kind: 'reconnecting', attempt, retryAtMs: Date.now() + waitMs });
      await pause(waitMs);
      options.onState({ kind: 'reconnecting', attempt, retryAtMs: null });
    }
  }

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** `onPiece`: the host really talks; one that only opens and closes is not to be hammered. */
  async function connect(onPiece: () => void): Promise<'lost' | 'signed-out'> {
    const silence = new AbortController();
    let timer = setTimeout(() => silence.abort(), SILENCE_MS);
    try {
      const headers = new Headers({ accept: 'text/event-stream' });
      if (lastRevision !== null) headers.set('last-event-id', lastRevision);
      const signal = AbortSignal.any([closed.signal, silence.signal]);
      const response = await overNetwork(fetch(options.url, { headers, signal, cache: 'no-store' }));
      if (response.status === 401) return 'signed-out';
      if (!response.ok || response.body === null) return 'lost';
      options.onState({ kind: 'live', resumed: lastRevision !== null });
      const parser = createEventParser();
      for await (const piece of readText(response.body)) {
        clearTimeout(timer);
        timer = setTimeout(() => silence.abort(), SILENCE_MS);
        onPiece();
        for (const frame of parser.push(piece)) {
          handOn(frame);
          // I1: only after it was handed on.
          if (frame.id !== null && frame.id !== '') lastRevision = frame.id;
        }
      }
      return 'lost';
    } catch (error) {
      if (error instanceof HostAwayFault) return 'lost';
      throw error;
    } finally {
      clearTimeout(timer);
      silence.abort();
    }
  }

  /** A frame that the page cannot take is a bug to report; it must not cost the frames after it. */
  function handOn(frame: EventFrame): void {
    try {
      options.onFrame(frame);
    } catch (error) {
      reportError(error);
    }
  }

  run().catch((error: unknown) => reportError(error));
  return { hurry: () => wake(), close: () => closed.abort() };
}

async function* readText(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  for (;;) {
    const { done, value } = await overNetwork(reader.read());
    if (done) return;
    yield decoder.decode(value, { stream: true });
  }
}
