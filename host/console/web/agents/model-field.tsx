import { Button, NativeSelect, TextInput } from '@mantine/core';
import { useState } from 'react';
import { describeProblem } from '../client/fault.ts';
import { fetchModels } from '../client/provider-api.ts';
import type { ProviderChoice } from '../client/types.ts';
import form from '../frame/dialog.module.css';
import page from '../frame/page.module.css';

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

  async function list() {
    setIsAsking(true);
    try {
      const found = await ask();
      setModels(found ?? []);
      setWhy(found === null ? `${service ?? 'It'} does not say.` : `${service ?? 'It'} lists none.`);
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
