/**
 * What was used of each budget in its period, and what calls under way hold of it. Summed up once per budget and
 * period, and counted on from there: no call pays for how many there were before.
 *
 * I1. Used is what is on the disk and what waits for it; a call counts from the moment it ends.
 * I2. A call holds from the moment it is let in until it ends, and then its cost takes the place of what it held.
 */
import type { AgentGroupId, UserId } from '../../../shared/ids.ts';
import type { Budget, BudgetStore } from '../../store/budgets.ts';
import type { ModelCallRecord, ModelCallStore, UsageSum } from '../../store/model-calls.ts';
import type { UserStore } from '../../store/users.ts';
import { type BudgetState, dayOf, periodAt } from './budget-plan.ts';
import type { CallLog } from './call-log.ts';

/** On whose account a call is. */
export interface Account {
  agentGroupId: AgentGroupId;
  userId: UserId | null;
}

/** What a call holds of all budgets that hold for it. Released once. */
export interface Hold extends Account {
  nanousd: number;
  tokens: number;
}

export interface SpendingParts {
  budgets: Pick<BudgetStore, 'listFor' | 'list'>;
  calls: Pick<ModelCallStore, 'list'>;
  users: Pick<UserStore, 'identitiesOf'>;
  log: Pick<CallLog, 'pending'>;
  now: () => number;
}

/** The sum of one scope and subject over a period. */
interface Counter {
  firstDay: string;
  lastDay: string;
  covers: (account: Account) => boolean;
  nanousd: number;
  tokens: number;
}

/** Counters kept. More budgets than that are summed up at each call. */
const MAX_COUNTERS = 2_000;

export class Spending {
  readonly #parts: SpendingParts;
  readonly #counters = new Map<string, Counter>();
  readonly #holds = new Set<Hold>();

  constructor(parts: SpendingParts) {
    this.#parts = parts;
  }

  /** The budgets that hold for a call on this account. */
  statesFor({ agentGroupId, userId }: Account): BudgetState[] {
    const people = userId === null ? [] : this.#parts.users.identitiesOf(userId);
    return this.#parts.budgets.listFor(agentGroupId, people).map((budget) => this.stateOf(budget));
  }

  stateOf(budget: Budget): BudgetState {
    const people = budget.scope === 'person' ? this.#parts.users.identitiesOf(budget.subject as UserId) : [];
    const covers = makeCover(budget, people);
    const counter = this.#counterOf(budget, people, covers);
    const held = [...this.#holds].filter(covers);
    const field = budget.unit === 'usd' ? 'nanousd' : 'tokens';
    return { budget, spent: counter[field], held: held.reduce((sum, hold) => sum + hold[field], 0) };
  }

  listStates(): BudgetState[] {
    return this.#parts.budgets.list().map((budget) => this.stateOf(budget));
  }

  hold(hold: Hold): void {
    this.#holds.add(hold);
  }

  /** I2 */
  release(hold: Hold): void {
    this.#holds.delete(hold);
  }

  /** After it was added to the log. */
  count(call: ModelCallRecord): void {
    const day = dayOf(call.at);
    for (const counter of this.#counters.values()) {
      if (day >= counter.firstDay && day <= counter.lastDay && counter.covers(call)) add(counter, call);
    }
  }

  #counterOf(budget: Budget, people: readonly UserId[], covers: Counter['covers']): Counter {
    const { scope, subject, period } = budget;
    const { firstDay, lastDay } = periodAt(period, this.#parts.now());
    // Identities that were linked or parted are another sum.
    const key = JSON.stringify([scope, subject, firstDay, lastDay, people.toSorted()]);
    const known = this.#counters.get(key);
    if (known !== undefined) return known;
    const filter = {
      ...{ firstDay, lastDay, sessionId: null },
      agents: scope === 'agent' ? [subject] : null,
      people: scope === 'person' ? people : null,
    };
    const counter: Counter = { firstDay, lastDay, covers, nanousd: 0, tokens: 0 };
    // I1
    for (const sum of this.#parts.calls.list('day', filter)) add(counter, sum);
    for (const call of this.#parts.log.pending) {
      const day = dayOf(call.at);
      if (day >= firstDay && day <= lastDay && covers(call)) add(counter, call);
    }
    this.#remember(key, counter);
    return counter;
  }

  #remember(key: string, counter: Counter): void {
    const today = dayOf(this.#parts.now());
    for (const [old, { lastDay }] of this.#counters) if (lastDay < today) this.#counters.delete(old);
    if (this.#counters.size < MAX_COUNTERS) this.#counters.set(key, counter);
  }
}

function makeCover({ scope, subject }: Budget, people: readonly UserId[]): Counter['covers'] {
  const own = new Set<string>(people);
  return ({ agentGroupId, userId }) => {
    if (scope === 'host') return true;
    return scope === 'agent' ? agentGroupId === subject : userId !== null && own.has(userId);
  };
}

function add(
  counter: Counter,
  sum: Omit<UsageSum, 'calls' | 'costNanousd' | 'unpricedCalls'> & { costNanousd: number | null },
): void {
  counter.nanousd += sum.costNanousd ?? 0;
  counter.tokens += sum.inputTokens + sum.outputTokens + sum.cacheReadTokens + sum.cacheWriteTokens;
}
