import { Button, Group, NativeSelect, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import type { FormEvent } from 'react';
import { useState } from 'react';
import { useAgentList } from '../agents/use-agents.ts';
import { introduce } from '../client/admin-api.ts';
import { Dialog } from '../frame/dialog.tsx';
import { useMe } from '../sign-in/use-me.ts';
import { useNotices } from '../style/notices.tsx';
import classes from './people.module.css';
import { isOwner, listChoices } from './role.ts';
import { SignInLinkDialog } from './sign-in-link.tsx';

/** Somebody whom the host does not know yet: id, name and first role; then, for owners, the link to sign in with. */
export function NewPerson({ onClose }: { onClose: () => void }) {
  const me = useMe();
  const notices = useNotices();
  const queries = useQueryClient();
  const choices = listChoices(me, useAgentList().data?.items ?? []);
  const [id, setId] = useState('web:');
  const [name, setName] = useState('');
  const [value, setValue] = useState<string | null>(null);
  const [isSending, setIsSending] = useState(false);
  const [made, setMade] = useState(false);
  const chosen = choices.find((choice) => choice.value === value) ?? choices[0];
  const userId = id.trim();

  function submit(event: FormEvent) {
    event.preventDefault();
    if (chosen === undefined) return;
    notices.attempt(async () => {
      setIsSending(true);
      try {
        await introduce(userId, name.trim(), chosen.grant);
        if (isOwner(me) && userId.startsWith('web:') && chosen.grant.role !== 'owner') setMade(true);
        else onClose();
      } finally {
        setIsSending(false);
        await queries.invalidateQueries({ queryKey: ['people'] });
      }
    });
  }

  if (made) return <SignInLinkDialog userId={userId} name={name.trim()} onClose={onClose} />;
  return (
    <Dialog onClose={onClose} title="Add a person">
      <form onSubmit={submit} className={classes.fields}>
        <TextInput
          label="Id"
          description="web:anna for somebody at this page; telegram:123 and the like for other channels."
          required
          data-autofocus
          maxLength={100}
          value={id}
          onChange={(event) => setId(event.currentTarget.value)}
        />
        <TextInput
          label="Name"
          required
          maxLength={64}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <NativeSelect
          label="Role"
          data={choices.map(({ value: key, label }) => ({ value: key, label }))}
          value={chosen?.value ?? ''}
          onChange={(event) => setValue(event.currentTarget.value)}
        />
        <Group justify="flex-end">
          <Button variant="subtle" color="gray" disabled={isSending} onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={isSending} disabled={chosen === undefined || name.trim() === ''}>
            Add
          </Button>
        </Group>
      </form>
    </Dialog>
  );
}
