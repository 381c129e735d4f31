/** What agents may reach outside, and what they asked of it. */
import type { IncomingMessage } from 'node:http';
import { formatQuery, type Requests } from '../requests.ts';
import type { AccessRule, EgressEntry, Page } from '../types.ts';

export interface NewAccessRule {
  host?: string;
  service?: string;
  port?: number;
  methods?: string[];
  path?: string;
  private?: boolean;
  reason?: string;
}

/** What a list or tail of the egress log is limited to. */
export interface EgressQuery {
  agent: string | undefined;
  session: string | undefined;
  outcome: string | undefined;
  /** Part of a host or path. */
  q: string | undefined;
}

export function accessCalls(requests: Requests) {
  return {
    listAccess(agentId: string): Promise<{ items: AccessRule[] }> {
      return requests.get(`/agents/${encodeURIComponent(agentId)}/access`);
    },

    allowAccess(agentId: string, rule: NewAccessRule): Promise<AccessRule> {
      return requests.post(`/agents/${encodeURIComponent(agentId)}/access`, { ...rule });
    },

    async removeAccess(agentId: string, ruleId: string): Promise<void> {
      await requests.delete(`/agents/${encodeURIComponent(agentId)}/access/${encodeURIComponent(ruleId)}`);
    },

    listEgress(query: EgressQuery, limit: number): Promise<Page<EgressEntry>> {
      return requests.list('/egress', { ...query }, limit);
    },

    /** Server-sent events, `request` for each row after `lastEventId` and for those that come. */
    openEgress(query: EgressQuery, lastEventId: string, signal: AbortSignal): Promise<IncomingMessage> {
      return requests.openEvents(`/egress${formatQuery({ ...query })}`, lastEventId, signal);
    },
  };
}
