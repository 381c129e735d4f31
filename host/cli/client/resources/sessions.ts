/** Conversations, and their containers. */
import { PAGE_LIMIT, type Requests } from '../requests.ts';
import type { Page, Session } from '../types.ts';

export function sessionCalls(requests: Requests) {
  return {
    listSessions(
      query: { agent?: string | undefined; state?: string | undefined },
      limit: number,
    ): Promise<Page<Session>> {
      return requests.list('/sessions', query, limit);
    },

    /** Sessions, newest activity first, page after page. */
    async *walkSessions(): AsyncGenerator<Session[]> {
      let cursor: string | undefined;
      do {
        const page: Page<Session> = await requests.get('/sessions', { limit: PAGE_LIMIT, cursor });
        yield page.items;
        cursor = page.nextCursor ?? undefined;
      } while (cursor !== undefined);
    },

    readSession(id: string): Promise<Session> {
      return requests.get(`/sessions/${encodeURIComponent(id)}`);
    },

    /** The person's one terminal chat with this agent, made when it is not there yet. */
    openTerminalSession(agentId: string): Promise<Session> {
      return requests.post('/sessions', { agentId, channel: 'terminal' });
    },

    releaseSession(id: string): Promise<Session> {
      return requests.post(`/sessions/${encodeURIComponent(id)}/release`, {});
    },

    stopSession(id: string): Promise<Session> {
      return requests.post(`/sessions/${encodeURIComponent(id)}/stop`, {});
    },

    /** Everything up to this position has been seen by the person. */
    async markRead(sessionId: string, position: number): Promise<void> {
      await requests.put(`/sessions/${encodeURIComponent(sessionId)}/read`, null, { position });
    },
  };
}
