import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useMemo, useState } from 'react';
import { type EgressFilter, fetchEgress } from '../client/egress-api.ts';
import { followEgress } from '../client/egress-tail.ts';
import { describeProblem } from '../client/fault.ts';
import type { EgressEntry } from '../client/types.ts';
import { mergeRows } from './egress.ts';

/** Rows that came while the page was open, before it begins anew. Higher: it grows slow. Lower: it jumps. */
const MAX_LIVE_ROWS = 500;

/** What is shown of the log: pages of it, and what comes. One filter for as long as it is drawn. */
export function useEgress(filter: EgressFilter, isFollowed: boolean) {
  const queries = useQueryClient();
  const queryKey = useMemo(() => ['egress', filter], [filter]);
  const pages = useInfiniteQuery({
    queryKey,
    queryFn: ({ pageParam }) => fetchEgress(filter, pageParam),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.nextCursor,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
  const [live, setLive] = useState<readonly EgressEntry[]>([]);
  const [isLive, setIsLive] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const isThere = pages.data !== undefined;

  // biome-ignore lint/correctness/useExhaustiveDependencies: begins where the pages do, each time that they are fetched
  useEffect(() => {
    if (!isFollowed || !isThere) return;
    const left = new AbortController();
    const anew = () => {
      setLive([]);
      queries.resetQueries({ queryKey }).catch((error: unknown) => reportError(error));
    };
    const reader = {
      onRows: (rows: readonly EgressEntry[]) => setLive((all) => mergeRows(all, rows)),
      onGap: anew,
      onLive: setIsLive,
    };
    const newest = Math.max(0, ...(pages.data?.pages[0]?.items ?? []).map(({ id }) => id), ...live.map(({ id }) => id));
    followEgress(filter, newest, reader, left.signal).catch((error: unknown) =>
      setProblem(describeProblem(error).message),
    );
    return () => {
      left.abort();
      setIsLive(false);
    };
  }, [isFollowed, isThere, queryKey]);

  useEffect(() => {
    if (live.length <= MAX_LIVE_ROWS) return;
    setLive([]);
    queries.resetQueries({ queryKey }).catch((error: unknown) => reportError(error));
  }, [live, queries, queryKey]);

  const rows = useMemo(
    () =>
      pages.data === undefined
        ? undefined
        : mergeRows(
            pages.data.pages.flatMap(({ items }) => items),
            live,
          ),
    [pages.data, live],
  );
  return { pages, rows, isLive, problem };
}
