/**
 * What happens when a budget is nearly used: owners and global admins are asked in their chats whether to raise it.
 *
 * I1. Asked once per period and amount, in the commit that marks it so; so a crash neither forgets it nor asks twice.
 * I2. What they approve is this budget from this amount to that one, in this period: whoever changed it meanwhile, or
 *     a period that has ended, leaves nothing to approve.
 * I3. That a cap was reached is in the ledger once per period and amount.
 */
import { z } from 'zod';
import type { SessionId } from '../../shared/ids.ts';
import type { ActionRules, Description, RequestApproval } from '../approvals/approval.ts';
import { showSafely } from '../approvals/show.ts';
import { toDiskFault } from '../config/errors.ts';
import { type BudgetState, isNear, periodAt } from '../egress/model/budget-plan.ts';
import { egressLog } from '../observe/logger.ts';
import type { AgentStore } from '../store/agents.ts';
import {
  BUDGET_PERIODS,
  BUDGET_SCOPES,
  BUDGET_UNITS,
  type Budget,
  type BudgetKey,
  type BudgetStore,
} from '../store/budgets.ts';
import type { Ledger } from '../store/ledger.ts';
import type { UserStore } from '../store/users.ts';
import type { BudgetChanges } from './changes.ts';
import { describeAmount, describeCap, nameBudget, nameSubject } from './words.ts';

/** How much more is proposed. Higher: one click spends much. Lower: people are asked again soon. */
const RAISED_TIMES = 2;
/** A request that could not be put to anybody is put again after this long. Higher: people hear late. Lower: busy work with each call. */
const ASK_AGAIN_MS = 10 * 60_000;

export interface BudgetAskParts {
  budgets: BudgetStore;
  agents: Pick<AgentStore, 'get' | 'getArchived'>;
  users: Pick<UserStore, 'get'>;
  ledger: Ledger;
  changes: Pick<BudgetChanges, 'raise'>;
  requestApproval: RequestApproval;
  commit: <T>(work: () => T) => T;
  now: () => number;
}

const payloadSchema = z.strictObject({
  scope: z.enum(BUDGET_SCOPES),
  subject: z.string(),
  period: z.enum(BUDGET_PERIODS),
  unit: z.enum(BUDGET_UNITS),
  amount: z.number().int().nonnegative(),
  raiseTo: z.number().int().nonnegative(),
  /** The day or month that it was asked in. */
  in: z.string(),
});

export class BudgetAsks {
  readonly #parts: BudgetAskParts;
  /** Caps that are known to be in the ledger as reached. */
  readonly #reached = new Set<string>();
  readonly #refusedAt = new Map<string, number>();
  readonly rules: ActionRules;

  constructor(parts: BudgetAskParts) {
    this.#parts = parts;
    this.rules = {
      describe: (payload) => this.#describe(payload),
      carryOut: async ({ payload }, decision) => {
        const asked = payloadSchema.parse(payload);
        if (decision.kind !== 'approved') return { outcome: `The budget stays ${describeCap(asked)}.` };
        const { changes } = this.#parts;
        const cap = describeCap({ ...asked, amount: asked.raiseTo });
        if (changes.raise(asked, asked.amount, asked.raiseTo, decision.by)) return { outcome: `It is ${cap} now.` };
        return { outcome: 'It was changed or removed meanwhile: nothing was done.' };
      },
    };
  }

  /** After something was spent of these. Never throws for want of disk: the next call comes here again. */
  note(states: readonly BudgetState[], sessionId: SessionId): void {
    try {
      for (const state of states) this.#note(state, sessionId);
    } catch (error) {
      if (toDiskFault(error) === null) throw error;
      egressLog.warn({ err: error }, 'nobody could be asked about a budget');
    }
  }

  #note(state: BudgetState, sessionId: SessionId): void {
    if (!isNear(state)) return;
    const { budget, spent } = state;
    const { name, endsAt } = periodAt(budget.period, this.#parts.now());
    if (spent >= budget.amount) this.#recordReached(budget, name);
    if (budget.askedIn !== name) this.#ask(state, name, endsAt, sessionId);
  }

  /** I3 */
  #recordReached(budget: Budget, period: string): void {
    const { ledger, now } = this.#parts;
    const subject = nameBudget(budget);
    const key = JSON.stringify([subject, period, budget.amount]);
    if (this.#reached.has(key)) return;
    const last = ledger.lastAbout(subject, 'budget.reached');
    if (last?.detail.in !== period || last.detail.amount !== budget.amount) {
      const detail = { in: period, amount: budget.amount, unit: budget.unit };
      ledger.append({ kind: 'budget.reached', sessionId: null, messageId: subject, actor: null, detail }, now());
    }
    this.#reached.add(key);
  }

  /** I1 */
  #ask({ budget, spent }: BudgetState, period: string, endsAt: number, sessionId: SessionId): void {
    const { budgets, ledger, requestApproval, commit, now } = this.#parts;
    const subject = nameBudget(budget);
    const last = this.#refusedAt.get(subject);
    if (last !== undefined && now() - last < ASK_AGAIN_MS) return;
    commit(() => {
      const { scope, unit, amount } = budget;
      const raiseTo = Math.min(amount * RAISED_TIMES, Number.MAX_SAFE_INTEGER);
      const percent = Math.min(100, Math.floor((spent / amount) * 100));
      const raise = `Raise to ${describeCap({ ...budget, amount: raiseTo })}`;
      const asked = requestApproval({
        action: 'raise_budget',
        payload: { scope, subject: budget.subject, period: budget.period, unit, amount, raiseTo, in: period },
        subjectKey: `${subject}/${period}`,
        agentGroupId: null,
        requester: { kind: 'host', sessionId },
        title: `${this.#nameSubject(budget)} has used ${percent} % of its ${describeCap(budget)}`,
        question: `Models have cost ${describeAmount(Math.min(spent, amount), unit)} of it so far. When it is used up, calls are refused until the ${budget.period} ends (in UTC).`,
        options: [raise, 'Leave it'],
        approving: [raise],
        expiresAt: endsAt,
      });
      if (asked.kind === 'refused') {
        this.#refusedAt.set(subject, now());
        return;
      }
      this.#refusedAt.delete(subject);
      budgets.markAsked(budget, period);
      const detail = { in: period, amount, unit, spent };
      ledger.append({ kind: 'budget.asked', sessionId: null, messageId: subject, actor: null, detail }, now());
    });
  }

  /** I2 */
  #describe(payload: Parameters<ActionRules['describe']>[0]): Description {
    const { success, data } = payloadSchema.safeParse(payload);
    if (!success) return { kind: 'impossible', why: 'this request names no budget' };
    const known = this.#parts.budgets.get(data);
    if (known === null) return { kind: 'impossible', why: 'this budget was removed' };
    if (known.amount !== data.amount) return { kind: 'impossible', why: `the budget is ${describeCap(known)} by now` };
    if (periodAt(data.period, this.#parts.now()).name !== data.in) {
      return { kind: 'impossible', why: `that ${data.period} is over, and its budget counts anew` };
    }
    const cap = describeCap({ ...data, amount: data.raiseTo });
    const line = `“${this.#nameSubject(data)}” may use ${cap} from now on, not only in this ${data.period}; today it is ${describeCap(data)}`;
    return { kind: 'possible', lines: [line] };
  }

  /** For a card. */
  #nameSubject(budget: Pick<BudgetKey, 'scope' | 'subject'>): string {
    return budget.scope === 'host' ? 'This host' : showSafely(nameSubject(budget, this.#parts));
  }
}
