import { Button, NativeSelect, TextInput } from '@mantine/core';
import { useState } from 'react';
import { describeProblem } from '../client/fault.ts';
import { fetchModels } from '../client/provider-api.ts';
import type { ProviderChoice, Service } from '../client/types.ts';
import form from '../frame/dialog.module.css';
import page from '../frame/page.module.css';
import { lacksKey } from '../secrets/secret.ts';
import { useServices } from '../secrets/use-secrets.ts';

interface ModelFieldProps {
  /** The agent for which its service is asked; null: nobody can ask. */
  asker: string | null;
  provider: ProviderChoice['provider'];
  service: string | null;
  placeholder: string;
  description: string;
  required: boolean;
  error?: string | null;
  model: string;
  onModel: (model: string) => void;
}

/** A model's name, as its service writes it; the service is asked for those it has when somebody wants that. */
export function ModelField({ asker, provider, service, model, onModel, error = null, ...words }: ModelFieldProps) {
  return (
    <div className={form.fields}>
      <TextInput
        label="Model"
        {...words}
        maxLength={200}
        spellCheck={false}
        autoCapitalize="off"
        value={model}
        error={error}
        onChange={(event) => onModel(event.currentTarget.value)}
      />
      {asker !== null && (
        <Listed
          key={`${provider} ${service}`}
          ask={() => fetchModels(asker, provider, service)}
          service={service}
          model={model}
          onModel={onModel}
        />
      )}
    </div>
  );
}

interface ListedProps extends Pick<ModelFieldProps, 'service' | 'model' | 'onModel'> {
  ask: () => Promise<readonly string[] | null>;
}

function Listed({ ask, service, model, onModel }: ListedProps) {
  const [models, setModels] = useState<readonly string[]>([]);
  /** Why there are none to choose from. */
  const [why, setWhy] = useState<string | null>(null);
  const [isAsking, setIsAsking] = useState(false);
  const used = useServices().data?.items.find(({ name }) => name === service);

  async function list() {
    setIsAsking(true);
    try {
      const found = await ask();
      setModels(found ?? []);
      setWhy(`${service ?? 'It'} ${found === null ? describeSilence(used) : 'lists none.'}`);
    } catch (error) {
      const { message, hint } = describeProblem(error);
      setWhy([message, hint].filter(Boolean).join(' '));
    } finally {
      setIsAsking(false);
    }
  }

  if (models.length > 0) {
    return (
      <NativeSelect
        label="Those it has"
        data={[{ value: '', label: 'choose one' }, ...models]}
        value={models.includes(model) ? model : ''}
        onChange={(event) => onModel(event.currentTarget.value)}
      />
    );
  }
  return (
    <div role="status">
      <Button
        size="compact-xs"
        variant="subtle"
        loading={isAsking}
        onClick={() => {
          list().catch((error: unknown) => reportError(error));
        }}
      >
        List its models
      </Button>
      {why !== null && <p className={page.soft}>{why}</p>}
    </div>
  );
}

function describeSilence(service: Service | undefined): string {
  return lacksKey(service) ? 'has no key yet: without one it does not say.' : 'does not say.';
}
