/**
 * Whether a call may begin, by the budgets that hold for it. Pure.
 *
 *   spent ─────────────────────────▶ amount
 *   └─ written down ─┴─ held by calls under way ─┘
 *
 * I1. A cap is hard: what was spent reaches it, and no call begins.
 * I2. Calls side by side do not pass it together: each holds what it may cost until it ends, and what is held counts
 *     for all others. So the most that a cap is passed by is what calls that had begun cost beyond what they held.
 * I3. A budget in money needs a price (I11 of the architecture): without one nothing can be said, so nothing begins.
 * I4. Days and months are those of UTC, for everybody: the sums of days are kept in it, so every figure is exact.
 */
import type { Budget, BudgetPeriod } from '../../store/budgets.ts';

/** A budget with what was used of it in the period of now. */
export interface BudgetState {
  budget: Budget;
  /** Nano-dollars or tokens, like its amount. */
  spent: number;
  /** Held by calls under way. */
  held: number;
}

export type BudgetPlan =
  | { kind: 'go' }
  /** I1 */
  | { kind: 'over'; state: BudgetState; resetsAt: number }
  /** I2: what is under way may use up the rest. */
  | { kind: 'wait'; state: BudgetState }
  /** I3 */
  | { kind: 'no_price'; state: BudgetState };

/** `price`: of the model that is called; `unknown` while that is not known. `now` is epoch ms. */
export function planBudget(
  states: readonly BudgetState[],
  price: 'unknown' | 'priced' | 'unpriced',
  now: number,
): BudgetPlan {
  const over = states.find(({ budget, spent }) => spent >= budget.amount);
  if (over !== undefined) return { kind: 'over', state: over, resetsAt: periodAt(over.budget.period, now).endsAt };
  const money = states.find(({ budget }) => budget.unit === 'usd');
  if (price === 'unpriced' && money !== undefined) return { kind: 'no_price', state: money };
  const full = states.find(({ budget, spent, held }) => held > 0 && spent + held >= budget.amount);
  return full === undefined ? { kind: 'go' } : { kind: 'wait', state: full };
}

export interface PeriodAt {
  /** `2026-11-21` or `2026-11`. */
  name: string;
  /** Its first and last day, as `usage_days` names them. */
  firstDay: string;
  lastDay: string;
  /** Epoch ms. */
  endsAt: number;
}

/** I4 */
export function periodAt(period: BudgetPeriod, now: number): PeriodAt {
  const date = new Date(now);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  if (period === 'day') {
    const day = dayOf(now);
    return { name: day, firstDay: day, lastDay: day, endsAt: Date.UTC(year, month, date.getUTCDate() + 1) };
  }
  const endsAt = Date.UTC(year, month + 1, 1);
  return {
    name: dayOf(now).slice(0, 7),
    firstDay: dayOf(Date.UTC(year, month, 1)),
    lastDay: dayOf(endsAt - 1),
    endsAt,
  };
}

/** `2026-11-21`, in UTC. */
export function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

/** What share of a budget makes the host ask whether it is to be raised. */
const NEAR_PERCENT = 80;

/** Most of it is used. Nothing is near of a budget that allows nothing. */
export function isNear({ budget, spent }: Pick<BudgetState, 'budget' | 'spent'>): boolean {
  // Not times 100: that would leave the whole numbers.
  return budget.amount > 0 && spent >= Math.ceil((budget.amount / 100) * NEAR_PERCENT);
}
