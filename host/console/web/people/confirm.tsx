import { Button, Group, Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Dialog } from '../frame/dialog.tsx';
import { ME } from '../sign-in/use-me.ts';
import { useNotices } from '../style/notices.tsx';

interface ConfirmProps {
  title: string;
  text: string;
  action: string;
  work: () => Promise<unknown>;
  onClose: () => void;
}

/** Asks once more; closes in any case, since what was refused was refused for what has changed. */
export function Confirm({ title, text, action, work, onClose }: ConfirmProps) {
  const notices = useNotices();
  const queries = useQueryClient();
  const [isSending, setIsSending] = useState(false);

  function confirm() {
    notices.attempt(async () => {
      setIsSending(true);
      try {
        await work();
      } finally {
        onClose();
        await queries.invalidateQueries({ queryKey: ['people'] });
        await queries.invalidateQueries({ queryKey: ME });
      }
    });
  }

  return (
    <Dialog onClose={onClose} title={title}>
      <Text size="sm">{text}</Text>
      <Group mt={16} justify="flex-end">
        <Button variant="subtle" color="gray" disabled={isSending} onClick={onClose}>
          Cancel
        </Button>
        <Button color="red" loading={isSending} onClick={confirm}>
          {action}
        </Button>
      </Group>
    </Dialog>
  );
}
