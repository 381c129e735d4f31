import { useMemo } from 'react';
import type { Approval } from '../client/types.ts';
import { Fetched } from '../frame/fetched.tsx';
import { More } from '../frame/more.tsx';
import page from '../frame/page.module.css';
import { Page, Section } from '../frame/page.tsx';
import { ApprovalCard } from './approval-card.tsx';
import { useAllApprovals, useApprovals } from './use-approvals.ts';

/** What waits for a decision, what is being carried out, and what became of the rest. */
export function ApprovalsPage() {
  const waiting = useApprovals('pending');
  const underWay = useApprovals('approved');
  return (
    <Page title="Approvals" about="What agents ask for and strangers need: nothing of it happens without a decision.">
      <Section title="Waiting for a decision">
        <Fetched query={waiting} what="approvals">
          {({ items }) => <Cards approvals={items} empty="Nothing waits for you." />}
        </Fetched>
      </Section>
      {(underWay.data?.items.length ?? 0) > 0 && (
        <Section title="Being carried out">
          <Cards approvals={underWay.data?.items ?? []} empty="" />
        </Section>
      )}
      <Past />
    </Page>
  );
}

function Past() {
  const all = useAllApprovals();
  const past = useMemo(
    () =>
      all.data?.pages.flatMap(({ items }) => items.filter(({ state }) => state !== 'pending' && state !== 'approved')),
    [all.data],
  );
  return (
    <Section title="Decided">
      <Fetched query={{ ...all, data: past }} what="decided approvals">
        {(items) => <Cards approvals={items} empty="Nothing was decided yet." />}
      </Fetched>
      <More query={all} label="Show older ones" />
    </Section>
  );
}

function Cards({ approvals, empty }: { approvals: readonly Approval[]; empty: string }) {
  if (approvals.length === 0) return <p className={page.soft}>{empty}</p>;
  return (
    <ul className={page.list}>
      {approvals.map((approval) => (
        <li key={approval.id}>
          <ApprovalCard approval={approval} />
        </li>
      ))}
    </ul>
  );
}
