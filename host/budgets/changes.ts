/**
 * Budgets and prices, as people set them. Each change is one commit with its entry in the ledger. Who may is asked
 * before: money is the owners' and global admins' alone, whatever the budget is of, for an agent's admin could
 * otherwise raise what the owner pays.
 */
import type { AgentGroupId, UserId } from '../../shared/ids.ts';
import type { AgentStore } from '../store/agents.ts';
import type { Budget, BudgetKey, BudgetStore } from '../store/budgets.ts';
import type { Ledger } from '../store/ledger.ts';
import type { ModelPriceStore, OwnPrice } from '../store/model-prices.ts';
import type { UserStore } from '../store/users.ts';
import { nameBudget } from './words.ts';

export interface BudgetChangeParts {
  budgets: BudgetStore;
  modelPrices: ModelPriceStore;
  agents: Pick<AgentStore, 'get'>;
  users: Pick<UserStore, 'get'>;
  ledger: Ledger;
  /** Runs the work in one transaction of the central database. */
  commit: <T>(work: () => T) => T;
  now: () => number;
}

/** It is not what the change was based on; null: it is gone, or was never there. */
export type Stale<T> = { kind: 'stale'; current: T | null };

export type BudgetChange =
  | { kind: 'changed'; budget: Budget }
  | Stale<Budget>
  /** There is no such agent or person. */
  | { kind: 'unknown_subject' };

export type NewPrice = Omit<OwnPrice, 'changedBy' | 'changedAt' | 'revision'>;

/** Budgets of one host. Higher: each call of a model looks at more. Lower: a big team's people do not fit. */
const MAX_BUDGETS = 1_000;
/** Own prices of one host. Higher: a mistaken loop fills lists. Lower: a service of many models does not fit. */
const MAX_PRICES = 1_000;

export class BudgetChanges {
  readonly #parts: BudgetChangeParts;

  constructor(parts: BudgetChangeParts) {
    this.#parts = parts;
  }

  /**
   * Null: there are as many as there may be. The same amount again changes nothing. `basedOn`: the revision that
   * somebody saw; null: on top of whatever is there, if anything.
   */
  set(key: BudgetKey, amount: number, by: UserId, basedOn: number | null = null): BudgetChange | null {
    const { budgets, commit } = this.#parts;
    if (!this.#isKnown(key)) return { kind: 'unknown_subject' };
    return commit(() => {
      const known = budgets.get(key);
      if (isStale(known, basedOn)) return { kind: 'stale', current: known };
      if (known === null && budgets.list().length >= MAX_BUDGETS) return null;
      if (known === null || known.amount !== amount) this.#put(key, known, amount, by);
      const budget = budgets.get(key);
      if (budget === null) throw new Error('a budget that was set is not there');
      return { kind: 'changed', budget };
    });
  }

  /** For what people approved: only while it still is `from`. Whether it is `to` now. */
  raise(key: BudgetKey, from: number, to: number, by: UserId): boolean {
    const { budgets, commit } = this.#parts;
    return commit(() => {
      const known = budgets.get(key);
      if (known?.amount === from) this.#put(key, known, to, by);
      return budgets.get(key)?.amount === to;
    });
  }

  /** `basedOn` as with `set`. */
  remove(key: BudgetKey, by: UserId, basedOn: number | null = null): { kind: 'removed' } | Stale<Budget> {
    const { budgets, commit } = this.#parts;
    return commit(() => {
      const known = budgets.get(key);
      if (known === null || isStale(known, basedOn)) return { kind: 'stale', current: known };
      budgets.remove(key);
      this.#record(key, known.amount, null, by);
      return { kind: 'removed' };
    });
  }

  /** Null: there are as many as there may be. `basedOn` as with `set`. */
  setPrice(
    price: NewPrice,
    by: UserId,
    basedOn: number | null = null,
  ): { kind: 'changed'; price: OwnPrice } | Stale<OwnPrice> | null {
    const { modelPrices, ledger, commit, now } = this.#parts;
    return commit(() => {
      const at = now();
      const { service, model, ...tokens } = price;
      const known = modelPrices.get(service, model);
      if (isStale(known, basedOn)) return { kind: 'stale', current: known };
      if (known === null && modelPrices.list().length >= MAX_PRICES) return null;
      modelPrices.put({ ...price, changedBy: by, changedAt: at });
      const entry = { kind: 'price.changed', sessionId: null, messageId: `${service}/${model}`, actor: by };
      ledger.append({ ...entry, detail: { service, model, ...tokens } }, at);
      const made = modelPrices.get(service, model);
      if (made === null) throw new Error('a price that was set is not there');
      return { kind: 'changed', price: made };
    });
  }

  /** The list's price holds again, if it has one. `basedOn` as with `set`. */
  removePrice(
    service: string,
    model: string,
    by: UserId,
    basedOn: number | null = null,
  ): { kind: 'removed' } | Stale<OwnPrice> {
    const { modelPrices, ledger, commit, now } = this.#parts;
    return commit(() => {
      const known = modelPrices.get(service, model);
      if (known === null || isStale(known, basedOn)) return { kind: 'stale', current: known };
      modelPrices.remove(service, model);
      const entry = { kind: 'price.changed', sessionId: null, messageId: `${service}/${model}`, actor: by };
      ledger.append({ ...entry, detail: { service, model, isRemoved: true } }, now());
      return { kind: 'removed' };
    });
  }

  #put(key: BudgetKey, known: Budget | null, amount: number, by: UserId): void {
    this.#parts.budgets.put(key, amount, by, this.#parts.now());
    this.#record(key, known?.amount ?? null, amount, by);
  }

  #record(key: BudgetKey, amountBefore: number | null, amount: number | null, by: UserId): void {
    const { scope, subject, period, unit } = key;
    const detail = { scope, subject, period, unit, amountBefore, amount };
    const entry = { kind: 'budget.changed', sessionId: null, messageId: nameBudget(key), actor: by, detail };
    this.#parts.ledger.append(entry, this.#parts.now());
  }

  #isKnown({ scope, subject }: BudgetKey): boolean {
    const { agents, users } = this.#parts;
    switch (scope) {
      case 'host':
        return subject === '';
      case 'agent':
        return agents.get(subject as AgentGroupId) !== null;
      case 'person':
        return users.get(subject as UserId) !== null;
    }
  }
}

function isStale(known: { revision: number } | null, basedOn: number | null): boolean {
  return basedOn !== null && known?.revision !== basedOn;
}
