/** How budgets are called, in the host's words. Pure. */
import { formatUsdExactly } from '../../shared/money.ts';
import type { Budget, BudgetKey, BudgetUnit } from '../store/budgets.ts';

/** One text per budget: what the ledger's entries about it are filed under. */
export function nameBudget({ scope, subject, period, unit }: BudgetKey): string {
  return [scope, ...(subject === '' ? [] : [subject]), period, unit].join('/');
}

/** "$5", "2,000,000 tokens". */
export function describeAmount(amount: number, unit: BudgetUnit): string {
  return unit === 'usd' ? formatUsdExactly(amount) : `${amount.toLocaleString('en-US')} tokens`;
}

/** "$5 a day". */
export function describeCap({ amount, unit, period }: Pick<Budget, 'amount' | 'unit' | 'period'>): string {
  return `${describeAmount(amount, unit)} a ${period}`;
}
