import { Button, Group, NativeSelect, Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import type { FormEvent } from 'react';
import { useState } from 'react';
import { useAgentList } from '../agents/use-agents.ts';
import { grantRole } from '../client/admin-api.ts';
import type { Person } from '../client/types.ts';
import { Dialog } from '../frame/dialog.tsx';
import { useMe } from '../sign-in/use-me.ts';
import { useNotices } from '../style/notices.tsx';
import { listChoices } from './role.ts';

/** Which role somebody gets, of those that this reader may give. */
export function GiveRole({ person, onClose }: { person: Person; onClose: () => void }) {
  const notices = useNotices();
  const queries = useQueryClient();
  const choices = listChoices(useMe(), useAgentList().data?.items ?? []).filter(
    ({ grant }) => !person.roles.some(({ role, agentId }) => role === grant.role && agentId === grant.agentId),
  );
  const [value, setValue] = useState<string | null>(null);
  const [isSending, setIsSending] = useState(false);
  const chosen = choices.find((choice) => choice.value === value) ?? choices[0];
  const name = person.name || person.id;

  function submit(event: FormEvent) {
    event.preventDefault();
    if (chosen === undefined) return;
    notices.attempt(async () => {
      setIsSending(true);
      try {
        await grantRole(person, chosen.grant);
      } finally {
        onClose();
        await queries.invalidateQueries({ queryKey: ['people'] });
      }
    });
  }

  return (
    <Dialog onClose={onClose} title={`Give ${name} a role`}>
      <form onSubmit={submit}>
        <NativeSelect
          label="Role"
          data={choices.map(({ value: key, label }) => ({ value: key, label }))}
          value={chosen?.value ?? ''}
          onChange={(event) => setValue(event.currentTarget.value)}
        />
        <Text size="sm" mt={12}>
          {chosen === undefined
            ? `There is nothing that you could give ${name}.`
            : `${name} becomes ${chosen.label}, from this moment on.`}
        </Text>
        <Group mt={16} justify="flex-end">
          <Button variant="subtle" color="gray" disabled={isSending} onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={isSending} disabled={chosen === undefined}>
            Give
          </Button>
        </Group>
      </form>
    </Dialog>
  );
}
