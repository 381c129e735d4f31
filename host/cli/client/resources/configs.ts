/** What agents’ containers are made of, and its history. */
import type { Requests } from '../requests.ts';
import type { AgentConfig, AgentConfigChange, AgentConfigDiff, AgentConfigRevision, Page } from '../types.ts';

/** An image is built before some answers come. Higher: a hung build holds the terminal. Lower: a long one looks failed. */
const BUILD_TIMEOUT_MS = 20 * 60_000;

export function configCalls(requests: Requests) {
  return {
    readConfig(agentId: string): Promise<AgentConfig> {
      return requests.get(`/agents/${encodeURIComponent(agentId)}/config`);
    },

    readConfigRevision(agentId: string, revision: number): Promise<AgentConfigRevision> {
      return requests.get(`/agents/${encodeURIComponent(agentId)}/config/history/${revision}`);
    },

    listConfigHistory(agentId: string, limit: number): Promise<Page<AgentConfigChange>> {
      return requests.list(`/agents/${encodeURIComponent(agentId)}/config/history`, {}, limit);
    },

    diffConfig(
      agentId: string,
      revisions: { from: number | undefined; to: number | undefined },
    ): Promise<AgentConfigDiff> {
      return requests.get(`/agents/${encodeURIComponent(agentId)}/config/diff`, revisions);
    },

    changeConfig(agentId: string, revision: number, patch: Record<string, unknown>): Promise<AgentConfig> {
      return requests.patch(`/agents/${encodeURIComponent(agentId)}/config`, revision, patch);
    },

    /** Answers when its image is built. */
    rollBackConfig(agentId: string, revision: number, to: number): Promise<AgentConfig> {
      const path = `/agents/${encodeURIComponent(agentId)}/config/rollback`;
      return requests.post(path, { revision: to }, { revision, timeoutMs: BUILD_TIMEOUT_MS });
    },
  };
}
