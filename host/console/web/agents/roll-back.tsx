import { Button, Group, Text } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { fetchConfigDiff, rollBackConfig } from '../client/admin-api.ts';
import type { AgentConfig } from '../client/types.ts';
import { Dialog } from '../frame/dialog.tsx';
import { Fetched } from '../frame/fetched.tsx';
import page from '../frame/page.module.css';
import { useNotices } from '../style/notices.tsx';

interface RollBackProps {
  config: AgentConfig;
  revision: number;
  onClose: () => void;
}

/** Asks once more, with what going back changes compared with now. */
export function RollBack({ config, revision, onClose }: RollBackProps) {
  const { agentId } = config;
  const notices = useNotices();
  const queries = useQueryClient();
  const [isSending, setIsSending] = useState(false);
  // What was seen is what is confirmed: a config that changed meanwhile is refused by its revision.
  const [seen] = useState(config);
  const diff = useQuery({
    queryKey: ['agents', agentId, 'diff', seen.revision, revision],
    queryFn: () => fetchConfigDiff(agentId, { from: seen.revision, to: revision }),
  });

  function goBack() {
    notices.attempt(async () => {
      setIsSending(true);
      try {
        await rollBackConfig(seen, revision);
        onClose();
      } finally {
        setIsSending(false);
        await queries.invalidateQueries({ queryKey: ['agents', agentId] });
      }
    });
  }

  return (
    <Dialog onClose={onClose} title={`Go back to revision ${revision}?`}>
      <Fetched query={diff} what="differences">
        {({ changes }) =>
          changes.length === 0 ? (
            <Text size="sm">It is the same as what holds now.</Text>
          ) : (
            <ul className={page.lines}>
              {changes.map(({ line }) => (
                <li key={line}>{line}</li>
              ))}
            </ul>
          )
        }
      </Fetched>
      <Text size="sm" c="dimmed" mt={10}>
        This makes a new revision; nothing of the history is lost. With other packages an image is built first, which
        can take minutes.
      </Text>
      <Group mt={16} justify="flex-end">
        <Button variant="subtle" color="gray" disabled={isSending} onClick={onClose}>
          Cancel
        </Button>
        <Button loading={isSending} disabled={diff.data === undefined} onClick={goBack}>
          Go back
        </Button>
      </Group>
    </Dialog>
  );
}
