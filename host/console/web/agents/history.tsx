import { Button } from '@mantine/core';
import { useMemo, useState } from 'react';
import type { AgentConfig, AgentConfigChange } from '../client/types.ts';
import { Fetched } from '../frame/fetched.tsx';
import { More } from '../frame/more.tsx';
import page from '../frame/page.module.css';
import { Section } from '../frame/page.tsx';
import { formatFullTime, formatMoment } from '../style/time.ts';
import { useNow } from '../style/use-now.ts';
import classes from './agents.module.css';
import { RollBack } from './roll-back.tsx';
import { useHistory } from './use-agents.ts';

/** Every revision of the config: what it changed, by whom and why; each can be gone back to. */
export function History({ config }: { config: AgentConfig }) {
  const history = useHistory(config.agentId, config.revision);
  const all = useMemo(() => history.data?.pages.flatMap(({ items }) => items), [history.data]);
  const [goingTo, setGoingTo] = useState<number | null>(null);
  return (
    <Section title="History">
      <Fetched query={{ ...history, data: all }} what="revisions">
        {(items) => (
          <ul className={page.list}>
            {items.map((change) => (
              <li key={change.revision}>
                <Revision
                  change={change}
                  onRollBack={change.revision === config.revision ? null : () => setGoingTo(change.revision)}
                />
              </li>
            ))}
          </ul>
        )}
      </Fetched>
      <More query={history} label="Show older revisions" />
      {goingTo !== null && <RollBack config={config} revision={goingTo} onClose={() => setGoingTo(null)} />}
    </Section>
  );
}

/** `onRollBack` null: it holds now. */
function Revision({ change, onRollBack }: { change: AgentConfigChange; onRollBack: (() => void) | null }) {
  const now = useNow();
  const { revision, changedAt, changedBy, reason, changes } = change;
  return (
    <div className={page.card} data-revision={revision}>
      <div className={classes.head}>
        <b>Revision {revision}</b>
        {onRollBack === null ? (
          <span className={page.soft}>holds now</span>
        ) : (
          <Button
            size="compact-xs"
            variant="default"
            aria-label={`Go back to revision ${revision}`}
            onClick={onRollBack}
          >
            Go back to this
          </Button>
        )}
      </div>
      <span className={page.soft} title={formatFullTime(changedAt)}>
        {formatMoment(changedAt, now)}, by {changedBy.name || changedBy.id}: {reason}
      </span>
      {changes.length > 0 && (
        <ul className={page.lines}>
          {changes.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      )}
    </div>
  );
}
