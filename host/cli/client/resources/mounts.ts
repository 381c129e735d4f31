/** Folders of the machine that agents see. */
import type { Requests } from '../requests.ts';
import type { AgentConfig, AgentMount, AllowedMounts } from '../types.ts';

export function mountCalls(requests: Requests) {
  return {
    readAllowedMounts(): Promise<AllowedMounts> {
      return requests.get('/mounts/allowed');
    },

    listMounts(agentId: string): Promise<{ items: AgentMount[] }> {
      return requests.get(`/agents/${encodeURIComponent(agentId)}/mounts`);
    },

    addMount(
      agentId: string,
      revision: number,
      mount: { name: string; path: string; write?: boolean },
    ): Promise<AgentConfig> {
      return requests.post(`/agents/${encodeURIComponent(agentId)}/mounts`, mount, { revision });
    },

    removeMount(agentId: string, revision: number, name: string): Promise<AgentConfig> {
      return requests.delete(`/agents/${encodeURIComponent(agentId)}/mounts/${encodeURIComponent(name)}`, revision);
    },
  };
}
