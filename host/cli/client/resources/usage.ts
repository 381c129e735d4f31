/** What models were asked and cost; budgets and prices. */
import { formatQuery, type Requests } from '../requests.ts';
import type { Budget, BudgetKey, ModelPrice, UsageReport } from '../types.ts';

/** What sums of usage are limited to. */
export interface UsageQuery {
  agent: string | undefined;
  session: string | undefined;
  person: string | undefined;
  days: number;
  by: string;
}

/** Nano-dollars per token. */
export type NewPrice = Pick<ModelPrice, 'service' | 'model' | 'input' | 'output' | 'cacheRead' | 'cacheWrite'>;

export function usageCalls(requests: Requests) {
  return {
    readUsage(query: UsageQuery): Promise<UsageReport> {
      return requests.get('/usage', { ...query });
    },

    listBudgets(): Promise<{ items: Budget[] }> {
      return requests.get('/budgets');
    },

    /** `revision`: of the one that is there; null: there was none. */
    setBudget(budget: BudgetKey & { amount: number }, revision: number | null): Promise<Budget> {
      return requests.put('/budgets', revision, { ...budget });
    },

    async removeBudget({ scope, subject, period, unit, revision }: BudgetKey & { revision: number }): Promise<void> {
      await requests.delete(`/budgets${formatQuery({ scope, subject, period, unit })}`, revision);
    },

    listPrices(): Promise<{ asOf: string; items: ModelPrice[] }> {
      return requests.get('/prices');
    },

    /** `revision` as with `setBudget`. */
    setPrice(price: NewPrice, revision: number | null): Promise<ModelPrice> {
      return requests.put('/prices', revision, { ...price });
    },

    async removePrice(service: string, model: string, revision: number | undefined): Promise<void> {
      await requests.delete(`/prices${formatQuery({ service, model })}`, revision);
    },
  };
}
