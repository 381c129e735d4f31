/** Agents and their destinations over the API. */
import type { Context } from 'hono';
import { type AgentGroupId, type MessagingGroupId, parseId } from '../../../../shared/ids.ts';
import { administers, type Scope, type Standing } from '../../../access/console.ts';
import { MAX_AGENTS } from '../../../agents/limits.ts';
import { checkName } from '../../../agents/names.ts';
import type { AgentGroup } from '../../../store/agents.ts';
import type { DestinationRow } from '../../../store/destinations.ts';
import * as routes from '../agent-routes.ts';
import { newApi, paginate } from '../api.ts';
import { planChoicePatch, requireNewChoice } from '../choices.ts';
import { readIfMatch, refuseChange, setEtag } from '../conditions.ts';
import type { Env } from '../door.ts';
import type { ApiParts } from '../ports.ts';
import { presentAgent, presentDestination, presentRemoval } from '../present.ts';
import { notFound, Problem } from '../problem.ts';
import { requireAdmin, requireMachine, scopeOf } from '../rights.ts';
import type { Agent } from '../schemas.ts';
import { findSubject, subjectOfChat } from '../subjects.ts';

export function agentRoutes(parts: ApiParts) {
  const { agents } = parts;
  return newApi()
    .openapi(routes.listAgents, (c) => {
      const { cursor, limit, state } = c.req.valid('query');
      const scope = scopeOf(c);
      const list = (n: number) => {
        if (scope !== null) return listVisible(parts, scope, state === 'removed', n, cursor ?? '');
        return state === 'removed' ? agents.listArchived(n, cursor ?? null) : agents.list(n, cursor ?? null);
      };
      const page = paginate(limit, list, (agent) => agent.id);
      return c.json({ ...page, items: page.items.map((agent) => presentAgentFor(c.var.standing, agent)) }, 200);
    })
    .openapi(routes.createAgent, (c) => {
      const { isAdmin, ...given } = c.req.valid('json');
      if (isAdmin === true) requireMachine(c);
      const { name, provider, model, service, effort, timezone, instructions } = given;
      const agent = parts.maker.make(
        {
          name,
          isAdmin: isAdmin === true,
          ...requireNewChoice({ provider, model, service, effort }, parts, name),
          ...(timezone === undefined ? {} : { timezone }),
          ...(instructions === undefined ? {} : { instructions }),
        },
        c.var.userId,
      );
      if ('kind' in agent) throw nameRefused(agent.reason);
      setEtag(c, agent);
      return c.json(presentAgent(agent), 201);
    })
    .openapi(routes.getAgent, (c) => {
      const agent = findAgent(parts, c.req.valid('param').id);
      setEtag(c, agent);
      return c.json(presentAgentFor(c.var.standing, agent), 200);
    })
    .openapi(routes.updateAgent, (c) => {
      const agent = findAgent(parts, c.req.valid('param').id);
      const revision = readIfMatch(c);
      const { provider, model, service, effort, timezone, ...given } = c.req.valid('json');
      const name = given.name === undefined ? undefined : planRename(parts, given.name, agent.id);
      const patch = {
        ...(name === undefined ? {} : { name }),
        ...planChoicePatch(agent, { provider, model, service, effort }, parts),
        ...(timezone === undefined ? {} : { timezone }),
      };
      const outcome = parts.configs.changeAgent(agent.id, revision, patch, c.var.userId);
      if (outcome.kind === 'gone') throw notFound('agent');
      if (outcome.kind === 'stale') throw refuseChange('agent', outcome.agent);
      setEtag(c, outcome.agent);
      return c.json(presentAgent(outcome.agent), 200);
    })
    .openapi(routes.deleteAgent, (c) => {
      const { id } = findAgent(parts, c.req.valid('param').id);
      const removal = parts.removals.remove(id, readIfMatch(c), c.var.userId);
      switch (removal.kind) {
        case 'removed':
          return c.json(presentRemoval(removal, parts.now()), 200);
        case 'stale':
          throw refuseChange('agent', agents.get(id));
        case 'refused':
          throw new Problem(409, removal.reason, 'This is the only agent: without one nobody can be talked to here.', {
            next: 'make another first: portolan agents create <name> --admin',
          });
      }
    })
    .openapi(routes.restoreAgent, (c) => {
      const id = parseId('agentGroup', c.req.valid('param').id);
      if (id === null) throw notFound('agent');
      const restoration = parts.removals.restore(id, c.var.userId);
      if (restoration.kind === 'restored') {
        const agent = agents.get(id) ?? restoration.agent;
        setEtag(c, agent);
        return c.json(presentAgent(agent), 200);
      }
      if (restoration.reason === 'unknown') throw notFound('removed agent');
      throw new Problem(409, restoration.reason, `It cannot be restored now: ${restoration.words}.`, {
        next: restoration.reason === 'still_removing' ? 'try again in a few seconds' : 'rename the other agent first',
      });
    });
}

export function destinationRoutes(parts: ApiParts) {
  const { destinations } = parts;
  return newApi()
    .openapi(routes.listDestinations, (c) => {
      const agent = findAgent(parts, c.req.valid('param').id);
      const { cursor, limit } = c.req.valid('query');
      // A chart is small enough to be one file that the runner reads whole.
      const after = destinations.listFor(agent.id).filter((row) => row.localName > (cursor ?? ''));
      const page = paginate(
        limit,
        (n) => after.slice(0, n),
        (row) => row.localName,
      );
      return c.json({ ...page, items: page.items.map((row) => presentDestination(row, parts)) }, 200);
    })
    .openapi(routes.createDestination, (c) => {
      const agent = findAgent(parts, c.req.valid('param').id);
      const { name, type, targetId } = c.req.valid('json');
      requireTarget(c, parts, type, targetId);
      const row = destinations.add({
        agentGroupId: agent.id,
        localName: name,
        targetType: type,
        targetId,
        now: parts.now(),
        cause: { by: c.var.userId },
      });
      if (row === null) throw nameTaken(name);
      parts.onDestinationsChanged(agent.id);
      setEtag(c, row);
      return c.json(presentDestination(row, parts), 201);
    })
    .openapi(routes.getDestination, (c) => {
      const row = findDestination(parts, c.req.valid('param').id);
      setEtag(c, row);
      return c.json(presentDestination(row, parts), 200);
    })
    .openapi(routes.updateDestination, (c) => {
      const { id, agentGroupId } = findDestination(parts, c.req.valid('param').id);
      const { name } = c.req.valid('json');
      const row = destinations.rename(id, readIfMatch(c), name, parts.now(), c.var.userId);
      if (row === 'taken') throw nameTaken(name);
      if (row === null) throw refuseChange('destination', destinations.get(id));
      parts.onDestinationsChanged(agentGroupId);
      setEtag(c, row);
      return c.json(presentDestination(row, parts), 200);
    })
    .openapi(routes.deleteDestination, (c) => {
      const { id, agentGroupId } = findDestination(parts, c.req.valid('param').id);
      if (!destinations.remove(id, readIfMatch(c), { by: c.var.userId, at: parts.now() }))
        throw refuseChange('destination', destinations.get(id));
      parts.onDestinationsChanged(agentGroupId);
      return c.body(null, 204);
    });
}

/** Throws Problem 404. */
export function findAgent(parts: Pick<ApiParts, 'agents'>, id: string) {
  const agentId = parseId('agentGroup', id);
  const agent = agentId === null ? null : parts.agents.get(agentId);
  if (agent === null) throw notFound('agent');
  return agent;
}

function findDestination({ destinations }: ApiParts, id: string): DestinationRow {
  const row = destinations.get(id);
  if (row === null) throw notFound('destination');
  return row;
}

/**
 * A destination is a permission to write there: into a chat it needs an admin of an agent that listens there
 * already, to an agent one of that agent. Throws Problem 403, 404.
 */
function requireTarget(c: Context<Env>, parts: ApiParts, type: 'channel' | 'agent', targetId: string): void {
  if (type === 'channel') {
    const id: MessagingGroupId | null = parseId('messagingGroup', targetId);
    const subject = id === null ? null : subjectOfChat(parts, id);
    const changedBy = subject === null || c.var.standing.isGlobalAdmin ? [] : subject.changedBy;
    const own = changedBy.filter((agent) => c.var.standing.adminOf.has(agent));
    requireAdmin(c, 'chat', subject === null ? null : { ...subject, changedBy: own });
    return;
  }
  const id: AgentGroupId | null = parseId('agentGroup', targetId);
  if (id === null || parts.agents.get(id) === null) throw notFound('agent');
  requireAdmin(c, 'agent', findSubject(parts, 'agents', id));
}

/** The agents that somebody sees, by id: all whose members they are; of removed ones, those they administered. */
function listVisible(
  { agents }: ApiParts,
  scope: Scope,
  isRemoved: boolean,
  limit: number,
  after: string,
): AgentGroup[] {
  const found = (isRemoved ? scope.adminOf : scope.memberOf)
    .filter((id) => id > after)
    .sort()
    .map((text) => parseId('agentGroup', text))
    .map((id) => (id === null ? null : isRemoved ? agents.getArchived(id) : agents.get(id)));
  return found.filter((agent) => agent !== null).slice(0, limit);
}

/** Members see an agent's name; what it is made of is its admins'. */
function presentAgentFor(standing: Standing, agent: AgentGroup): Agent {
  const resource = presentAgent(agent);
  if (administers(standing, { changedBy: [agent.id] })) return resource;
  return { ...resource, folder: '', provider: '', model: null, service: null, effort: null };
}

function nameTaken(name: string): Problem {
  return new Problem(409, 'name_taken', `This agent has a destination "${name}" already.`, {
    next: 'choose another name, or rename the other destination',
  });
}

/** The name in its normal form. Throws Problem 409. */
function planRename({ agents }: ApiParts, name: string, id: AgentGroupId): string {
  const others = agents.list(MAX_AGENTS).filter((agent) => agent.id !== id);
  const check = checkName(
    name,
    others.map((agent) => agent.name),
  );
  if (check.kind === 'fine') return check.name;
  throw nameRefused(check.suggestion === null ? check.reason : `${check.reason}; "${check.suggestion}" is free`);
}

function nameRefused(reason: string): Problem {
  return new Problem(409, 'name_refused', `No agent can be called so: ${reason}.`, { next: 'choose another name' });
}
