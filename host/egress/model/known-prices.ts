/**
 * List prices of the known services, as their makers' price pages had them in November 2026, standard tier. What is
 * not here has no price until somebody sets one (`portolan price set`), which also replaces one of these.
 */
import type { ModelPrice, TokenPrice } from './price.ts';

/** When the lists were read. */
export const PRICES_AS_OF = '2026-11';

/** Dollars per million tokens: input, output, cache read, cache write. */
type Listed = readonly [input: number, output: number, cacheRead: number, cacheWrite: number];

const ANTHROPIC: Record<string, Listed> = {
  'claude-fable-5-1': [10, 50, 0.25, 12.5],
  'claude-fable-5': [10, 50, 1, 12.5],
  'claude-mythos-5-1': [10, 50, 0.25, 12.5],
  'claude-mythos-5': [10, 50, 1, 12.5],
  'claude-opus-5-5': [4, 20, 0.2, 5],
  'claude-opus-5': [5, 25, 0.5, 6.25],
  'claude-opus-4-8': [5, 25, 0.5, 6.25],
  'claude-opus-4-7': [5, 25, 0.5, 6.25],
  'claude-opus-4-6': [5, 25, 0.5, 6.25],
  'claude-opus-4-5': [5, 25, 0.5, 6.25],
  'claude-opus-4-1': [15, 75, 1.5, 18.75],
  'claude-opus-4': [15, 75, 1.5, 18.75],
  'claude-opus-4-0': [15, 75, 1.5, 18.75],
  'claude-sonnet-5-5': [2, 10, 0.1, 2.5],
  'claude-sonnet-5': [2, 10, 0.2, 2.5],
  'claude-sonnet-4-6': [3, 15, 0.3, 3.75],
  'claude-sonnet-4-5': [3, 15, 0.3, 3.75],
  'claude-sonnet-4': [3, 15, 0.3, 3.75],
  'claude-sonnet-4-0': [3, 15, 0.3, 3.75],
  'claude-3-7-sonnet': [3, 15, 0.3, 3.75],
  'claude-haiku-5-5': [0.1, 0.5, 0.01, 0.125],
  'claude-haiku-4-5': [1, 5, 0.1, 1.25],
  'claude-3-5-haiku': [0.8, 4, 0.08, 1],
  'claude-3-haiku': [0.25, 1.25, 0.03, 0.3],
};

/** Where the cache has no price for writing, that costs what reading afresh does. */
const OPENAI: Record<string, Listed> = {
  'gpt-5.6-sol': [5, 30, 0.5, 6.25],
  'gpt-5.6-terra': [2, 12, 0.2, 2.5],
  'gpt-5.6-luna': [0.2, 1.2, 0.02, 0.25],
  'gpt-5.5': [5, 30, 0.5, 5],
  'gpt-5.5-pro': [30, 180, 30, 30],
  'gpt-5.4': [2.5, 15, 0.25, 2.5],
  'gpt-5.4-mini': [0.75, 4.5, 0.075, 0.75],
  'gpt-5.4-nano': [0.2, 1.25, 0.02, 0.2],
  'gpt-5.3-codex': [1.75, 14, 0.175, 1.75],
  'gpt-5.2': [1.75, 14, 0.175, 1.75],
  'gpt-5.2-codex': [1.75, 14, 0.175, 1.75],
  'gpt-5.1': [1.25, 10, 0.125, 1.25],
  'gpt-5.1-codex': [1.25, 10, 0.125, 1.25],
  'gpt-5': [1.25, 10, 0.125, 1.25],
  'gpt-5-codex': [1.25, 10, 0.125, 1.25],
  'gpt-5-mini': [0.25, 2, 0.025, 0.25],
  'gpt-5-nano': [0.05, 0.4, 0.005, 0.05],
  'gpt-4.1': [2, 8, 0.5, 2],
  'gpt-4.1-mini': [0.4, 1.6, 0.1, 0.4],
  'gpt-4.1-nano': [0.1, 0.4, 0.025, 0.1],
  'gpt-4o': [2.5, 10, 1.25, 2.5],
  'gpt-4o-mini': [0.15, 0.6, 0.075, 0.15],
  o3: [2, 8, 0.5, 2],
  'o4-mini': [1.1, 4.4, 0.275, 1.1],
  'text-embedding-3-large': [0.13, 0, 0.13, 0.13],
  'text-embedding-3-small': [0.02, 0, 0.02, 0.02],
};

/** Models that cost more when much is read at once. */
const LONG: Record<string, { above: number; price: Listed }> = {
  'claude-haiku-5-5': { above: 100_000, price: [0.5, 2.5, 0.05, 0.625] },
  'gpt-5.6-sol': { above: 272_000, price: [10, 45, 1, 12.5] },
  'gpt-5.6-terra': { above: 272_000, price: [4, 18, 0.4, 5] },
  'gpt-5.6-luna': { above: 200_000, price: [0.4, 1.8, 0.04, 0.5] },
  'gpt-5.5': { above: 272_000, price: [10, 45, 1, 10] },
  'gpt-5.4': { above: 272_000, price: [5, 22.5, 0.5, 5] },
};

const TABLES: ReadonlyMap<string, ReadonlyMap<string, ModelPrice>> = new Map([
  ['anthropic', toTable(ANTHROPIC)],
  ['openai', toTable(OPENAI)],
]);

/** The list price of a model of a known service, by exactly this name; null: none is known. */
export function knownPrice(service: string, model: string): ModelPrice | null {
  return TABLES.get(service)?.get(model) ?? null;
}

/** Every known price, for people. */
export function listKnownPrices(): { service: string; model: string; price: ModelPrice }[] {
  return [...TABLES].flatMap(([service, table]) => [...table].map(([model, price]) => ({ service, model, price })));
}

function toTable(listed: Record<string, Listed>): ReadonlyMap<string, ModelPrice> {
  return new Map(
    Object.entries(listed).map(([model, price]) => {
      const long = LONG[model];
      const whole = long === undefined ? null : { above: long.above, price: toPrice(long.price) };
      return [model, { ...toPrice(price), long: whole }];
    }),
  );
}

function toPrice([input, output, cacheRead, cacheWrite]: Listed): TokenPrice {
  const nanousd = (dollars: number) => Math.round(dollars * 1_000);
  return {
    input: nanousd(input),
    output: nanousd(output),
    cacheRead: nanousd(cacheRead),
    cacheWrite: nanousd(cacheWrite),
  };
}
