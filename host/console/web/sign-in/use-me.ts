import { useQuery } from '@tanstack/react-query';
import { fetchMe } from '../client/api.ts';
import type { Me } from '../client/types.ts';

export const ME = ['me'];

/** Who is signed in and what they may do; null until that is known. The host decides each call anew. */
export function useMe(): Me | null {
  return useQuery({ queryKey: ME, queryFn: fetchMe }).data ?? null;
}

/** Whether this person is an admin of that agent; of one that is not known, of all. */
export function administers(me: Me | null, agentId: string | null): boolean {
  return (
    me?.roles.some((held) => held.role !== 'member' && (held.agentId === null || held.agentId === agentId)) ?? false
  );
}
