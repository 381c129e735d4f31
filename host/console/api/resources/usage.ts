/** What models cost, budgets and prices, over the API. */
import { type AgentGroupId, parseId, parseUserId } from '../../../../shared/ids.ts';
import { nameSubject } from '../../../budgets/words.ts';
import { type BudgetState, periodAt } from '../../../egress/model/budget-plan.ts';
import { listKnownPrices, PRICES_AS_OF } from '../../../egress/model/known-prices.ts';
import type { UsageGroup, UsageRow } from '../../../store/model-calls.ts';
import type { OwnPrice } from '../../../store/model-prices.ts';
import { newApi } from '../api.ts';
import { readIfMatchIfAny, refuseChange, setEtag } from '../conditions.ts';
import type { ApiParts } from '../ports.ts';
import { notFound, Problem } from '../problem.ts';
import { requireSight, scopeOf } from '../rights.ts';
import { findSubject } from '../subjects.ts';
import * as routes from '../usage-routes.ts';
import {
  type BudgetResource,
  DEFAULT_USAGE_DAYS,
  type PriceResource,
  type UsageRowResource,
} from '../usage-schemas.ts';

export function usageRoutes(parts: ApiParts) {
  return newApi().openapi(routes.getUsage, (c) => {
    const { agent, session, person, days = DEFAULT_USAGE_DAYS, by = 'day' } = c.req.valid('query');
    if (agent !== undefined) requireSight(c, 'agent', findSubject(parts, 'agents', agent));
    if (session !== undefined) requireSight(c, 'session', findSubject(parts, 'sessions', session));
    const agentId = agent === undefined ? null : parseId('agentGroup', agent);
    const report = parts.usage.report({
      ...{ by, days },
      agents: limitAgents(agentId, scopeOf(c)?.adminOf ?? null),
      sessionId: session === undefined ? null : parseId('session', session),
      person: person === undefined ? null : parseUserId(person),
    });
    const items = report.rows.map((row) => presentRow(row, by, parts));
    return c.json({ by, firstDay: report.firstDay, lastDay: report.lastDay, items, sum: report.sum }, 200);
  });
}

export function budgetRoutes(parts: ApiParts) {
  const { modelDoor, budgetChanges } = parts;
  return newApi()
    .openapi(routes.listBudgets, (c) => {
      const scope = scopeOf(c);
      const seen = modelDoor.spending
        .listStates()
        .filter(({ budget }) => scope === null || (budget.scope === 'agent' && scope.adminOf.includes(budget.subject)));
      return c.json({ items: seen.map((state) => presentBudget(state, parts)) }, 200);
    })
    .openapi(routes.setBudget, (c) => {
      const { amount, ...key } = c.req.valid('json');
      const change = budgetChanges.set(key, amount, c.var.userId, readIfMatchIfAny(c));
      if (change === null) throw tooMany('budgets');
      if (change.kind === 'unknown_subject') throw notFound(key.scope);
      if (change.kind === 'stale') throw refuseChange('budget', change.current);
      setEtag(c, change.budget);
      return c.json(presentBudget(modelDoor.spending.stateOf(change.budget), parts), 200);
    })
    .openapi(routes.removeBudget, (c) => {
      const change = budgetChanges.remove(c.req.valid('query'), c.var.userId, readIfMatchIfAny(c));
      if (change.kind === 'stale') throw refuseChange('budget', change.current);
      return c.body(null, 204);
    });
}

export function priceRoutes({ modelPrices, budgetChanges, services }: ApiParts) {
  return newApi()
    .openapi(routes.listPrices, (c) => {
      const listed = listKnownPrices().map(
        ({ service, model, price: { long, ...each } }): PriceResource => ({
          ...{ service, model, ...each, long: long === null ? null : { above: long.above, ...long.price } },
          ...{ isOwn: false, changedBy: null, changedAt: null, revision: null },
        }),
      );
      return c.json({ asOf: PRICES_AS_OF, items: [...modelPrices.list().map(presentPrice), ...listed] }, 200);
    })
    .openapi(routes.setPrice, (c) => {
      const wanted = c.req.valid('json');
      requireModelService(wanted.service, services.list());
      const change = budgetChanges.setPrice(wanted, c.var.userId, readIfMatchIfAny(c));
      if (change === null) throw tooMany('prices');
      if (change.kind === 'stale') throw refusePrice(change.current);
      setEtag(c, change.price);
      return c.json(presentPrice(change.price), 200);
    })
    .openapi(routes.removePrice, (c) => {
      const { service, model } = c.req.valid('query');
      const change = budgetChanges.removePrice(service, model, c.var.userId, readIfMatchIfAny(c));
      if (change.kind === 'stale') throw refusePrice(change.current);
      return c.body(null, 204);
    });
}

/** Null: all. One that they do not administer was refused before; members of it see nothing here. */
function limitAgents(named: AgentGroupId | null, adminOf: readonly string[] | null): AgentGroupId[] | null {
  if (adminOf === null) return named === null ? null : [named];
  // The ids of roles are of agents.
  const own = adminOf as readonly AgentGroupId[];
  return own.filter((id) => named === null || id === named);
}

function presentRow(row: UsageRow, by: UsageGroup, parts: ApiParts): UsageRowResource {
  return { ...row, name: nameRow(row.key, by, parts) };
}

function nameRow(key: string, by: UsageGroup, { agents, users, sessions, chats }: ApiParts): string {
  switch (by) {
    case 'day':
    case 'model':
      return key;
    case 'agent':
    case 'person':
      return key === '' ? '' : nameSubject({ scope: by, subject: key }, { agents, users });
    case 'session': {
      const id = parseId('session', key);
      const session = id === null ? null : sessions.get(id);
      const chat = session?.messagingGroupId == null ? null : chats.get(session.messagingGroupId);
      return session?.title || chat?.name || key;
    }
  }
}

function presentBudget({ budget, spent, held }: BudgetState, parts: ApiParts): BudgetResource {
  const { askedIn, ...rest } = budget;
  const { name, endsAt } = periodAt(budget.period, parts.now());
  return { ...rest, name: nameSubject(budget, parts), spent, held, resetsAt: endsAt, isAsked: askedIn === name };
}

function presentPrice(price: OwnPrice): PriceResource {
  return { ...price, long: null, isOwn: true };
}

/** A price under a name that nothing has would never be used, and nobody would see why. */
function requireModelService(name: string, services: readonly { name: string; api: string | null }[]): void {
  const names = services.filter(({ api }) => api !== null).map((service) => service.name);
  if (names.includes(name)) return;
  throw new Problem(404, 'unknown_service', 'There is no such model service.', {
    expected: `one of ${names.join(', ')}`,
    next: 'portolan services list',
  });
}

function refusePrice(current: OwnPrice | null): Problem {
  if (current !== null) return refuseChange('price', current);
  return new Problem(404, 'not_found', 'No price was set here for that model.', { next: 'portolan price list' });
}

function tooMany(what: string): Problem {
  return new Problem(409, 'too_many', `There are as many ${what} as there may be.`, { next: 'remove some first' });
}
