import { useInfiniteQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { useSearchParams } from 'react-router';
import { fetchLedger, type LedgerFilter } from '../client/admin-api.ts';
import { Fetched } from '../frame/fetched.tsx';
import { More } from '../frame/more.tsx';
import page from '../frame/page.module.css';
import { Page, Section } from '../frame/page.tsx';
import { Entry } from './entry.tsx';
import { isFiltered, readFilter, writeFilter } from './filter.ts';
import { Filters } from './filters.tsx';
import { Head } from './head.tsx';
import classes from './ledger.module.css';

/** What was decided, changed and delivered, newest first. What is looked for stands in the address. */
export function LedgerPage() {
  const [params, setParams] = useSearchParams();
  const filter = useMemo(() => readFilter(params), [params]);
  const change = (fields: Partial<LedgerFilter>) => setParams(writeFilter({ ...filter, ...fields }), { replace: true });
  // The fields hold what is being typed; only what was chosen elsewhere is put into them.
  const [jumps, setJumps] = useState(0);
  function jump(subject: string) {
    change({ subject });
    setJumps((count) => count + 1);
  }
  return (
    <Page
      title="Ledger"
      about="Every decision, change and delivery. Each entry carries the hash of the one before: nothing can be changed or taken out unseen."
    >
      <Head />
      <Filters key={jumps} filter={filter} onChange={change} />
      <Entries filter={filter} onSubject={jump} />
    </Page>
  );
}

function Entries({ filter, onSubject }: { filter: LedgerFilter; onSubject: (subject: string) => void }) {
  const entries = useInfiniteQuery({
    queryKey: ['ledger', filter],
    queryFn: ({ pageParam }) => fetchLedger(filter, pageParam),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.nextCursor,
    staleTime: 0,
  });
  const all = useMemo(() => entries.data?.pages.flatMap(({ items }) => items), [entries.data]);
  return (
    <Section title="Entries">
      <Fetched query={{ ...entries, data: all }} what="entries">
        {(items) =>
          items.length === 0 ? (
            <p className={page.soft}>{describeNone(isFiltered(filter), entries.hasNextPage)}</p>
          ) : (
            <ol className={classes.entries}>
              {items.map((entry) => (
                <Entry key={entry.position} entry={entry} onSubject={onSubject} />
              ))}
            </ol>
          )
        }
      </Fetched>
      <More query={entries} label="Show older entries" />
    </Section>
  );
}

function describeNone(isSearch: boolean, hasOlder: boolean): string {
  if (hasOlder) return 'Nothing among the newest entries; there are older ones.';
  return isSearch ? 'Nothing fits.' : 'Nothing happened yet.';
}
