import { useState } from 'react';
import { renameAgent } from '../client/agent-api.ts';
import type { Agent } from '../client/types.ts';
import { DialogForm } from '../frame/dialog-form.tsx';
import page from '../frame/page.module.css';
import { useConsole } from '../state/context.tsx';
import { NameField, useName } from './name-field.tsx';

/** Another name for people to read; what it has and who reaches it stays. */
export function RenameAgent({ agent, onClose }: { agent: Agent; onClose: () => void }) {
  const console = useConsole();
  // What was seen is what is changed: what another changed meanwhile is refused by its revision.
  const [seen] = useState(agent);
  const { name, field, placeFault } = useName(seen.name);

  async function rename() {
    await renameAgent(seen, name);
    await console.loadSessions(null);
  }

  return (
    <DialogForm
      title={`Rename ${seen.name}`}
      action="Rename"
      isReady={name !== '' && name !== seen.name}
      work={rename}
      touches={[['agents'], ['providers']]}
      placeFault={placeFault}
      onClose={onClose}
    >
      <NameField {...field} />
      <p className={page.soft}>
        Its folder and its chats stay as they are, and other agents go on writing to it under the names that they have
        for it. Its sessions follow when they are idle.
      </p>
    </DialogForm>
  );
}
