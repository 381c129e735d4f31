/** What agents may reach outside and what they reached, over the host's API. Throws ApiFault, HostAwayFault. */
import { accept, answer, api, BASE } from './call.ts';
import { isRecord, overNetwork } from './fault.ts';
import type { AccessRule, EgressEntry, Page } from './types.ts';

export function fetchAccess(agentId: string): Promise<{ items: AccessRule[] }> {
  return answer(api.agents[':id'].access.$get({ param: { id: agentId } }));
}

/** A host with what of it, or a service. */
export interface AccessWish {
  host?: string;
  service?: string;
  port?: number;
  methods?: AccessMethod[];
  path?: string;
  private?: boolean;
  reason?: string;
}
export type AccessMethod = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS';

/** Holds at once. */
export function allowAccess(agentId: string, wish: AccessWish): Promise<AccessRule> {
  return answer(api.agents[':id'].access.$post({ param: { id: agentId }, json: wish }));
}

/** What nothing else allows is closed at once. */
export async function removeAccess({ agentId, id }: AccessRule): Promise<void> {
  await accept(api.agents[':id'].access[':rule'].$delete({ param: { id: agentId, rule: id } }));
}

export interface EgressFilter {
  agent: string;
  outcome: string;
  /** Part of a host or path. */
  q: string;
}

/** Newest first. */
export async function fetchEgress(filter: EgressFilter, cursor: string | null): Promise<Page<EgressEntry>> {
  const query = { ...readQuery(filter), ...(cursor === null ? {} : { cursor }) };
  // The route streams as well, so the client's types do not know its JSON.
  const response = await accept(api.egress.$get({ query, header: {} }));
  const page: unknown = JSON.parse(await overNetwork(response.text()));
  if (!isEgressPage(page)) throw new Error('the host answered the log with something else');
  return page;
}

function isEgressPage(data: unknown): data is Page<EgressEntry> {
  return isRecord(data) && Array.isArray(data.items);
}

export function egressUrl(filter: EgressFilter): string {
  return `${BASE}${api.egress.$path()}?${new URLSearchParams(readQuery(filter))}`;
}

/** Fields that say nothing are left out; the host judges what an address names. */
function readQuery({ agent, outcome, q }: EgressFilter) {
  return {
    ...(agent === '' ? {} : { agent }),
    ...(outcome === '' ? {} : { outcome: outcome as EgressEntry['outcome'] }),
    ...(q === '' ? {} : { q }),
  };
}
