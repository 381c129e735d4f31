import { Button, NativeSelect, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { useState } from 'react';
import { useAgentList } from '../agents/use-agents.ts';
import type { LedgerFilter } from '../client/admin-api.ts';
import { isFiltered, kindsWith } from './filter.ts';
import classes from './ledger.module.css';

/** From the last key to the search. Higher: it lags. Lower: a search for each letter. */
const TYPING_MS = 350;

interface FiltersProps {
  filter: LedgerFilter;
  onChange: (fields: Partial<LedgerFilter>) => void;
}

export function Filters({ filter, onChange }: FiltersProps) {
  const agents = useAgentList().data?.items ?? [];
  const [texts, setTexts] = useState({ q: filter.q, actor: filter.actor, subject: filter.subject });
  const settle = useDebouncedCallback(onChange, TYPING_MS);
  const type = (field: keyof typeof texts) => (event: { currentTarget: HTMLInputElement }) => {
    const next = { ...texts, [field]: event.currentTarget.value };
    setTexts(next);
    settle(next);
  };
  function clear() {
    setTexts({ q: '', actor: '', subject: '' });
    onChange({ kind: '', agent: '', q: '', actor: '', subject: '' });
  }
  return (
    <search className={classes.filters} aria-label="Entries to show">
      <TextInput
        className={classes.wide ?? ''}
        label="Somewhere in an entry"
        value={texts.q}
        onChange={type('q')}
        maxLength={300}
      />
      <NativeSelect
        label="Kind"
        data={kindsWith(filter.kind)}
        value={filter.kind}
        onChange={(event) => onChange({ ...texts, kind: event.currentTarget.value })}
      />
      <NativeSelect
        label="Agent"
        data={[{ value: '', label: 'Any' }, ...agents.map(({ id, name }) => ({ value: id, label: name }))]}
        value={filter.agent}
        onChange={(event) => onChange({ ...texts, agent: event.currentTarget.value })}
      />
      <TextInput
        label="Whose doing"
        placeholder="web:anna"
        value={texts.actor}
        onChange={type('actor')}
        maxLength={300}
      />
      <TextInput
        label="About"
        placeholder="the id of anything"
        value={texts.subject}
        onChange={type('subject')}
        maxLength={300}
      />
      {isFiltered(filter) && (
        <Button variant="subtle" size="compact-sm" style={{ justifySelf: 'start' }} onClick={clear}>
          Show everything
        </Button>
      )}
    </search>
  );
}
