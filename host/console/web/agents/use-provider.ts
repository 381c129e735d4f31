import { useQuery } from '@tanstack/react-query';
import { fetchAccess } from '../client/egress-api.ts';
import { fetchAgentProvider, fetchProviders } from '../client/provider-api.ts';

/** What nobody tells the page of. Higher: it is shown late. Lower: needless calls. */
const LOOK_AGAIN_MS = 5_000;

export function useAgentProvider(agentId: string) {
  return useQuery({
    queryKey: ['agents', agentId, 'provider'],
    queryFn: () => fetchAgentProvider(agentId),
    staleTime: 0,
    refetchInterval: LOOK_AGAIN_MS,
  });
}

/** What agents may think with on this host. */
export function useProviders() {
  return useQuery({ queryKey: ['providers'], queryFn: fetchProviders, staleTime: 0 });
}

/** Oldest first. */
export function useAccessRules(agentId: string) {
  return useQuery({
    queryKey: ['agents', agentId, 'access'],
    queryFn: () => fetchAccess(agentId),
    staleTime: 0,
    refetchInterval: LOOK_AGAIN_MS,
  });
}
