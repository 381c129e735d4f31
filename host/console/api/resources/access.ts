/** What agents may reach outside, and what they reached, over the API. */
import type { Context } from 'hono';
import { parseId } from '../../../../shared/ids.ts';
import { administers } from '../../../access/console.ts';
import { type AccessWish, describePlace } from '../../../agents/access/plan.ts';
import { type AccessWords, readWish } from '../../../agents/access/wish.ts';
import type { AccessRule } from '../../../store/access-rules.ts';
import type { EgressEntry, EgressFilter } from '../../../store/egress-log.ts';
import * as routes from '../access-routes.ts';
import type { AccessRuleResource } from '../access-schemas.ts';
import { newApi, paginate } from '../api.ts';
import type { Env } from '../door.ts';
import { EgressTails, presentEgress } from '../egress-stream.ts';
import type { ApiParts } from '../ports.ts';
import { presentAuthor } from '../present-config.ts';
import { notFound, Problem } from '../problem.ts';
import { requireSight, scopeOf, standingOf } from '../rights.ts';
import { findSubject } from '../subjects.ts';
import { findAgent } from './agents.ts';

export function accessRoutes(parts: ApiParts) {
  const { access } = parts;
  return newApi()
    .openapi(routes.listAccess, (c) => {
      const agent = findAgent(parts, c.req.valid('param').id);
      return c.json({ items: access.list(agent.id).map((rule) => presentRule(rule, parts)) }, 200);
    })
    .openapi(routes.allowAccess, (c) => {
      const agent = findAgent(parts, c.req.valid('param').id);
      const { reason, private: isPrivate = false, ...words } = c.req.valid('json');
      if (isPrivate && !c.var.standing.isOwner) throw ownersOnly();
      const wish = readHost(words);
      const author = { by: c.var.userId, approvalId: null, reason: reason ?? null };
      const outcome = access.allow(agent.id, wish, isPrivate, author);
      switch (outcome.kind) {
        case 'allowed':
          return c.json(presentRule(outcome.rule, parts), 201);
        case 'nothing':
          throw new Problem(409, 'allowed_already', `Nothing is to be done: ${plain(outcome.why)}.`);
        case 'refuse':
          throw new Problem(409, 'access_refused', `That cannot be allowed: ${plain(outcome.why)}.`);
        case 'gone':
          throw notFound('agent');
      }
    })
    .openapi(routes.removeAccess, (c) => {
      const { id, rule } = c.req.valid('param');
      const agent = findAgent(parts, id);
      const ruleId = parseId('accessRule', rule);
      if (ruleId === null || access.remove(agent.id, ruleId, c.var.userId) === null) throw notFound('access rule');
      return c.body(null, 204);
    });
}

export function egressRoutes(parts: ApiParts) {
  const tails = new EgressTails((listener) => parts.egressTail.onRow(listener));
  return newApi().openapi(routes.listEgress, (c) => {
    const { agent, session, outcome, q, cursor, limit } = c.req.valid('query');
    if (agent !== undefined) requireSight(c, 'agent', findSubject(parts, 'agents', agent));
    if (session !== undefined) requireSight(c, 'session', findSubject(parts, 'sessions', session));
    const scope = scopeOf(c);
    const filter: EgressFilter = {
      agentGroupId: agent === undefined ? undefined : (parseId('agentGroup', agent) ?? undefined),
      // The ids of roles are of agents.
      agentGroupIds: scope === null ? undefined : (scope.adminOf as EgressEntry['agentGroupId'][]),
      sessionId: session === undefined ? undefined : (parseId('session', session) ?? undefined),
      outcome,
      search: q,
    };
    if ((c.req.header('accept') ?? '').includes('text/event-stream')) return followEgress(parts, tails, c, filter);
    const before = cursor === undefined ? null : Number(cursor);
    const page = paginate(
      limit,
      (n) => parts.egressLog.page(filter, n, before),
      ({ id }) => String(id),
    );
    return c.json({ ...page, items: page.items.map(presentEgress) }, 200);
  });
}

function followEgress(parts: ApiParts, tails: EgressTails, c: Context<Env>, filter: EgressFilter): Response {
  const { userId, by, isSignedIn } = c.var;
  const last = c.req.header('last-event-id') ?? '';
  const stream = tails.open({
    after: /^\d{1,15}$/.test(last) ? Number(last) : null,
    concerns: (entry) => concerns(filter, entry),
    list: (limit) => parts.egressLog.page(filter, limit),
    mayHear: ({ agentGroupId }) =>
      isSignedIn() && administers(standingOf(parts, userId, by !== 'cookie'), { changedBy: [agentGroupId] }),
    isSignedIn,
    disconnect: () => c.env.outgoing.destroy(),
  });
  return new Response(stream, {
    headers: { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' },
  });
}

/** What the query asks for; who may see it is asked at each row. */
function concerns({ agentGroupId, sessionId, outcome, search }: EgressFilter, entry: EgressEntry): boolean {
  return (
    (agentGroupId === undefined || entry.agentGroupId === agentGroupId) &&
    (sessionId === undefined || entry.sessionId === sessionId) &&
    (outcome === undefined || entry.outcome === outcome) &&
    (search === undefined || `${entry.host}${entry.path}`.toLowerCase().includes(search.toLowerCase()))
  );
}

/** Throws Problem 400. */
function readHost(words: AccessWords): AccessWish {
  const wish = readWish(words);
  if (wish !== null) return wish;
  throw new Problem(400, 'bad_input', `"${words.host ?? ''}" is no host.`, {
    expected: 'a name such as api.example.com, *.example.com for the names below it, or an address with private',
  });
}

function ownersOnly(): Problem {
  return new Problem(403, 'not_allowed', 'What lies on this machine or network an owner alone allows.', {
    expected: 'an owner, or the request without "private"',
    next: 'ask an owner of this host',
  });
}

function presentRule(rule: AccessRule, parts: ApiParts): AccessRuleResource {
  const { agentGroupId, pathPrefix, methods, createdBy, ...rest } = rule;
  return {
    ...rest,
    agentId: agentGroupId,
    methods: methods === null ? null : [...methods],
    path: pathPrefix,
    place: describePlace(rule),
    createdBy: presentAuthor(createdBy, parts),
  };
}

/** Cards quote with backquotes; here nothing reads markup. */
function plain(text: string): string {
  return text.replaceAll('`', '').replace(/\.$/, '');
}
