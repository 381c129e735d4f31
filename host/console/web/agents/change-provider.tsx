import { useState } from 'react';
import { setAgentProvider } from '../client/provider-api.ts';
import type { AgentProvider } from '../client/types.ts';
import { DialogForm } from '../frame/dialog-form.tsx';
import page from '../frame/page.module.css';
import { type ChoiceDraft, readChoice } from './choice.ts';
import { ChoiceFields } from './choice-fields.tsx';
import { useProviders } from './use-provider.ts';

/** Another provider, model, service or effort; terms that come with it are accepted here. */
export function ChangeProvider({ provider: seen, onClose }: { provider: AgentProvider; onClose: () => void }) {
  const providers = useProviders().data?.providers ?? [];
  // What was seen is what is changed: a config that another changed meanwhile is refused by its revision.
  const [base] = useState(seen);
  const [draft, setDraft] = useState<ChoiceDraft>({
    ...{ provider: base.provider, service: base.service, model: base.model ?? '', effort: base.effort },
  });
  const known = providers.find(({ name }) => name === draft.provider);
  const choice = readChoice(draft, known);
  const hasTerms = known?.notice != null && known.name !== base.provider;
  return (
    <DialogForm
      title={`What ${base.agentName} thinks with`}
      action={hasTerms ? 'Accept, and use it' : 'Save'}
      isReady={choice !== null}
      work={async () => choice !== null && (await setAgentProvider(base, choice))}
      touches={[['agents'], ['providers'], ['secrets']]}
      onClose={onClose}
    >
      <ChoiceFields providers={providers} draft={draft} hasTerms={hasTerms} asker={base.agentId} onDraft={setDraft} />
      <p className={page.soft}>Sessions follow when they are idle. An image that is not there yet is built first.</p>
    </DialogForm>
  );
}
