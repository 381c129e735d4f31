import { NativeSelect, Textarea } from '@mantine/core';
import { useRef, useState } from 'react';
import { useNavigate } from 'react-router';
import { MAX_INSTRUCTIONS_BYTES } from '../../../../shared/limits.ts';
import { createAgent } from '../client/agent-api.ts';
import { DialogForm } from '../frame/dialog-form.tsx';
import page from '../frame/page.module.css';
import { detach } from '../state/detach.ts';
import { formatSize } from '../style/time.ts';
import { type ChoiceDraft, FIRST_CHOICE, findAsker, readChoice } from './choice.ts';
import { ChoiceFields } from './choice-fields.tsx';
import { NameField, useName } from './name-field.tsx';
import { useProviders } from './use-provider.ts';

/** An agent of its own name, mind and instructions; then its page, which says what it still needs. */
export function NewAgent({ onClose }: { onClose: () => void }) {
  const navigate = useNavigate();
  const known = useProviders().data;
  const { name, field, placeFault } = useName('');
  const [draft, setDraft] = useState<ChoiceDraft>(FIRST_CHOICE);
  const [instructions, setInstructions] = useState('');
  const [timezone, setTimezone] = useState(findOwnTimezone);
  const madeId = useRef('');
  const provider = known?.providers.find((one) => one.name === draft.provider);
  const choice = readChoice(draft, provider);
  const hasTerms = provider?.notice != null;
  const text = instructions.trim().toWellFormed();
  const isTooLong = new TextEncoder().encode(text).length > MAX_INSTRUCTIONS_BYTES;

  async function make() {
    if (choice === null) return;
    const agent = await createAgent({ name, ...choice, timezone, ...(text === '' ? {} : { instructions: text }) });
    madeId.current = agent.id;
  }

  return (
    <DialogForm
      title="New agent"
      action={hasTerms ? 'Accept, and make it' : 'Make it'}
      isReady={name !== '' && choice !== null && !isTooLong}
      work={make}
      touches={[['agents'], ['providers'], ['secrets']]}
      placeFault={placeFault}
      onClose={onClose}
      onDone={() => detach(Promise.resolve(navigate(`/agents/${madeId.current}`)))}
    >
      <NameField {...field} />
      <ChoiceFields
        providers={known?.providers ?? []}
        draft={draft}
        hasTerms={hasTerms}
        asker={known === undefined || draft.service === null ? null : findAsker(known, draft.service)}
        onDraft={setDraft}
      />
      <Textarea
        label="Instructions"
        placeholder="What it is for, and how it is to answer. Optional."
        description="Its AGENTS.md, in a folder of its own; without any, the usual ones."
        inputWrapperOrder={['label', 'input', 'description', 'error']}
        autosize
        minRows={3}
        maxRows={8}
        value={instructions}
        error={isTooLong ? `Expected at most ${formatSize(MAX_INSTRUCTIONS_BYTES)} of text` : null}
        onChange={(event) => setInstructions(event.currentTarget.value)}
      />
      <NativeSelect
        label="Time zone"
        description="Of the times it reads, and of its tasks."
        data={listTimezones()}
        value={timezone}
        onChange={(event) => setTimezone(event.currentTarget.value)}
      />
      <p className={page.soft}>
        It gets a container of its own, without a way out. Its page has “New chat”; others write to it once you let them
        in.
      </p>
    </DialogForm>
  );
}

function findOwnTimezone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** Those that the browser knows, its own among them, and UTC, which browsers do not list. */
function listTimezones(): string[] {
  return [...new Set(['UTC', findOwnTimezone(), ...Intl.supportedValuesOf('timeZone')])].sort();
}
