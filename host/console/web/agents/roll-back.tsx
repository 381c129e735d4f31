import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { fetchConfigDiff, rollBackConfig } from '../client/admin-api.ts';
import type { AgentConfig } from '../client/types.ts';
import { DialogForm } from '../frame/dialog-form.tsx';
import { Fetched } from '../frame/fetched.tsx';
import page from '../frame/page.module.css';

interface RollBackProps {
  config: AgentConfig;
  revision: number;
  onClose: () => void;
}

/** Asks once more, with what going back changes compared with now. */
export function RollBack({ config, revision, onClose }: RollBackProps) {
  const { agentId } = config;
  // What was seen is what is confirmed: a config that changed meanwhile is refused by its revision.
  const [seen] = useState(config);
  const diff = useQuery({
    queryKey: ['agents', agentId, 'diff', seen.revision, revision],
    queryFn: () => fetchConfigDiff(agentId, { from: seen.revision, to: revision }),
  });
  return (
    <DialogForm
      title={`Go back to revision ${revision}?`}
      action="Go back"
      isReady={diff.data !== undefined}
      work={() => rollBackConfig(seen, revision)}
      touches={[['agents', agentId]]}
      onClose={onClose}
    >
      <Fetched query={diff} what="differences">
        {({ changes }) =>
          changes.length === 0 ? (
            <p className={page.soft}>It is the same as what holds now.</p>
          ) : (
            <ul className={page.lines}>
              {changes.map(({ line }) => (
                <li key={line}>{line}</li>
              ))}
            </ul>
          )
        }
      </Fetched>
      <p className={page.soft}>
        This makes a new revision; nothing of the history is lost. With other packages an image is built first, which
        can take minutes.
      </p>
    </DialogForm>
  );
}
