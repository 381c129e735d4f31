/** Builds of agents’ own images. */
import type { IncomingMessage } from 'node:http';
import type { Requests } from '../requests.ts';
import type { AgentImage, Build, Page } from '../types.ts';

export function buildCalls(requests: Requests) {
  return {
    /** The stream of server-sent events; the caller reads or destroys it. `lastEventId` empty means live only. */
    listBuilds(agentId: string, limit: number): Promise<Page<Build>> {
      return requests.list(`/agents/${encodeURIComponent(agentId)}/builds`, {}, limit);
    },

    retryBuild(agentId: string): Promise<AgentImage> {
      return requests.post(`/agents/${encodeURIComponent(agentId)}/builds`, {});
    },

    readBuild(id: string): Promise<Build> {
      return requests.get(`/builds/${encodeURIComponent(id)}`);
    },

    async readBuildLog(id: string): Promise<string> {
      return (await requests.download(`/builds/${encodeURIComponent(id)}/log`)).toString('utf8');
    },

    /** Server-sent events, a line each, and `end`; the caller reads or destroys the stream. */
    openBuildLog(id: string, signal: AbortSignal): Promise<IncomingMessage> {
      return requests.openEvents(`/builds/${encodeURIComponent(id)}/log`, '', signal, 'no_log');
    },
  };
}
