/** How budgets are called, in the host's words. Pure. */
import type { AgentGroupId, UserId } from '../../shared/ids.ts';
import { formatUsdExactly } from '../../shared/money.ts';
import type { AgentStore } from '../store/agents.ts';
import type { Budget, BudgetKey, BudgetUnit } from '../store/budgets.ts';
import type { UserStore } from '../store/users.ts';

/** One text per budget: what the ledger's entries about it are filed under. */
export function nameBudget({ scope, subject, period, unit }: BudgetKey): string {
  return [scope, ...(subject === '' ? [] : [subject]), period, unit].join('/');
}

/** Whose it is, as people call them; also of an agent that was removed. */
export function nameSubject(
  { scope, subject }: Pick<BudgetKey, 'scope' | 'subject'>,
  { agents, users }: { agents: Pick<AgentStore, 'get' | 'getArchived'>; users: Pick<UserStore, 'get'> },
): string {
  switch (scope) {
    case 'host':
      return 'this host';
    // The scope says whose id it is.
    case 'agent': {
      const id = subject as AgentGroupId;
      return (agents.get(id) ?? agents.getArchived(id))?.name ?? subject;
    }
    case 'person':
      return users.get(subject as UserId)?.displayName || subject;
  }
}

/** "$5", "2,000,000 tokens". */
export function describeAmount(amount: number, unit: BudgetUnit): string {
  return unit === 'usd' ? formatUsdExactly(amount) : `${amount.toLocaleString('en-US')} tokens`;
}

/** "$5 a day". */
export function describeCap({ amount, unit, period }: Pick<Budget, 'amount' | 'unit' | 'period'>): string {
  return `${describeAmount(amount, unit)} a ${period}`;
}
