import { useQuery } from '@tanstack/react-query';
import { fetchBudgets, fetchPrices, fetchUsage, type UsageFilter } from '../client/usage-api.ts';

/** What nobody tells the page of. Higher: it is shown late. Lower: needless calls. */
const LOOK_AGAIN_MS = 5_000;

export const BUDGETS = ['budgets'];
export const PRICES = ['prices'];
export const USAGE = ['usage'];

export function useUsage(filter: UsageFilter, enabled = true) {
  return useQuery({
    queryKey: [...USAGE, filter],
    queryFn: () => fetchUsage(filter),
    staleTime: 0,
    refetchInterval: LOOK_AGAIN_MS,
    enabled,
  });
}

export function useBudgets() {
  return useQuery({ queryKey: BUDGETS, queryFn: fetchBudgets, staleTime: 0, refetchInterval: LOOK_AGAIN_MS });
}

export function usePrices() {
  return useQuery({ queryKey: PRICES, queryFn: fetchPrices });
}
