import { Button } from '@mantine/core';
import { useState } from 'react';
import type { Budget } from '../client/types.ts';
import { removeBudget } from '../client/usage-api.ts';
import { DialogForm } from '../frame/dialog-form.tsx';
import { Fetched } from '../frame/fetched.tsx';
import page from '../frame/page.module.css';
import { Section } from '../frame/page.tsx';
import { useMe } from '../sign-in/use-me.ts';
import { formatMoment } from '../style/time.ts';
import { useNow } from '../style/use-now.ts';
import { SetBudget } from './set-budget.tsx';
import classes from './usage.module.css';
import { BUDGETS, useBudgets } from './use-usage.ts';
import { describeAmount, describeBudget, nameBudget } from './words.ts';

type Asking = { kind: 'set'; budget: Budget | null } | { kind: 'remove'; budget: Budget };

/** Caps, and what is spent of each. `agentId`: those that hold for one agent. */
export function Budgets({ agentId }: { agentId: string | null }) {
  const budgets = useBudgets();
  const mayChange = useMe()?.may.seeEverything === true;
  const [asking, setAsking] = useState<Asking | null>(null);
  const concerns = ({ scope, subject }: Budget) => agentId === null || scope === 'host' || subject === agentId;
  return (
    <Section
      title="Budgets"
      note="Hard caps, by days and months of UTC. Owners are asked at 80 %; a call past the cap is refused."
    >
      <Fetched query={budgets} what="budgets">
        {({ items }) => {
          const shown = items.filter(concerns);
          if (shown.length === 0) return <p className={page.soft}>None: nothing limits what models may cost here.</p>;
          return (
            <ul className={classes.budgets}>
              {shown.map((budget) => (
                <li key={`${budget.scope} ${budget.subject} ${budget.period} ${budget.unit}`} className={page.card}>
                  <BudgetBar budget={budget} />
                  {mayChange && (
                    <div className={classes.actions}>
                      <Button
                        size="compact-xs"
                        variant="default"
                        aria-label={`Change: ${nameBudget(budget)}`}
                        onClick={() => setAsking({ kind: 'set', budget })}
                      >
                        Change
                      </Button>
                      <Button
                        size="compact-xs"
                        variant="subtle"
                        color="red"
                        c="var(--bad)"
                        aria-label={`Remove: ${nameBudget(budget)}`}
                        onClick={() => setAsking({ kind: 'remove', budget })}
                      >
                        Remove
                      </Button>
                    </div>
                  )}
                </li>
              ))}
            </ul>
          );
        }}
      </Fetched>
      {mayChange && (
        <div className={classes.actions}>
          <Button size="xs" variant="default" onClick={() => setAsking({ kind: 'set', budget: null })}>
            Set a budget
          </Button>
        </div>
      )}
      {asking?.kind === 'set' && <SetBudget agentId={agentId} budget={asking.budget} onClose={() => setAsking(null)} />}
      {asking?.kind === 'remove' && <RemoveBudget budget={asking.budget} onClose={() => setAsking(null)} />}
    </Section>
  );
}

function BudgetBar({ budget }: { budget: Budget }) {
  const now = useNow();
  const look = describeBudget(budget);
  const held = budget.held > 0 ? ` Calls under way may still cost ${describeAmount(budget, budget.held)}.` : '';
  return (
    <>
      <div className={classes.head}>
        <b>{nameBudget(budget)}</b>
        <span>{look.label}</span>
      </div>
      <div
        className={classes.bar}
        data-tone={look.tone}
        role="progressbar"
        aria-label={nameBudget(budget)}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.floor(look.percent)}
        aria-valuetext={look.label}
      >
        <i style={{ width: `${look.percent}%` }} />
      </div>
      <p className={page.soft}>
        Starts anew {formatMoment(budget.resetsAt, now)}.{held}
        {budget.isAsked && ' Owners were asked to raise it.'}
      </p>
    </>
  );
}

function RemoveBudget({ budget, onClose }: { budget: Budget; onClose: () => void }) {
  return (
    <DialogForm
      title="Remove this budget?"
      action="Remove"
      isRemoval
      work={() => removeBudget(budget)}
      touches={[BUDGETS]}
      onClose={onClose}
    >
      <p className={page.soft}>
        {nameBudget(budget)}: the cap of {describeAmount(budget, budget.amount)} holds no more, from this moment on.
      </p>
    </DialogForm>
  );
}
