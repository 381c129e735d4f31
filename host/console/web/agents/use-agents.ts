import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import {
  fetchBuilds,
  fetchConfig,
  fetchConfigHistory,
  fetchMounts,
  fetchRunningSessions,
} from '../client/admin-api.ts';
import { fetchRemovedAgents } from '../client/agent-api.ts';
import { fetchAgent, fetchAgents } from '../client/api.ts';

/** What nobody tells the page of. Higher: it is shown late. Lower: needless calls. */
const LOOK_AGAIN_MS = 5_000;

export function useAgentList() {
  return useQuery({ queryKey: ['agents'], queryFn: fetchAgents });
}

/** Its revision is what it is renamed and removed on top of. */
export function useAgent(agentId: string) {
  return useQuery({
    queryKey: ['agents', agentId, 'agent'],
    queryFn: () => fetchAgent(agentId),
    staleTime: 0,
    refetchInterval: LOOK_AGAIN_MS,
  });
}

/** Those that were removed, and can be restored. */
export function useRemovedAgents() {
  return useQuery({ queryKey: ['agents', 'removed'], queryFn: fetchRemovedAgents, staleTime: 0 });
}

/** How many containers of each agent run. */
export function useRunning(): ReadonlyMap<string, number> {
  const running = useQuery({ queryKey: ['running'], queryFn: fetchRunningSessions, refetchInterval: LOOK_AGAIN_MS });
  const counts = new Map<string, number>();
  for (const { agentId } of running.data?.items ?? []) counts.set(agentId, (counts.get(agentId) ?? 0) + 1);
  return counts;
}

export function useConfig(agentId: string, isWatched: boolean) {
  return useQuery({
    queryKey: ['agents', agentId, 'config'],
    queryFn: () => fetchConfig(agentId),
    refetchInterval: isWatched ? LOOK_AGAIN_MS : false,
  });
}

/** With what the allowlist says of each now. */
export function useMounts(agentId: string) {
  return useQuery({ queryKey: ['agents', agentId, 'mounts'], queryFn: () => fetchMounts(agentId) });
}

export function useHistory(agentId: string, revision: number) {
  return useInfiniteQuery({
    queryKey: ['agents', agentId, 'history', revision],
    queryFn: ({ pageParam }) => fetchConfigHistory(agentId, pageParam),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.nextCursor,
    placeholderData: (previous) => previous,
  });
}

export function useBuilds(agentId: string) {
  return useInfiniteQuery({
    queryKey: ['agents', agentId, 'builds'],
    queryFn: ({ pageParam }) => fetchBuilds(agentId, pageParam),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.nextCursor,
    refetchInterval: LOOK_AGAIN_MS,
  });
}
