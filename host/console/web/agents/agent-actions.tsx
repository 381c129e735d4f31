import { Button } from '@mantine/core';
import { useState } from 'react';
import { isMissing } from '../client/fault.ts';
import { useNewChat } from '../sessions/use-new-chat.ts';
import { administers, useMe } from '../sign-in/use-me.ts';
import classes from './agents.module.css';
import { RemoveAgent } from './remove-agent.tsx';
import { RenameAgent } from './rename-agent.tsx';
import { useAgent } from './use-agents.ts';

/** What can be done with an agent as a whole: write to it, call it otherwise, remove it. */
export function AgentActions({ agentId }: { agentId: string }) {
  const { data: agent, error } = useAgent(agentId);
  const me = useMe();
  const mayRemove = me?.may.manageAgents === true;
  const startChat = useNewChat();
  const [asking, setAsking] = useState<'rename' | 'remove' | null>(null);
  if (agent === undefined || !administers(me, agentId)) return null;
  const close = () => setAsking(null);
  return (
    <div className={classes.actions}>
      {!isMissing(error) && (
        <>
          <Button size="sm" onClick={() => startChat(agentId)}>
            New chat
          </Button>
          <Button size="sm" variant="default" onClick={() => setAsking('rename')}>
            Rename
          </Button>
          {mayRemove && (
            <Button size="sm" variant="subtle" color="red" c="var(--bad)" onClick={() => setAsking('remove')}>
              Remove
            </Button>
          )}
        </>
      )}
      {asking === 'rename' && <RenameAgent agent={agent} onClose={close} />}
      {asking === 'remove' && <RemoveAgent agent={agent} onClose={close} />}
    </div>
  );
}
