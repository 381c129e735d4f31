import { useState } from 'react';
import { useNavigate } from 'react-router';
import { removeAgent } from '../client/agent-api.ts';
import type { Agent } from '../client/types.ts';
import { DialogForm } from '../frame/dialog-form.tsx';
import page from '../frame/page.module.css';
import { detach } from '../state/detach.ts';
import { useAgentList } from './use-agents.ts';

/** Asks once more, with all that goes along. */
export function RemoveAgent({ agent, onClose }: { agent: Agent; onClose: () => void }) {
  const navigate = useNavigate();
  const [seen] = useState(agent);
  const others = (useAgentList().data?.items ?? []).filter(({ id }) => id !== seen.id);
  const isLastAdmin = seen.isAdmin && !others.some(({ isAdmin }) => isAdmin);
  return (
    <DialogForm
      title={`Remove ${seen.name}?`}
      action="Remove"
      isRemoval
      work={() => removeAgent(seen)}
      touches={[['agents'], ['providers'], ['secrets']]}
      onClose={onClose}
      onDone={() => detach(Promise.resolve(navigate('/agents')))}
    >
      <p className={page.soft}>
        Its containers stop, in the middle of what they do. The chats that it listens in, its destinations, tasks, open
        questions and ways out end, and agents that write to it lose it.
      </p>
      <p className={page.soft}>Its folder and conversations are kept: it can be restored, without what led to it.</p>
      {isLastAdmin && <p>No agent can create agents then: it is the last one that may.</p>}
    </DialogForm>
  );
}
