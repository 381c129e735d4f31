import { Button, TextInput } from '@mantine/core';
import { useState } from 'react';
import { parseUsd } from '../../../../shared/money.ts';
import type { ModelPrice, UsageReport } from '../client/types.ts';
import { type PriceKey, type PricePerToken, removePrice, setPrice } from '../client/usage-api.ts';
import form from '../frame/dialog.module.css';
import { DialogForm } from '../frame/dialog-form.tsx';
import page from '../frame/page.module.css';
import { Section } from '../frame/page.tsx';
import { useMe } from '../sign-in/use-me.ts';
import classes from './usage.module.css';
import { PRICES, USAGE, usePrices } from './use-usage.ts';
import { formatTokens } from './words.ts';

type Asking = { kind: 'set' | 'remove'; of: PriceKey };

/** Models that were asked and have no price, and prices that somebody set. `models`: what was used, by model. */
export function Prices({ models }: { models: UsageReport | undefined }) {
  const own = (usePrices().data?.items ?? []).filter(({ isOwn }) => isOwn);
  const mayChange = useMe()?.may.seeEverything === true;
  const [asking, setAsking] = useState<Asking | null>(null);
  const missing = (models?.items ?? []).filter(({ unpricedCalls }) => unpricedCalls > 0);
  if (missing.length === 0 && own.length === 0) return null;
  return (
    <Section title="Prices" note="A price holds for calls from now on; what was counted before keeps its own.">
      <ul className={page.list}>
        {missing.map(({ key, unpricedCalls }) => (
          <li key={key} className={page.card}>
            <div className={classes.head}>
              <b>{key}</b>
              <span className={page.bad}>
                {unpricedCalls === 1 ? '1 call' : `${formatTokens(unpricedCalls)} calls`} without a price
              </span>
            </div>
            {mayChange && !own.some((price) => isOf(price, readKey(key))) && (
              <div className={classes.actions}>
                <Button
                  size="compact-xs"
                  variant="default"
                  aria-label={`Set a price: ${key}`}
                  onClick={() => setAsking({ kind: 'set', of: readKey(key) })}
                >
                  Set a price
                </Button>
              </div>
            )}
          </li>
        ))}
        {own.map((price) => (
          <OwnPrice key={`${price.service}/${price.model}`} price={price} mayChange={mayChange} onAsk={setAsking} />
        ))}
      </ul>
      {asking?.kind === 'set' && (
        <SetPrice
          of={asking.of}
          price={own.find((price) => isOf(price, asking.of)) ?? null}
          onClose={() => setAsking(null)}
        />
      )}
      {asking?.kind === 'remove' && (
        <DialogForm
          title="Remove this price?"
          action="Remove"
          isRemoval
          work={() => removePrice(asking.of)}
          touches={[PRICES]}
          onClose={() => setAsking(null)}
        >
          <p className={page.soft}>The list price of this version holds again, where there is one.</p>
        </DialogForm>
      )}
    </Section>
  );
}

interface OwnPriceProps {
  price: ModelPrice;
  mayChange: boolean;
  onAsk: (asking: Asking) => void;
}

function OwnPrice({ price, mayChange, onAsk }: OwnPriceProps) {
  const name = `${price.service}/${price.model}`;
  return (
    <li className={page.card}>
      <div className={classes.head}>
        <b>{name}</b>
        <span className={page.soft}>set here</span>
      </div>
      <p className={page.soft}>
        For a million tokens: {perMillion(price.input)} in, {perMillion(price.output)} out,{' '}
        {perMillion(price.cacheRead)} from the cache, {perMillion(price.cacheWrite)} into it.
      </p>
      {mayChange && (
        <div className={classes.actions}>
          <Button
            size="compact-xs"
            variant="default"
            aria-label={`Change the price: ${name}`}
            onClick={() => onAsk({ kind: 'set', of: price })}
          >
            Change
          </Button>
          <Button
            size="compact-xs"
            variant="subtle"
            color="red"
            c="var(--bad)"
            aria-label={`Remove the price: ${name}`}
            onClick={() => onAsk({ kind: 'remove', of: price })}
          >
            Remove
          </Button>
        </div>
      )}
    </li>
  );
}

const FIELDS = [
  ['input', 'In'],
  ['output', 'Out'],
  ['cacheRead', 'From the cache'],
  ['cacheWrite', 'Into the cache'],
] as const;

interface SetPriceProps {
  of: PriceKey;
  /** The one that holds; null: it has none. */
  price: ModelPrice | null;
  onClose: () => void;
}

function SetPrice({ of, price: before, onClose }: SetPriceProps) {
  const [texts, setTexts] = useState(() => writePrice(before));
  // What is filled in is a change of that, not of what somebody else sets meanwhile.
  const [revision] = useState(before?.revision ?? null);
  const price = readPrice(texts);
  return (
    <DialogForm
      title={`Price of ${of.model}`}
      action="Set"
      isReady={price !== null}
      work={async () => price !== null && (await setPrice({ ...of, revision }, price))}
      touches={[PRICES, USAGE]}
      onClose={onClose}
    >
      <p className={page.soft}>
        Dollars for a million tokens, as {of.service} lists them. What is left empty costs as much as “In”.
      </p>
      <div className={form.pair}>
        {FIELDS.map(([field, label]) => (
          <TextInput
            key={field}
            label={label}
            inputMode="decimal"
            required={field === 'input' || field === 'output'}
            data-autofocus={field === 'input' || undefined}
            value={texts[field]}
            error={texts[field] !== '' && readPerToken(texts[field]) === null ? 'Such as 3 or 0.25' : null}
            onChange={({ currentTarget: { value } }) => setTexts((all) => ({ ...all, [field]: value }))}
          />
        ))}
      </div>
    </DialogForm>
  );
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

/** Nano-dollars per token; null: no amount, or finer than those. */
function readPerToken(text: string): number | null {
  const perMillionTokens = parseUsd(text);
  return perMillionTokens === null || perMillionTokens % 1_000_000 !== 0 ? null : perMillionTokens / 1_000_000;
}

function perMillion(nanousdPerToken: number): string {
  return `$${(nanousdPerToken / 1_000).toLocaleString('en-US', { maximumFractionDigits: 3 })}`;
}

/** `service/model`: models have slashes too, services none. */
function readKey(key: string): PriceKey {
  const at = key.indexOf('/');
  return { service: key.slice(0, at), model: key.slice(at + 1) };
}

function isOf(price: PriceKey, { service, model }: PriceKey): boolean {
  return price.service === service && price.model === model;
}
