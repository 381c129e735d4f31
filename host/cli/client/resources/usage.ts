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

    setBudget(budget: BudgetKey & { amount: number }): Promise<Budget> {
      return requests.put('/budgets', null, { ...budget });
    },

    async removeBudget(key: BudgetKey): Promise<void> {
      await requests.delete(`/budgets${formatQuery({ ...key })}`);
    },

    listPrices(): Promise<{ asOf: string; items: ModelPrice[] }> {
      return requests.get('/prices');
    },

    setPrice(price: NewPrice): Promise<ModelPrice> {
      return requests.put('/prices', null, { ...price });
    },

    async removePrice(service: string, model: string): Promise<void> {
      await requests.delete(`/prices${formatQuery({ service, model })}`);
    },
  };
}
