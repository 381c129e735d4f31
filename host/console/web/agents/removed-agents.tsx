import { Button } from '@mantine/core';
import { useState } from 'react';
import { restoreAgent } from '../client/agent-api.ts';
import type { Agent } from '../client/types.ts';
import { DialogForm } from '../frame/dialog-form.tsx';
import page from '../frame/page.module.css';
import { Section } from '../frame/page.tsx';
import { formatMoment } from '../style/time.ts';
import { useNow } from '../style/use-now.ts';
import classes from './agents.module.css';
import { useRemovedAgents } from './use-agents.ts';

/** Those that can come back; nothing while there are none. */
export function RemovedAgents() {
  const items = useRemovedAgents().data?.items ?? [];
  const now = useNow();
  const [restoring, setRestoring] = useState<Agent | null>(null);
  if (items.length === 0) return null;
  return (
    <Section title="Removed" note="Their folders and conversations are kept.">
      <ul className={page.list}>
        {items.map((agent) => (
          <li key={agent.id} className={page.card} data-removed={agent.id}>
            <div className={classes.head}>
              <b>{agent.name}</b>
              <Button
                size="compact-xs"
                variant="default"
                aria-label={`Restore ${agent.name}`}
                onClick={() => setRestoring(agent)}
              >
                Restore
              </Button>
            </div>
            {agent.removedAt !== null && <p className={page.soft}>Removed {formatMoment(agent.removedAt, now)}</p>}
          </li>
        ))}
      </ul>
      {restoring !== null && (
        <DialogForm
          title={`Restore ${restoring.name}?`}
          action="Restore"
          work={() => restoreAgent(restoring.id)}
          touches={[['agents'], ['providers']]}
          onClose={() => setRestoring(null)}
        >
          <p className={page.soft}>
            It comes back with its folder and its conversations. It listens nowhere at first: a new chat reaches it;
            other chats, destinations and ways out are to be given anew.
          </p>
        </DialogForm>
      )}
    </Section>
  );
}
