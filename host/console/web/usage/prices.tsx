import { Button } from '@mantine/core';
import { useState } from 'react';
import type { ModelPrice, UsageReport } from '../client/types.ts';
import { type PriceKey, removePrice } from '../client/usage-api.ts';
import { DialogForm } from '../frame/dialog-form.tsx';
import page from '../frame/page.module.css';
import { Section } from '../frame/page.tsx';
import { useMe } from '../sign-in/use-me.ts';
import { isOf, SetPrice } from './set-price.tsx';
import classes from './usage.module.css';
import { PRICES, usePrices } from './use-usage.ts';
import { describePrice, formatTokens } from './words.ts';

/** `of` null: one that is chosen then. */
type Asking = { kind: 'set'; of: PriceKey | null } | { kind: 'remove'; of: PriceKey };

/** Models that were asked and have no price, and prices that somebody set, also ahead. `models`: what was used, by model. */
export function Prices({ models }: { models: UsageReport | undefined }) {
  const own = (usePrices().data?.items ?? []).filter(({ isOwn }) => isOwn);
  const mayChange = useMe()?.may.seeEverything === true;
  const [asking, setAsking] = useState<Asking | null>(null);
  const missing = (models?.items ?? []).filter(({ unpricedCalls }) => unpricedCalls > 0);
  const isEmpty = missing.length === 0 && own.length === 0;
  if (isEmpty && !mayChange) return null;
  return (
    <Section title="Prices" note="A price holds for calls from now on; what was counted before keeps its own.">
      {isEmpty && (
        <p className={page.soft}>None is set here: the list prices of this version hold, where it has one.</p>
      )}
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
      {mayChange && (
        <div className={classes.actions}>
          <Button size="xs" variant="default" onClick={() => setAsking({ kind: 'set', of: null })}>
            Set a model’s price
          </Button>
        </div>
      )}
      {asking?.kind === 'set' && <SetPrice of={asking.of} onClose={() => setAsking(null)} />}
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
      <p className={page.soft}>For a million tokens: {describePrice(price)}.</p>
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

/** `service/model`: models have slashes too, services none. */
function readKey(key: string): PriceKey {
  const at = key.indexOf('/');
  return { service: key.slice(0, at), model: key.slice(at + 1) };
}
