/** Budgets: hard caps of what models may cost in a day or a month. */
import type { AgentGroupId, UserId } from '../../shared/ids.ts';
import type { CentralDb } from './database.ts';

export const BUDGET_SCOPES = ['host', 'agent', 'person'] as const;
export type BudgetScope = (typeof BUDGET_SCOPES)[number];
export const BUDGET_PERIODS = ['day', 'month'] as const;
export type BudgetPeriod = (typeof BUDGET_PERIODS)[number];
export const BUDGET_UNITS = ['usd', 'tokens'] as const;
export type BudgetUnit = (typeof BUDGET_UNITS)[number];

/** Which budget: there is one of each scope, subject, period and unit. */
export interface BudgetKey {
  scope: BudgetScope;
  /** An agent's id, a person's user id; empty for the host. */
  subject: string;
  period: BudgetPeriod;
  unit: BudgetUnit;
}

export interface Budget extends BudgetKey {
  /** Nano-dollars, or tokens of all sorts. */
  amount: number;
  /** The day (YYYY-MM-DD) or month (YYYY-MM) in which people were asked whether to raise it. */
  askedIn: string | null;
  changedBy: string;
  /** Epoch ms. */
  changedAt: number;
  revision: number;
}

interface Row {
  scope: BudgetScope;
  subject: string;
  period: BudgetPeriod;
  unit: BudgetUnit;
  amount: number;
  asked_in: string | null;
  changed_by: string;
  changed_at: number;
  revision: number;
}

export class BudgetStore {
  readonly #db: CentralDb;
  readonly #listFor;

  constructor(db: CentralDb) {
    this.#db = db;
    this.#listFor = db.prepare<{ agent: string; people: string }, Row>(
      `SELECT * FROM budgets WHERE scope = 'host'
         OR (scope = 'agent' AND subject = @agent)
         OR (scope = 'person' AND subject IN (SELECT value FROM json_each(@people)))
       ORDER BY scope, subject, period, unit`,
    );
  }

  list(): Budget[] {
    return this.#db.prepare<[], Row>('SELECT * FROM budgets ORDER BY scope, subject, period, unit').all().map(toBudget);
  }

  /** Those that hold for a call of this agent on behalf of a person, by any of their identities. */
  listFor(agentGroupId: AgentGroupId, people: readonly UserId[]): Budget[] {
    return this.#listFor.all({ agent: agentGroupId, people: JSON.stringify(people) }).map(toBudget);
  }

  get({ scope, subject, period, unit }: BudgetKey): Budget | null {
    const row = this.#db
      .prepare<string[], Row>('SELECT * FROM budgets WHERE scope = ? AND subject = ? AND period = ? AND unit = ?')
      .get(scope, subject, period, unit);
    return row === undefined ? null : toBudget(row);
  }

  /** Another amount may be asked about anew in the same period. */
  put({ scope, subject, period, unit }: BudgetKey, amount: number, by: string, now: number): void {
    this.#db
      .prepare(
        `INSERT INTO budgets (scope, subject, period, unit, amount, changed_by, changed_at) VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (scope, subject, period, unit) DO UPDATE SET amount = excluded.amount, asked_in = NULL,
           changed_by = excluded.changed_by, changed_at = excluded.changed_at, revision = revision + 1`,
      )
      .run(scope, subject, period, unit, amount, by, now);
  }

  /** Whether it was there. */
  remove({ scope, subject, period, unit }: BudgetKey): boolean {
    return (
      this.#db
        .prepare('DELETE FROM budgets WHERE scope = ? AND subject = ? AND period = ? AND unit = ?')
        .run(scope, subject, period, unit).changes > 0
    );
  }

  markAsked({ scope, subject, period, unit }: BudgetKey, askedIn: string): void {
    this.#db
      .prepare('UPDATE budgets SET asked_in = ? WHERE scope = ? AND subject = ? AND period = ? AND unit = ?')
      .run(askedIn, scope, subject, period, unit);
  }
}

function toBudget({ asked_in, changed_by, changed_at, ...row }: Row): Budget {
  return { ...row, askedIn: asked_in, changedBy: changed_by, changedAt: changed_at };
}
