import { Checkbox, NativeSelect, TextInput } from '@mantine/core';
import { useState } from 'react';
import { addService } from '../client/secret-api.ts';
import { DialogForm } from '../frame/dialog-form.tsx';
import { NAME, NAME_HINT } from './secret.ts';
import { SERVICES } from './use-secrets.ts';

const KINDS = [
  { value: '', label: 'something else' },
  { value: 'openai', label: 'models, as OpenAI speaks (Ollama, vLLM, llama.cpp…)' },
  { value: 'anthropic', label: 'models, as Anthropic speaks' },
];

/** A service of one’s own. */
export function AddService({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState('');
  const [url, setUrl] = useState('');
  const [api, setApi] = useState('');
  const [header, setHeader] = useState('');
  const [isPrivate, setIsPrivate] = useState(false);
  return (
    <DialogForm
      title="Add a service"
      action="Add"
      isReady={NAME.test(name) && url.trim() !== ''}
      work={() =>
        addService({
          ...{ name, url: url.trim() },
          ...(api === 'openai' || api === 'anthropic' ? { api } : {}),
          ...(header.trim() === '' ? {} : { header: header.trim() }),
          ...(isPrivate ? { private: true } : {}),
        })
      }
      touches={[SERVICES, ['providers']]}
      onClose={onClose}
    >
      <TextInput
        label="Name"
        placeholder="ollama"
        required
        data-autofocus
        maxLength={63}
        spellCheck={false}
        autoCapitalize="off"
        value={name}
        error={name !== '' && !NAME.test(name) ? `Expected ${NAME_HINT}` : null}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <TextInput
        label="Address"
        placeholder="http://127.0.0.1:11434/v1"
        required
        inputMode="url"
        maxLength={2_000}
        spellCheck={false}
        value={url}
        onChange={(event) => setUrl(event.currentTarget.value)}
      />
      <NativeSelect label="It has" data={KINDS} value={api} onChange={(event) => setApi(event.currentTarget.value)} />
      <TextInput
        label="Header"
        placeholder={api === '' ? 'Authorization: Bearer {}' : 'as is usual there'}
        description="With {} in the place of the secret; “none” when it takes none."
        inputWrapperOrder={['label', 'input', 'description', 'error']}
        maxLength={1_000}
        spellCheck={false}
        value={header}
        onChange={(event) => setHeader(event.currentTarget.value)}
      />
      <Checkbox
        label="It lies on this machine or network"
        description="Else such addresses are refused."
        checked={isPrivate}
        onChange={(event) => setIsPrivate(event.currentTarget.checked)}
      />
    </DialogForm>
  );
}
