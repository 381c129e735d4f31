import { TextInput } from '@mantine/core';
import { useRef, useState } from 'react';
import { setSecret } from '../client/secret-api.ts';
import type { Secret } from '../client/types.ts';
import { DialogForm } from '../frame/dialog-form.tsx';
import page from '../frame/page.module.css';
import { NAME, NAME_HINT } from './secret.ts';
import { SecretInput, takeSecret } from './secret-input.tsx';
import { SECRETS, SERVICES, useSecrets, useServices, VAULT } from './use-secrets.ts';

/** `secret` null: another one. */
export function SetSecret({ secret, onClose }: { secret: Secret | null; onClose: () => void }) {
  const [name, setName] = useState(secret?.name ?? '');
  const [isFilled, setIsFilled] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const service = useServices().data?.items.find((one) => one.name === name);
  const isThere = useSecrets().data?.items.some((one) => one.name === name) === true;

  async function save() {
    // Gone from the page before it is sent: also when the host says no, it is typed again.
    const value = takeSecret(input);
    setIsFilled(false);
    await setSecret(name, value);
  }

  return (
    <DialogForm
      title={secret === null ? 'Set a secret' : `A new value for ${secret.name}`}
      action="Set"
      isReady={NAME.test(name) && isFilled}
      work={save}
      touches={[SECRETS, SERVICES, VAULT, ['agents']]}
      onClose={onClose}
    >
      {secret === null && (
        <TextInput
          label="Name"
          placeholder="anthropic"
          required
          data-autofocus
          maxLength={63}
          spellCheck={false}
          autoCapitalize="off"
          value={name}
          error={name !== '' && !NAME.test(name) ? `Expected ${NAME_HINT}` : null}
          onChange={(event) => setName(event.currentTarget.value)}
        />
      )}
      <SecretInput
        label="Value"
        description="It is not shown again."
        input={input}
        onFilled={setIsFilled}
        isFirst={secret !== null}
      />
      <p className={page.soft}>
        {isThere
          ? 'The new value holds from the next request on; the old one is gone.'
          : service === undefined
            ? 'It is kept for a service that you assign it to.'
            : `It goes to the service ${service.name}, for all agents, by itself.`}
      </p>
    </DialogForm>
  );
}
