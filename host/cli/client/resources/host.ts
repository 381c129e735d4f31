/** The host itself: how it is, what was turned away, its events, its end. */
import type { IncomingMessage } from 'node:http';
import { formatQuery, type Requests } from '../requests.ts';
import type { DroppedMessages, Page, Refusal, Status } from '../types.ts';

export function hostCalls(requests: Requests) {
  return {
    readStatus(signal?: AbortSignal): Promise<Status> {
      return requests.get('/status', {}, signal);
    },

    /** Returns when the host has agreed to stop, which is before it has stopped. */
    async shutdown(): Promise<void> {
      await requests.post('/shutdown', null);
    },

    listDropped(limit: number): Promise<Page<DroppedMessages>> {
      return requests.list('/dropped', {}, limit);
    },

    listRefusals(limit: number): Promise<Page<Refusal>> {
      return requests.list('/refusals', {}, limit);
    },

    /** The stream of server-sent events; the caller reads or destroys it. `lastEventId` empty means live only. */
    openEvents(query: { session?: string }, lastEventId: string, signal: AbortSignal): Promise<IncomingMessage> {
      return requests.openEvents(`/events${formatQuery(query)}`, lastEventId, signal);
    },
  };
}
