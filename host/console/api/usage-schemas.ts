/** What the API says of what models cost, of budgets and of prices; and what it takes. Money is in nano-dollars (10^-9 USD). */
import { z } from '@hono/zod-openapi';
import { MAX_NANOUSD } from '../../../shared/money.ts';
import { BUDGET_PERIODS, BUDGET_SCOPES, BUDGET_UNITS } from '../../store/budgets.ts';
import { USAGE_GROUPS } from '../../store/model-calls.ts';
import { agentIdSchema, sessionIdSchema, userIdSchema } from './inputs.ts';
import { usageSumFields, usageSumSchema } from './usage-sums.ts';

const count = z.number().int().nonnegative();
const time = count;

/** Longest question over days; single calls are kept for 90. */
const MAX_DAYS = 3_660;
const DEFAULT_DAYS = 30;

export const usageRowSchema = z
  .object({
    /** A day of UTC, the id of an agent, person or session, or `service/model`; empty: no person is known. */
    key: z.string(),
    /** For people: a name, a title, the key where there is none. */
    name: z.string(),
    ...usageSumFields,
  })
  .openapi('UsageRow');
export type UsageRowResource = z.infer<typeof usageRowSchema>;

export const usageReportSchema = z
  .object({
    by: z.enum(USAGE_GROUPS),
    /** Days of UTC, both counted. */
    firstDay: z.string(),
    lastDay: z.string(),
    items: z.array(usageRowSchema),
    sum: usageSumSchema,
  })
  .openapi('UsageReport');
export type UsageReportResource = z.infer<typeof usageReportSchema>;

export const usageQuery = z.strictObject({
  agent: agentIdSchema.optional(),
  session: sessionIdSchema.optional(),
  person: userIdSchema.optional(),
  days: z
    .string()
    .regex(/^\d{1,4}$/, 'expected a number of days')
    .transform(Number)
    .pipe(z.number().int().min(1).max(MAX_DAYS))
    .optional()
    .openapi({ type: 'integer', minimum: 1, maximum: MAX_DAYS, default: DEFAULT_DAYS }),
  by: z.enum(USAGE_GROUPS).optional(),
});
export { DEFAULT_DAYS as DEFAULT_USAGE_DAYS };

const budgetKey = {
  scope: z.enum(BUDGET_SCOPES),
  /** The id of an agent, or of a person; empty for the host. */
  subject: z.string().max(200),
  period: z.enum(BUDGET_PERIODS),
  unit: z.enum(BUDGET_UNITS),
};

export const budgetSchema = z
  .object({
    ...budgetKey,
    /** Of the agent or person; "this host". */
    name: z.string(),
    /** Nano-dollars, or tokens of all sorts. A call that begins when this is reached is refused. */
    amount: count,
    /** In the period of now. */
    spent: count,
    /** What calls under way may still cost. */
    held: count,
    /** When the period ends, in UTC. */
    resetsAt: time,
    /** Whether people were asked in this period to raise it. */
    isAsked: z.boolean(),
    changedBy: z.string(),
    changedAt: time,
    revision: count,
  })
  .openapi('Budget');
export type BudgetResource = z.infer<typeof budgetSchema>;

export const budgetBody = z.strictObject({ ...budgetKey, amount: count.max(MAX_NANOUSD) });
export const budgetQuery = z.strictObject(budgetKey);

const perToken = count.max(1_000_000_000);
const prices = { input: perToken, output: perToken, cacheRead: perToken, cacheWrite: perToken };

export const priceSchema = z
  .object({
    service: z.string(),
    model: z.string(),
    /** Nano-dollars per token: dollars per million tokens, times a thousand. */
    ...prices,
    /** A call that reads more than this many tokens costs more, all of it; null: it does not. */
    long: z.object({ above: count, ...prices }).nullable(),
    /** Set by somebody; else the list price that this version knows. */
    isOwn: z.boolean(),
    changedBy: z.string().nullable(),
    changedAt: time.nullable(),
    /** Null for a list price. */
    revision: count.nullable(),
  })
  .openapi('ModelPrice');
export type PriceResource = z.infer<typeof priceSchema>;

const service = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'expected the name of a service');
const model = z.string().regex(/^[\w.:/@+-]{1,200}$/, 'expected the name of a model, as its provider writes it');
export const priceBody = z.strictObject({ service, model, ...prices });
export const priceQuery = z.strictObject({ service, model });
