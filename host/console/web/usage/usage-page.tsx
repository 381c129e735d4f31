import { NativeSelect } from '@mantine/core';
import { useSearchParams } from 'react-router';
import { useAgentList } from '../agents/use-agents.ts';
import type { UsageReport } from '../client/types.ts';
import { Fetched } from '../frame/fetched.tsx';
import page from '../frame/page.module.css';
import { Page, Section } from '../frame/page.tsx';
import { administers, useMe } from '../sign-in/use-me.ts';
import { Budgets } from './budgets.tsx';
import { Prices } from './prices.tsx';
import classes from './usage.module.css';
import { UsageTable } from './usage-table.tsx';
import { useUsage } from './use-usage.ts';
import { cachedTokens, describeCost, formatTokens } from './words.ts';

const PERIODS = [
  { value: '1', label: 'today' },
  { value: '7', label: 'the last 7 days' },
  { value: '30', label: 'the last 30 days' },
  { value: '90', label: 'the last 90 days' },
  { value: '366', label: 'the last year' },
];
const GROUPS = [
  { value: 'day', label: 'day' },
  { value: 'agent', label: 'agent' },
  { value: 'model', label: 'model' },
  { value: 'person', label: 'person' },
  { value: 'session', label: 'chat' },
] as const;

/** What models were asked and cost: sums, budgets, prices. What is looked for stands in the address. */
export function UsagePage() {
  const [params, setParams] = useSearchParams();
  const me = useMe();
  const agents = (useAgentList().data?.items ?? []).filter(({ id }) => administers(me, id));
  const by: UsageReport['by'] = GROUPS.find(({ value }) => value === params.get('by'))?.value ?? 'day';
  const days = PERIODS.find(({ value }) => value === params.get('days'))?.value ?? '30';
  const agent = params.get('agent') ?? '';
  const filter = { by, days: Number(days), ...(agent === '' ? {} : { agent }) };
  const report = useUsage(filter);
  const models = useUsage({ ...filter, by: 'model' });
  function change(field: 'by' | 'days' | 'agent', value: string) {
    const next = new URLSearchParams(params);
    if (value === '') next.delete(field);
    else next.set(field, value);
    setParams(next, { replace: true });
  }
  return (
    <Page
      title="Usage"
      about="What models were asked and what that cost, as their services count it. Days are those of UTC."
    >
      <search className={classes.filters} aria-label="What to count">
        <NativeSelect
          label="In"
          data={PERIODS}
          value={days}
          onChange={(event) => change('days', event.currentTarget.value)}
        />
        <NativeSelect
          label="By"
          data={[...GROUPS]}
          value={by}
          onChange={(event) => change('by', event.currentTarget.value)}
        />
        <NativeSelect
          label="Of"
          data={[{ value: '', label: 'all agents' }, ...agents.map(({ id, name }) => ({ value: id, label: name }))]}
          value={agent}
          onChange={(event) => change('agent', event.currentTarget.value)}
        />
      </search>
      <Section title="Sums">
        <Fetched query={report} what="sums">
          {(data) =>
            data.sum.calls === 0 ? (
              <Nothing report={data} />
            ) : (
              <Report report={data} onAgent={(id) => change('agent', id)} />
            )
          }
        </Fetched>
      </Section>
      <Budgets agentId={agent === '' ? null : agent} />
      <Prices models={models.data} />
    </Page>
  );
}

function Nothing({ report: { firstDay, lastDay } }: { report: UsageReport }) {
  return (
    <p className={page.soft}>
      No model was asked {firstDay === lastDay ? `on ${firstDay}` : `from ${firstDay} to ${lastDay}`}. Which agent
      thinks with a model is said on its page.
    </p>
  );
}

function Report({ report, onAgent }: { report: UsageReport; onAgent: (id: string) => void }) {
  const { sum } = report;
  const cached = cachedTokens(sum);
  const facts: [string, string][] = [
    ['cost', sum.unpricedCalls === sum.calls ? 'not known' : describeCost(sum)],
    [sum.calls === 1 ? 'call' : 'calls', formatTokens(sum.calls)],
    ['tokens in', formatTokens(sum.inputTokens)],
    ...(cached > 0 ? [['cached', formatTokens(cached)] satisfies [string, string]] : []),
    ['tokens out', formatTokens(sum.outputTokens)],
  ];
  return (
    <>
      <dl className={classes.sums} aria-label="All together">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <UsageTable report={report} onAgent={onAgent} />
      {sum.unpricedCalls > 0 && (
        <p className={page.soft}>
          *: {formatTokens(sum.unpricedCalls)} calls of models without a price are not in it. See Prices, below.
        </p>
      )}
    </>
  );
}
