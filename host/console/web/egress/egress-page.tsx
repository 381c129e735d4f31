import { Button, NativeSelect, Switch, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { useMemo, useState } from 'react';
import { useSearchParams } from 'react-router';
import { AllowAccess } from '../agents/allow-access.tsx';
import { useAgentList } from '../agents/use-agents.ts';
import type { EgressFilter } from '../client/egress-api.ts';
import type { EgressEntry } from '../client/types.ts';
import { Fetched } from '../frame/fetched.tsx';
import { More } from '../frame/more.tsx';
import page from '../frame/page.module.css';
import { Page, Section } from '../frame/page.tsx';
import { administers, useMe } from '../sign-in/use-me.ts';
import classes from './egress.module.css';
import { isFiltered, OUTCOMES, readFilter, writeFilter } from './egress.ts';
import { Rows } from './rows.tsx';
import { useEgress } from './use-egress.ts';

/** From the last key to the search. Higher: it lags. Lower: a search for each letter. */
const TYPING_MS = 350;

/** What agents asked of the outside, and what became of it. What is looked for stands in the address. */
export function EgressPage() {
  const [params, setParams] = useSearchParams();
  const filter = useMemo(() => readFilter(params), [params]);
  const [isFollowed, setIsFollowed] = useState(true);
  const change = (fields: Partial<EgressFilter>) => setParams(writeFilter({ ...filter, ...fields }), { replace: true });
  return (
    <Page
      title="Egress"
      about="What agents asked of the outside, and what became of it: never what was in it."
      actions={
        <Switch label="Follow" checked={isFollowed} onChange={(event) => setIsFollowed(event.currentTarget.checked)} />
      }
    >
      <Filters filter={filter} onChange={change} />
      <Requests key={writeFilter(filter).toString()} filter={filter} isFollowed={isFollowed} />
    </Page>
  );
}

function Filters({ filter, onChange }: { filter: EgressFilter; onChange: (fields: Partial<EgressFilter>) => void }) {
  const me = useMe();
  const agents = (useAgentList().data?.items ?? []).filter(({ id }) => administers(me, id));
  const [text, setText] = useState(filter.q);
  const settle = useDebouncedCallback((q: string) => onChange({ q: q.trim() }), TYPING_MS);
  return (
    <search className={classes.filters} aria-label="Requests to show">
      <NativeSelect
        label="Agent"
        data={[{ value: '', label: 'all' }, ...agents.map(({ id, name }) => ({ value: id, label: name }))]}
        value={filter.agent}
        onChange={(event) => onChange({ agent: event.currentTarget.value, q: text.trim() })}
      />
      <NativeSelect
        label="Outcome"
        data={[...OUTCOMES]}
        value={filter.outcome}
        onChange={(event) => onChange({ outcome: event.currentTarget.value, q: text.trim() })}
      />
      <TextInput
        label="Part of a host or path"
        maxLength={200}
        value={text}
        onChange={({ currentTarget: { value } }) => {
          setText(value);
          settle(value);
        }}
      />
      {isFiltered(filter) && (
        <Button
          variant="subtle"
          size="compact-sm"
          style={{ justifySelf: 'start' }}
          onClick={() => {
            setText('');
            onChange({ agent: '', outcome: '', q: '' });
          }}
        >
          Show everything
        </Button>
      )}
    </search>
  );
}

function Requests({ filter, isFollowed }: { filter: EgressFilter; isFollowed: boolean }) {
  const me = useMe();
  const agents = useAgentList().data?.items ?? [];
  const { pages, rows, isLive, problem } = useEgress(filter, isFollowed);
  const [allowing, setAllowing] = useState<EgressEntry | null>(null);
  const nameOf = (id: string) => agents.find((agent) => agent.id === id)?.name ?? id;
  return (
    <Section title="Requests" {...(isFollowed ? { note: isLive ? 'As they come.' : 'Connecting…' } : {})}>
      {problem !== null && (
        <p role="alert" className={page.bad}>
          {problem}
        </p>
      )}
      <Fetched query={{ ...pages, data: rows }} what="requests">
        {(items) =>
          items.length === 0 ? (
            <p className={page.soft}>
              {isFiltered(filter)
                ? 'Nothing fits.'
                : 'No agent asked for anything outside yet. What they may reach is said on their pages.'}
            </p>
          ) : (
            <Rows rows={items} nameOf={nameOf} mayAllow={(id) => administers(me, id)} onAllow={setAllowing} />
          )
        }
      </Fetched>
      <More query={pages} label="Show older requests" />
      {allowing !== null && (
        <AllowAccess
          agent={{ id: allowing.agentId, name: nameOf(allowing.agentId) }}
          asked={allowing}
          onClose={() => setAllowing(null)}
        />
      )}
    </Section>
  );
}
