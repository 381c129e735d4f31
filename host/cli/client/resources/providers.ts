/** What agents think with. */
import type { Requests } from '../requests.ts';
import type { AgentProvider, Providers, ProviderTest, ServiceModels } from '../types.ts';

/** More than the host gives the model, its container and a list of models. Lower: it gives up before the host says why. */
const PROBE_TIMEOUT_MS = 120_000;

export function providerCalls(requests: Requests) {
  return {
    listProviders(signal?: AbortSignal): Promise<Providers> {
      return requests.get('/providers', {}, signal);
    },

    readProvider(agentId: string): Promise<AgentProvider> {
      return requests.get(`/agents/${encodeURIComponent(agentId)}/provider`);
    },

    setProvider(agentId: string, revision: number, choice: Record<string, unknown>): Promise<AgentProvider> {
      return requests.put(`/agents/${encodeURIComponent(agentId)}/provider`, revision, choice);
    },

    listModels(agentId: string, query: { provider?: string; service?: string }): Promise<ServiceModels> {
      return requests.get(`/agents/${encodeURIComponent(agentId)}/models`, query);
    },

    /** Answers when the model did, or did not in time. */
    testProvider(agentId: string): Promise<ProviderTest> {
      return requests.post(`/agents/${encodeURIComponent(agentId)}/provider/test`, {}, { timeoutMs: PROBE_TIMEOUT_MS });
    },
  };
}
