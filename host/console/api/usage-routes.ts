/** The routes about what models cost, budgets and prices, without handlers. */
import { createRoute, z } from '@hono/zod-openapi';
import { body, empty, ifMatchIfAny, ok } from './route-parts.ts';
import * as usage from './usage-schemas.ts';

export const getUsage = createRoute({
  method: 'get',
  path: '/usage',
  summary: 'What models were asked and cost, in days of UTC; admins of agents see theirs',
  request: { query: usage.usageQuery },
  responses: ok(usage.usageReportSchema),
});
export const listBudgets = createRoute({
  method: 'get',
  path: '/budgets',
  summary: 'With what was used of each; admins of agents see those of their agents',
  responses: ok(z.object({ items: z.array(usage.budgetSchema) })),
});
export const setBudget = createRoute({
  method: 'put',
  path: '/budgets',
  summary: 'A hard cap: one per scope, subject, period and unit; holds at once',
  request: { headers: ifMatchIfAny, body: body(usage.budgetBody) },
  responses: ok(usage.budgetSchema),
});
export const removeBudget = createRoute({
  method: 'delete',
  path: '/budgets',
  request: { headers: ifMatchIfAny, query: usage.budgetQuery },
  responses: empty('Removed'),
});
export const listPrices = createRoute({
  method: 'get',
  path: '/prices',
  summary: 'Those that were set, then the list prices that this version knows',
  responses: ok(z.object({ asOf: z.string(), items: z.array(usage.priceSchema) })),
});
export const setPrice = createRoute({
  method: 'put',
  path: '/prices',
  summary: 'What a model of a service costs; holds for calls from now on',
  request: { headers: ifMatchIfAny, body: body(usage.priceBody) },
  responses: ok(usage.priceSchema),
});
export const removePrice = createRoute({
  method: 'delete',
  path: '/prices',
  summary: 'The list price holds again, where there is one',
  request: { headers: ifMatchIfAny, query: usage.priceQuery },
  responses: empty('Removed'),
});
