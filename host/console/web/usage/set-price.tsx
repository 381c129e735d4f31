import { NativeSelect, TextInput } from '@mantine/core';
import { useState } from 'react';
import { parseUsd } from '../../../../shared/money.ts';
import { findAsker, findSpeaker } from '../agents/choice.ts';
import { ModelField } from '../agents/model-field.tsx';
import { useProviders } from '../agents/use-provider.ts';
import type { ModelPrice } from '../client/types.ts';
import { type PriceKey, type PricePerToken, setPrice } from '../client/usage-api.ts';
import form from '../frame/dialog.module.css';
import { DialogForm } from '../frame/dialog-form.tsx';
import page from '../frame/page.module.css';
import { PRICES, USAGE, usePrices } from './use-usage.ts';
import { describePrice } from './words.ts';

const FIELDS = [
  ['input', 'In'],
  ['output', 'Out'],
  ['cacheRead', 'From the cache'],
  ['cacheWrite', 'Into the cache'],
] as const;

/** As the host takes it, in nano-dollars: a dollar. */
const MAX_PER_TOKEN = 1_000_000_000;
const NO_PRICE = 'Such as 3 or 0.25; at most 1,000,000, and three decimals';

/** As the host takes the name of a model that has a price. */
const MODEL = /^[\w.:/@+-]{1,200}$/;

interface SetPriceProps {
  /** Null: of a model that is chosen here, asked already or not. */
  of: PriceKey | null;
  onClose: () => void;
}

/** What a model of a service costs: for the first time, or otherwise than before. */
export function SetPrice({ of: given, onClose }: SetPriceProps) {
  const prices = usePrices().data?.items ?? [];
  const [chosen, setChosen] = useState<PriceKey>({ service: '', model: '' });
  const of = given ?? chosen;
  // What is filled in is a change of the price that was there, not of what somebody else sets meanwhile.
  const [before] = useState(() => (given === null ? null : findOwn(prices, given)));
  const [texts, setTexts] = useState(() => writePrice(before));
  const price = readPrice(texts);
  const isThere = given === null && findOwn(prices, of) !== null;
  const listed = prices.find((one) => !one.isOwn && isOf(one, of));
  const isChosen = given !== null || (of.service !== '' && MODEL.test(of.model) && !isThere);
  return (
    <DialogForm
      title={given === null ? 'Set a price' : `Price of ${of.model}`}
      action="Set"
      isReady={price !== null && isChosen}
      work={async () => price !== null && (await setPrice({ ...of, revision: before?.revision ?? null }, price))}
      touches={[PRICES, USAGE]}
      onClose={onClose}
    >
      {given === null && <ChooseModel of={of} isThere={isThere} onChoose={setChosen} />}
      <p className={page.soft}>
        Dollars for a million tokens, as {of.service || 'its service'} lists them. What is left empty costs as much as
        “In”.
        {listed !== undefined && ` The list price that this version knows: ${describePrice(listed)}.`}
      </p>
      <div className={form.pair}>
        {FIELDS.map(([field, label]) => (
          <TextInput
            key={field}
            label={label}
            inputMode="decimal"
            required={field === 'input' || field === 'output'}
            data-autofocus={(given !== null && field === 'input') || undefined}
            value={texts[field]}
            error={texts[field] !== '' && readPerToken(texts[field]) === null ? NO_PRICE : null}
            onChange={({ currentTarget: { value } }) => setTexts((all) => ({ ...all, [field]: value }))}
          />
        ))}
      </div>
    </DialogForm>
  );
}

interface ChooseModelProps {
  of: PriceKey;
  /** It has a price that was set here. */
  isThere: boolean;
  onChoose: (of: PriceKey) => void;
}

/** A model service, and a model of it, listed by the service or typed. */
function ChooseModel({ of, isThere, onChoose }: ChooseModelProps) {
  const known = useProviders().data;
  const speaker = known === undefined ? null : findSpeaker(known, of.service);
  const problem = of.model === '' || MODEL.test(of.model) ? null : 'Expected a model’s name, as its service writes it';
  return (
    <>
      <NativeSelect
        label="Service"
        required
        data-autofocus
        data={[{ value: '', label: 'choose one' }, ...(known?.services ?? []).map(({ name }) => name)]}
        value={of.service}
        onChange={(event) => onChoose({ service: event.currentTarget.value, model: '' })}
      />
      <ModelField
        asker={known === undefined || speaker === null ? null : findAsker(known, of.service)}
        provider={speaker ?? 'openai'}
        service={of.service}
        placeholder="as its service writes it"
        description="It need not have been asked before."
        required
        error={isThere ? 'It has a price: “Change”, in the list, is the way to another' : problem}
        model={of.model}
        onModel={(model) => onChoose({ ...of, model: model.trim() })}
      />
    </>
  );
}

function findOwn(prices: readonly ModelPrice[], of: PriceKey): ModelPrice | null {
  return prices.find((price) => price.isOwn && isOf(price, of)) ?? null;
}

function writePrice(price: PricePerToken | null): Record<keyof PricePerToken, string> {
  const write = (field: keyof PricePerToken) => (price === null ? '' : String(price[field] / 1_000));
  return {
    input: write('input'),
    output: write('output'),
    cacheRead: write('cacheRead'),
    cacheWrite: write('cacheWrite'),
  };
}

function readPrice(texts: Record<keyof PricePerToken, string>): PricePerToken | null {
  const [input, output] = [readPerToken(texts.input), readPerToken(texts.output)];
  const cacheRead = texts.cacheRead === '' ? input : readPerToken(texts.cacheRead);
  const cacheWrite = texts.cacheWrite === '' ? input : readPerToken(texts.cacheWrite);
  if (input === null || output === null || cacheRead === null || cacheWrite === null) return null;
  return { input, output, cacheRead, cacheWrite };
}

/** Nano-dollars per token; null: no amount, finer than those, or more than a token may cost. */
function readPerToken(text: string): number | null {
  const perMillionTokens = parseUsd(text);
  if (perMillionTokens === null || perMillionTokens % 1_000_000 !== 0) return null;
  const perToken = perMillionTokens / 1_000_000;
  return perToken > MAX_PER_TOKEN ? null : perToken;
}

export function isOf(price: PriceKey, { service, model }: PriceKey): boolean {
  return price.service === service && price.model === model;
}
