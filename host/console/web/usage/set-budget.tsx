import { NativeSelect, TextInput } from '@mantine/core';
import { useState } from 'react';
import { formatUsdExactly, MAX_NANOUSD, parseUsd } from '../../../../shared/money.ts';
import { useAgentList } from '../agents/use-agents.ts';
import type { Budget } from '../client/types.ts';
import { setBudget } from '../client/usage-api.ts';
import classes from '../frame/dialog.module.css';
import { DialogForm } from '../frame/dialog-form.tsx';
import page from '../frame/page.module.css';
import { BUDGETS } from './use-usage.ts';
import { nameBudget } from './words.ts';

interface SetBudgetProps {
  /** Whose page it is on; null: of all. */
  agentId: string | null;
  /** Null: another one. */
  budget: Budget | null;
  onClose: () => void;
}

/** A cap of the host or an agent, or another amount of one that is there. */
export function SetBudget({ agentId, budget, onClose }: SetBudgetProps) {
  const agents = useAgentList().data?.items ?? [];
  const [subject, setSubject] = useState(budget?.subject ?? agentId ?? '');
  const [period, setPeriod] = useState<Budget['period']>(budget?.period ?? 'day');
  const [unit, setUnit] = useState<Budget['unit']>(budget?.unit ?? 'usd');
  const [text, setText] = useState(budget === null ? '' : writeAmount(budget));
  const amount = unit === 'usd' ? parseUsd(text) : parseTokens(text);
  const key = budget ?? { scope: subject === '' ? ('host' as const) : ('agent' as const), subject, period, unit };
  return (
    <DialogForm
      title={budget === null ? 'Set a budget' : `Change: ${nameBudget(budget)}`}
      action="Set"
      isReady={amount !== null}
      work={async () => amount !== null && (await setBudget(key, amount))}
      touches={[BUDGETS]}
      onClose={onClose}
    >
      {budget === null && (
        <>
          <NativeSelect
            label="Of"
            value={subject}
            data={[
              { value: '', label: 'this host, all agents together' },
              ...agents.map(({ id, name }) => ({ value: id, label: name })),
            ]}
            onChange={(event) => setSubject(event.currentTarget.value)}
          />
          <div className={classes.pair}>
            <NativeSelect
              label="Each"
              value={period}
              data={['day', 'month']}
              onChange={(event) => setPeriod(event.currentTarget.value === 'day' ? 'day' : 'month')}
            />
            <NativeSelect
              label="In"
              value={unit}
              data={[
                { value: 'usd', label: 'dollars' },
                { value: 'tokens', label: 'tokens' },
              ]}
              onChange={(event) => setUnit(event.currentTarget.value === 'usd' ? 'usd' : 'tokens')}
            />
          </div>
        </>
      )}
      <TextInput
        label={unit === 'usd' ? 'At most, in dollars' : 'At most, in tokens of all sorts'}
        placeholder={unit === 'usd' ? '5.00' : '1,000,000'}
        inputMode="decimal"
        data-autofocus
        value={text}
        error={
          text !== '' && amount === null
            ? `Expected ${unit === 'usd' ? 'an amount such as 5 or 0.25' : 'a whole number'}`
            : null
        }
        onChange={(event) => setText(event.currentTarget.value)}
      />
      <p className={page.soft}>It holds at once, for what was spent in this {key.period} already, too.</p>
    </DialogForm>
  );
}

function writeAmount({ unit, amount }: Budget): string {
  return unit === 'usd' ? formatUsdExactly(amount).replace('$', '') : String(amount);
}

function parseTokens(text: string): number | null {
  const digits = text.trim().replace(/[,\s]/g, '');
  if (!/^\d{1,16}$/.test(digits)) return null;
  return Number(digits) <= MAX_NANOUSD ? Number(digits) : null;
}
