import { NativeSelect } from '@mantine/core';
import { useState } from 'react';
import { useAgentList } from '../agents/use-agents.ts';
import { grantRole } from '../client/admin-api.ts';
import type { Person } from '../client/types.ts';
import { DialogForm } from '../frame/dialog-form.tsx';
import page from '../frame/page.module.css';
import { useMe } from '../sign-in/use-me.ts';
import { listChoices } from './role.ts';

/** Which role somebody gets, of those that this reader may give. */
export function GiveRole({ person, onClose }: { person: Person; onClose: () => void }) {
  const choices = listChoices(useMe(), useAgentList().data?.items ?? []).filter(
    ({ grant }) => !person.roles.some(({ role, agentId }) => role === grant.role && agentId === grant.agentId),
  );
  const [value, setValue] = useState<string | null>(null);
  const chosen = choices.find((choice) => choice.value === value) ?? choices[0];
  const name = person.name || person.id;
  return (
    <DialogForm
      title={`Give ${name} a role`}
      action="Give"
      isReady={chosen !== undefined}
      work={async () => chosen !== undefined && (await grantRole(person, chosen.grant))}
      touches={[['people']]}
      onClose={onClose}
    >
      <NativeSelect
        label="Role"
        data={choices.map(({ value: key, label }) => ({ value: key, label }))}
        value={chosen?.value ?? ''}
        onChange={(event) => setValue(event.currentTarget.value)}
      />
      <p className={page.soft}>
        {chosen === undefined
          ? `There is nothing that you could give ${name}.`
          : `${name} becomes ${chosen.label}, from this moment on.`}
      </p>
    </DialogForm>
  );
}
