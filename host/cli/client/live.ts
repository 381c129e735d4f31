/**
 * The host's events, across lost connections.
 *
 * I1. Every reconnect names the last revision seen, so that the host first sends what changed meanwhile:
 *     nothing is lost. Something may come twice; the reader knows by the message's revision.
 */
import { errorCode } from '../../config/errors.ts';
import { CliError, EXIT } from '../errors.ts';
import type { HostApi } from './api.ts';
import { parseEventStream, type ServerEvent } from './event-stream.ts';
import { isConnectionFault, waitToReconnect } from './reconnect.ts';
import type { Message, Session } from './types.ts';

export type LiveEvent =
  | { kind: 'connected' }
  | { kind: 'message'; message: Message }
  | { kind: 'session'; session: Session }
  | { kind: 'typing'; sessionId: string; typing: boolean }
  /** Too far behind: fetch what you show again. */
  | { kind: 'reset' }
  /** The connection was lost; `reason` is for people. */
  | { kind: 'lost'; reason: string };

/** Three heartbeats of the host. Higher: a dead connection goes unnoticed. Lower: a busy host is left. */
const SILENCE_MS = 45_000;

/**
 * Yields events until the signal aborts. The first connection must succeed (throws CliError); later ones are
 * tried again for ever. `connected` comes when the host has promised to send whatever changes from now on.
 */
export async function* followEvents(
  api: HostApi,
  options: { sessionId?: string; signal: AbortSignal },
): AsyncGenerator<LiveEvent> {
  const { sessionId, signal } = options;
  let lastEventId = '';
  let failures = 0;
  while (!signal.aborted) {
    const attempt = new AbortController();
    const watchdog = setTimeout(() => attempt.abort(), SILENCE_MS);
    let reason = 'the host closed it';
    try {
      const both = AbortSignal.any([signal, attempt.signal]);
      const stream = await api.openEvents(sessionId === undefined ? {} : { session: sessionId }, lastEventId, both);
      failures = 0;
      // With an id to go on from, the host sends what was missed without saying `ready` first.
      if (lastEventId !== '') yield { kind: 'connected' };
      for await (const event of parseEventStream(stream)) {
        watchdog.refresh();
        if (event === 'alive') continue;
        if (event.event === 'ready' && lastEventId !== '') continue;
        const live = toLiveEvent(event);
        if (event.event === 'ready') lastEventId = readRevision(event);
        else if (event.lastEventId !== '') lastEventId = event.lastEventId;
        if (live !== null) yield live;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!isConnectionFault(error)) throw error;
      if (error instanceof CliError && lastEventId === '') throw error;
      reason = attempt.signal.aborted ? 'the host is silent' : describe(error);
    } finally {
      clearTimeout(watchdog);
      attempt.abort();
    }
    if (signal.aborted) return;
    // Nothing was promised yet: going on would leave a gap that nobody knows of.
    if (lastEventId === '') {
      throw new CliError(EXIT.failed, 'no_events', `The host sends no events: ${reason}.`, { next: 'portolan status' });
    }
    yield { kind: 'lost', reason };
    await waitToReconnect(failures++, signal);
  }
}

function describe(error: unknown): string {
  return error instanceof CliError ? error.message : errorCode(error);
}

function readRevision(event: ServerEvent): string {
  const { revision } = parseData(event);
  return typeof revision === 'number' ? String(revision) : event.lastEventId;
}

function parseData(event: ServerEvent): Record<string, unknown> {
  const value: unknown = JSON.parse(event.data);
  if (typeof value !== 'object' || value === null) throw new TypeError(`event ${event.event} carries no object`);
  return value as Record<string, unknown>;
}

/** Null for events of a newer host that this program does not know. Shapes are the host's, as in api.ts. */
function toLiveEvent(event: ServerEvent): LiveEvent | null {
  switch (event.event) {
    case 'ready':
      return { kind: 'connected' };
    case 'message':
      return { kind: 'message', message: parseData(event) as unknown as Message };
    case 'session':
      return { kind: 'session', session: parseData(event) as unknown as Session };
    case 'typing': {
      const { sessionId, typing } = parseData(event);
      return { kind: 'typing', sessionId: String(sessionId), typing: typing === true };
    }
    case 'reset':
      return { kind: 'reset' };
    default:
      return null;
  }
}
