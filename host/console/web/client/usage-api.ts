/** What models were asked and cost, budgets and prices, over the host's API. Throws ApiFault, HostAwayFault. */
import { accept, answer, api } from './call.ts';
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

/** One per scope, subject, period and unit. */
export type BudgetKey = Pick<Budget, 'scope' | 'subject' | 'period' | 'unit'>;

/** Holds at once. `amount`: nano-dollars, or tokens. */
export function setBudget({ scope, subject, period, unit }: BudgetKey, amount: number): Promise<Budget> {
  return answer(api.budgets.$put({ json: { scope, subject, period, unit, amount } }));
}

export async function removeBudget({ scope, subject, period, unit }: BudgetKey): Promise<void> {
  await accept(api.budgets.$delete({ query: { scope, subject, period, unit } }));
}

export function fetchPrices(): Promise<{ asOf: string; items: ModelPrice[] }> {
  return answer(api.prices.$get());
}

/** Nano-dollars per token. */
export type PricePerToken = Pick<ModelPrice, 'input' | 'output' | 'cacheRead' | 'cacheWrite'>;

/** Holds for calls from now on. */
export function setPrice(service: string, model: string, price: PricePerToken): Promise<ModelPrice> {
  return answer(api.prices.$put({ json: { service, model, ...price } }));
}

export async function removePrice(service: string, model: string): Promise<void> {
  await accept(api.prices.$delete({ query: { service, model } }));
}
