import { type QueryClient, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { fetchAllApprovals, fetchApprovals } from '../client/admin-api.ts';
import type { Approval } from '../client/types.ts';

const APPROVALS = ['approvals'];
const NONE: readonly Approval[] = [];

/** After one was asked for, decided or carried out: what agents are made of may have changed with it. */
export async function refetchApprovals(queries: QueryClient): Promise<void> {
  await Promise.all([
    queries.invalidateQueries({ queryKey: APPROVALS }),
    queries.invalidateQueries({ queryKey: ['agents'] }),
  ]);
}

/** `pending`: to be decided. `approved`: being carried out. */
export function useApprovals(state: 'pending' | 'approved', enabled = true) {
  return useQuery({ queryKey: [...APPROVALS, state], queryFn: () => fetchApprovals(state), enabled });
}

/** What waits for this person's decision, as far as they may decide. */
export function useWaiting(enabled: boolean): readonly Approval[] {
  return useApprovals('pending', enabled).data?.items ?? NONE;
}

/** All there ever were, newest first, by pages. */
export function useAllApprovals() {
  return useInfiniteQuery({
    queryKey: [...APPROVALS, 'all'],
    queryFn: ({ pageParam }) => fetchAllApprovals(pageParam),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.nextCursor,
  });
}
