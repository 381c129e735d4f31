import { Button } from '@mantine/core';
import { useState } from 'react';
import { Link } from 'react-router';
import { removeAccess } from '../client/egress-api.ts';
import type { AccessRule } from '../client/types.ts';
import { DialogForm } from '../frame/dialog-form.tsx';
import { Fetched } from '../frame/fetched.tsx';
import page from '../frame/page.module.css';
import { Section } from '../frame/page.tsx';
import { formatMoment } from '../style/time.ts';
import { useNow } from '../style/use-now.ts';
import { describeLimits } from './agent.ts';
import classes from './agents.module.css';
import { AllowAccess } from './allow-access.tsx';
import { useAccessRules } from './use-provider.ts';

/** What the agent may reach outside: nothing that is not here. */
export function Access({ agentId, agentName }: { agentId: string; agentName: string }) {
  const rules = useAccessRules(agentId);
  const [isAdding, setIsAdding] = useState(false);
  const [removing, setRemoving] = useState<AccessRule | null>(null);
  return (
    <Section
      title="May reach"
      note="Beside its model’s service. A rule holds at once; everything else is refused, and logged."
    >
      <Fetched query={rules} what="rules">
        {({ items }) =>
          items.length === 0 ? (
            <p className={page.soft}>Nothing outside.</p>
          ) : (
            <ul className={page.list}>
              {items.map((rule) => (
                <Rule key={rule.id} rule={rule} onRemove={() => setRemoving(rule)} />
              ))}
            </ul>
          )
        }
      </Fetched>
      <div className={classes.actions}>
        <Button size="xs" variant="default" onClick={() => setIsAdding(true)}>
          Allow a place
        </Button>
        <Link className={page.link} to={`/egress?agent=${agentId}`}>
          What it asked for
        </Link>
      </div>
      {isAdding && <AllowAccess agent={{ id: agentId, name: agentName }} onClose={() => setIsAdding(false)} />}
      {removing !== null && (
        <DialogForm
          title={`Remove the way to ${removing.place}?`}
          action="Remove"
          isRemoval
          work={() => removeAccess(removing)}
          touches={[['agents', agentId, 'access']]}
          onClose={() => setRemoving(null)}
        >
          <p className={page.soft}>
            {agentName} cannot reach it any more, from this moment on: what is open there is closed, unless another rule
            allows it.
          </p>
        </DialogForm>
      )}
    </Section>
  );
}

function Rule({ rule, onRemove }: { rule: AccessRule; onRemove: () => void }) {
  const now = useNow();
  const { place, reason, createdBy, createdAt, approvalId, isPrivate } = rule;
  return (
    <li className={page.card} data-rule={rule.id}>
      <div className={classes.head}>
        <b>{place}</b>
        <Button
          size="compact-xs"
          variant="subtle"
          color="red"
          c="var(--bad)"
          aria-label={`Remove: ${place}`}
          onClick={onRemove}
        >
          Remove
        </Button>
      </div>
      <p className={page.soft}>
        {describeLimits(rule)}
        {isPrivate && ' · on this machine or network'}
      </p>
      {reason !== null && <p className={classes.reason}>“{reason}”</p>}
      <p className={page.soft}>
        {approvalId === null ? 'Allowed' : 'Asked for by the agent, approved'} by {createdBy.name || createdBy.id},{' '}
        {formatMoment(createdAt, now)}
      </p>
    </li>
  );
}
