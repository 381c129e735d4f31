import { NativeSelect, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useAgentList } from '../agents/use-agents.ts';
import { introduce } from '../client/admin-api.ts';
import { DialogForm } from '../frame/dialog-form.tsx';
import { useMe } from '../sign-in/use-me.ts';
import { isOwner, listChoices } from './role.ts';
import { SignInLinkDialog } from './sign-in-link.tsx';

/** How ids of people at this page begin. */
const HERE = 'web:';
/** As the host takes them, nearly; it looks at each itself. */
const USER_ID = /^[a-z][a-z0-9-]*:\S+$/;

/** Somebody whom the host does not know yet: id, name and first role; then, for owners, the link to sign in with. */
export function NewPerson({ onClose }: { onClose: () => void }) {
  const me = useMe();
  const choices = listChoices(me, useAgentList().data?.items ?? []);
  const [id, setId] = useState(HERE);
  const [name, setName] = useState('');
  const [value, setValue] = useState<string | null>(null);
  const [made, setMade] = useState(false);
  const chosen = choices.find((choice) => choice.value === value) ?? choices[0];
  const userId = id.trim();
  const isUserId = USER_ID.test(userId);
  const getsLink = isOwner(me) && userId.startsWith(HERE) && chosen?.grant.role !== 'owner';

  if (made) return <SignInLinkDialog userId={userId} name={name.trim()} onClose={onClose} />;
  return (
    <DialogForm
      title="Add a person"
      action="Add"
      isReady={chosen !== undefined && isUserId && name.trim() !== ''}
      work={async () => chosen !== undefined && (await introduce(userId, name.trim(), chosen.grant))}
      touches={[['people']]}
      onClose={onClose}
      onDone={getsLink ? () => setMade(true) : onClose}
    >
      <TextInput
        label="Id"
        description="web:anna for somebody at this page; telegram:123 and the like for other channels."
        required
        data-autofocus
        maxLength={100}
        spellCheck={false}
        autoCapitalize="off"
        value={id}
        error={isUserId || userId === HERE ? null : 'Expected a channel, a colon and who it is there, such as web:anna'}
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
    </DialogForm>
  );
}
