import { Alert, Button, NativeSelect, TextInput } from '@mantine/core';
import { useState } from 'react';
import { EFFORTS } from '../../../../shared/providers.ts';
import { describeProblem } from '../client/fault.ts';
import { fetchModels, setAgentProvider } from '../client/provider-api.ts';
import type { AgentProvider, ProviderChoice, Providers } from '../client/types.ts';
import form from '../frame/dialog.module.css';
import { DialogForm } from '../frame/dialog-form.tsx';
import page from '../frame/page.module.css';
import { describeEffort } from './agent.ts';
import { useProviders } from './use-provider.ts';

type Known = Providers['providers'][number];

/** Another provider, model, service or effort; terms that come with it are accepted here. */
export function ChangeProvider({ provider: seen, onClose }: { provider: AgentProvider; onClose: () => void }) {
  const providers = useProviders().data?.providers ?? [];
  // What was seen is what is changed: a config that another changed meanwhile is refused by its revision.
  const [base] = useState(seen);
  const [name, setName] = useState(base.provider);
  const [service, setService] = useState(base.service);
  const [model, setModel] = useState(base.model ?? '');
  const [effort, setEffort] = useState(base.effort);
  const known = providers.find((one) => one.name === name);
  const needsModel = known?.needsModel === true;
  const isModelMissing = needsModel && known.defaultModel === null && model.trim() === '';
  const hasTerms = known?.notice != null && name !== base.provider;

  function choose(next: string) {
    setName(next);
    const chosen = providers.find((one) => one.name === next);
    // A model is of one service, and a service of the providers that speak its language.
    if (service === null || !chosen?.services.includes(service)) {
      setService(chosen?.defaultService ?? null);
      setModel('');
    }
  }

  const choice = {
    provider: name as ProviderChoice['provider'],
    model: needsModel && model.trim() !== '' ? model.trim() : null,
    service: needsModel && service !== known.defaultService ? service : null,
    effort: needsModel ? effort : null,
  };
  return (
    <DialogForm
      title={`What ${base.agentName} thinks with`}
      action={hasTerms ? 'Accept, and use it' : 'Save'}
      isReady={known !== undefined && !isModelMissing}
      work={() => setAgentProvider(base, choice)}
      touches={[['agents'], ['secrets']]}
      onClose={onClose}
    >
      <NativeSelect
        label="Provider"
        data={providers.map((one) => ({ value: one.name, label: labelProvider(one) }))}
        value={name}
        onChange={(event) => choose(event.currentTarget.value)}
      />
      {needsModel && (
        <>
          <NativeSelect
            label="Service"
            description="Where its model is asked."
            data={known.services}
            value={service ?? ''}
            onChange={(event) => setService(event.currentTarget.value)}
          />
          <Model agentId={base.agentId} known={known} service={service} model={model} onModel={setModel} />
          <NativeSelect
            label="Effort"
            data={[{ value: '', label: describeEffort(null) }, ...EFFORTS]}
            value={effort ?? ''}
            onChange={({ currentTarget: { value } }) => setEffort(EFFORTS.find((one) => one === value) ?? null)}
          />
        </>
      )}
      {hasTerms && (
        <Alert
          color="yellow"
          variant="light"
          title="Terms of another maker"
          styles={{ title: { color: 'var(--warn)' } }}
        >
          {known.notice}
        </Alert>
      )}
      <p className={page.soft}>Sessions follow when they are idle. An image that is not there yet is built first.</p>
    </DialogForm>
  );
}

function labelProvider({ name, needsModel }: Known): string {
  return needsModel ? name : `${name}, without a model`;
}

interface ModelProps {
  agentId: string;
  known: Known;
  service: string | null;
  model: string;
  onModel: (model: string) => void;
}

/** A name, as its service writes it; the service is asked for those it has when somebody wants that. */
function Model({ agentId, known, service, model, onModel }: ModelProps) {
  const [listed, setListed] = useState<{
    service: string | null;
    models: readonly string[] | null;
    why: string;
  } | null>(null);
  const [isAsking, setIsAsking] = useState(false);
  const isListed = listed !== null && listed.service === service;

  async function ask() {
    setIsAsking(true);
    try {
      const models = await fetchModels(agentId, known.name as ProviderChoice['provider'], service);
      setListed({ service, models, why: `${service ?? 'It'} does not say.` });
    } catch (error) {
      const { message, hint } = describeProblem(error);
      setListed({ service, models: null, why: [message, hint].filter(Boolean).join(' ') });
    } finally {
      setIsAsking(false);
    }
  }

  return (
    <div className={form.fields}>
      <TextInput
        label="Model"
        placeholder={known.defaultModel ?? 'as its service writes it'}
        description={known.defaultModel === null ? 'It must be named.' : 'Empty: the provider’s own choice.'}
        required={known.defaultModel === null}
        maxLength={200}
        spellCheck={false}
        autoCapitalize="off"
        value={model}
        onChange={(event) => onModel(event.currentTarget.value)}
      />
      {isListed && listed.models !== null && listed.models.length > 0 ? (
        <NativeSelect
          label="Those it has"
          data={[{ value: '', label: 'choose one' }, ...listed.models]}
          value={listed.models.includes(model) ? model : ''}
          onChange={(event) => onModel(event.currentTarget.value)}
        />
      ) : (
        <div role="status">
          <Button
            size="compact-xs"
            variant="subtle"
            loading={isAsking}
            onClick={() => {
              ask().catch((error: unknown) => reportError(error));
            }}
          >
            List its models
          </Button>
          {isListed && <p className={page.soft}>{listed.why}</p>}
        </div>
      )}
    </div>
  );
}
