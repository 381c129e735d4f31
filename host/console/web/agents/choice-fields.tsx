import { Alert, NativeSelect } from '@mantine/core';
import { EFFORTS } from '../../../../shared/providers.ts';
import type { ProviderChoice } from '../client/types.ts';
import { lacksKey } from '../secrets/secret.ts';
import { useServices } from '../secrets/use-secrets.ts';
import { describeEffort } from './agent.ts';
import { type ChoiceDraft, type KnownProvider, switchProvider } from './choice.ts';
import { ModelField } from './model-field.tsx';

/** The library's own is loud in the dark. */
const WARM = 'color-mix(in srgb, var(--warn) 12%, transparent)';

interface ChoiceFieldsProps {
  providers: readonly KnownProvider[];
  draft: ChoiceDraft;
  /** Terms of what is chosen are to be accepted with it. */
  hasTerms: boolean;
  /** The agent for which its service is asked for models; null: nobody can ask. */
  asker: string | null;
  onDraft: (draft: ChoiceDraft) => void;
}

/** Provider, service, model and effort, and the terms that come with them. */
export function ChoiceFields({ providers, draft, hasTerms, asker, onDraft }: ChoiceFieldsProps) {
  const known = providers.find(({ name }) => name === draft.provider);
  function choose(name: string) {
    const next = providers.find((one) => one.name === name);
    if (next !== undefined) onDraft(switchProvider(draft, known, next));
  }
  return (
    <>
      <NativeSelect
        label="Provider"
        data={providers.map((one) => ({ value: one.name, label: labelProvider(one) }))}
        value={draft.provider}
        onChange={(event) => choose(event.currentTarget.value)}
      />
      {known?.needsModel === true && <ModelChoice known={known} draft={draft} asker={asker} onDraft={onDraft} />}
      {hasTerms && (
        <Alert
          color="yellow"
          variant="light"
          title="Terms of another maker"
          styles={{ root: { background: WARM }, title: { color: 'var(--warn)' } }}
        >
          {known?.notice}
        </Alert>
      )}
    </>
  );
}

type ModelChoiceProps = Pick<ChoiceFieldsProps, 'draft' | 'asker' | 'onDraft'> & { known: KnownProvider };

function ModelChoice({ known, draft, asker, onDraft }: ModelChoiceProps) {
  const { service, model, effort } = draft;
  const used = useServices().data?.items.find(({ name }) => name === service);
  return (
    <>
      <NativeSelect
        label="Service"
        description={
          lacksKey(used)
            ? 'It has no key yet. The agent’s page says what to do about that.'
            : 'Where its model is asked.'
        }
        data={known.services}
        value={service ?? ''}
        onChange={(event) => onDraft({ ...draft, service: event.currentTarget.value })}
      />
      <ModelField
        asker={asker}
        provider={known.name as ProviderChoice['provider']}
        service={service}
        placeholder={known.defaultModel ?? 'as its service writes it'}
        description={known.defaultModel === null ? 'It must be named.' : 'Empty: the provider’s own choice.'}
        required={known.defaultModel === null}
        model={model}
        onModel={(next) => onDraft({ ...draft, model: next })}
      />
      <NativeSelect
        label="Effort"
        data={[{ value: '', label: describeEffort(null) }, ...EFFORTS]}
        value={effort ?? ''}
        onChange={({ currentTarget: { value } }) =>
          onDraft({ ...draft, effort: EFFORTS.find((one) => one === value) ?? null })
        }
      />
    </>
  );
}

function labelProvider({ name, needsModel }: KnownProvider): string {
  return needsModel ? name : `${name}, without a model`;
}
