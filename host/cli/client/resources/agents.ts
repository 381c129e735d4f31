/** Agents, and where each may send. */
import type { Requests } from '../requests.ts';
import type { Agent, AgentRemoval, Destination, Page } from '../types.ts';

export function agentCalls(requests: Requests) {
  return {
    listAgents(limit: number): Promise<Page<Agent>> {
      return requests.list('/agents', {}, limit);
    },

    listRemovedAgents(limit: number): Promise<Page<Agent>> {
      return requests.list('/agents', { state: 'removed' }, limit);
    },

    createAgent(agent: { name: string; isAdmin?: boolean; provider?: string; instructions?: string }): Promise<Agent> {
      return requests.post('/agents', agent);
    },

    /** On top of what was seen, like every change below: one that changed meanwhile stays as it is. */
    removeAgent(agent: Agent): Promise<AgentRemoval> {
      return requests.delete(`/agents/${encodeURIComponent(agent.id)}`, agent.revision);
    },

    restoreAgent(id: string): Promise<Agent> {
      return requests.post(`/agents/${encodeURIComponent(id)}/restore`, {});
    },

    addDestination(agentId: string, to: Pick<Destination, 'name' | 'type' | 'targetId'>): Promise<Destination> {
      return requests.post(`/agents/${encodeURIComponent(agentId)}/destinations`, to);
    },

    listDestinations(agentId: string, limit: number): Promise<Page<Destination>> {
      return requests.list(`/agents/${encodeURIComponent(agentId)}/destinations`, {}, limit);
    },

    renameDestination(destination: Destination, name: string): Promise<Destination> {
      return requests.patch(`/destinations/${encodeURIComponent(destination.id)}`, destination.revision, { name });
    },

    async removeDestination(destination: Destination): Promise<void> {
      await requests.delete(`/destinations/${encodeURIComponent(destination.id)}`, destination.revision);
    },
  };
}
