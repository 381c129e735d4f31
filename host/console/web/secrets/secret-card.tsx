import { Button } from '@mantine/core';
import type { Secret } from '../client/types.ts';
import page from '../frame/page.module.css';
import { formatFullTime, formatMoment } from '../style/time.ts';
import { useNow } from '../style/use-now.ts';
import { describeUse } from './secret.ts';
import classes from './secrets.module.css';
import type { Asking } from './secrets-page.tsx';

/** One secret: where it is used, when it changed, and what an owner can do with it. */
export function SecretCard({ secret, onAsk }: { secret: Secret; onAsk: (asking: Asking) => void }) {
  const now = useNow();
  const { name, uses, changedAt, createdBy } = secret;
  return (
    <article className={page.card} aria-label={name} data-secret={name}>
      <h3 className={classes.name}>{name}</h3>
      <p className={page.soft} title={formatFullTime(changedAt)}>
        Changed {formatMoment(changedAt, now)} · made by {createdBy.name || createdBy.id}
      </p>
      {uses.length === 0 && <p className={classes.note}>No service gets it yet: assign it.</p>}
      <ul className={classes.uses}>
        {uses.map((use) => (
          <li key={`${use.service} ${use.agent?.id}`}>
            <span>
              {describeUse(use)}
              {use.thinkers.length > 0 && (
                <span className={page.soft}>
                  {' '}
                  · {use.thinkers.join(', ')} {use.thinkers.length === 1 ? 'thinks' : 'think'} with it
                </span>
              )}
            </span>
            <Button
              size="compact-xs"
              variant="subtle"
              color="red"
              c="var(--bad)"
              aria-label={`Take ${name} from ${describeUse(use)}`}
              onClick={() => onAsk({ kind: 'unassign', use })}
            >
              Take away
            </Button>
          </li>
        ))}
      </ul>
      <div className={classes.actions}>
        <Button
          size="xs"
          variant="default"
          aria-label={`New value: ${name}`}
          onClick={() => onAsk({ kind: 'set', secret })}
        >
          New value
        </Button>
        <Button
          size="xs"
          variant="default"
          aria-label={`Assign: ${name}`}
          onClick={() => onAsk({ kind: 'assign', secret })}
        >
          Assign
        </Button>
        <Button
          size="xs"
          variant="subtle"
          color="red"
          c="var(--bad)"
          aria-label={`Remove: ${name}`}
          onClick={() => onAsk({ kind: 'remove', secret })}
        >
          Remove
        </Button>
      </div>
    </article>
  );
}
