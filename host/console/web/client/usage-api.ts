/** What models were asked and cost, budgets and prices, over the host's API. Throws ApiFault, HostAwayFault. */
import { accept, answer, api, onTopOf } from './call.ts';
import type { Budget, ModelPrice, UsageReport } from './types.ts';

export interface UsageFilter {
  by: UsageReport['by'];
  days: number;
  agent?: string;
  session?: string;
}

export function fetchUsage({ days, ...rest }: UsageFilter): Promise<UsageReport> {
  return answer(api.usage.$get({ query: { ...rest, days: String(days) } }));
}

export function fetchBudgets(): Promise<{ items: Budget[] }> {
  return answer(api.budgets.$get());
}

/** One per scope, subject, period and unit; the revision of one that is there. */
export type BudgetKey = Pick<Budget, 'scope' | 'subject' | 'period' | 'unit'> & Partial<Pick<Budget, 'revision'>>;

/** Holds at once. `amount`: nano-dollars, or tokens. Throws ApiFault 412 when it changed meanwhile. */
export function setBudget({ scope, subject, period, unit, revision }: BudgetKey, amount: number): Promise<Budget> {
  return answer(
    api.budgets.$put({ header: basedOn(revision ?? null), json: { scope, subject, period, unit, amount } }),
  );
}

/** Throws ApiFault 412 when it changed meanwhile. */
export async function removeBudget({ scope, subject, period, unit, revision }: Budget): Promise<void> {
  await accept(api.budgets.$delete({ header: onTopOf({ revision }), query: { scope, subject, period, unit } }));
}

export function fetchPrices(): Promise<{ asOf: string; items: ModelPrice[] }> {
  return answer(api.prices.$get());
}

/** Nano-dollars per token. */
export type PricePerToken = Pick<ModelPrice, 'input' | 'output' | 'cacheRead' | 'cacheWrite'>;

/** Which price, and the revision of one that is set here. */
export type PriceKey = Pick<ModelPrice, 'service' | 'model'> & Partial<Pick<ModelPrice, 'revision'>>;

/** Holds for calls from now on. Throws ApiFault 412 when it changed meanwhile. */
export function setPrice({ service, model, revision }: PriceKey, price: PricePerToken): Promise<ModelPrice> {
  return answer(api.prices.$put({ header: basedOn(revision ?? null), json: { service, model, ...price } }));
}

/** Throws ApiFault 412 when it changed meanwhile. */
export async function removePrice({ service, model, revision }: PriceKey): Promise<void> {
  await accept(api.prices.$delete({ header: basedOn(revision ?? null), query: { service, model } }));
}

/** Null: it is a new one. */
function basedOn(revision: number | null): { 'if-match'?: string } {
  return revision === null ? {} : onTopOf({ revision });
}
