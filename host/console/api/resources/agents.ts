/** Agents and their destinations over the API. */
import { type AgentGroupId, type MessagingGroupId, parseId } from '../../../../shared/ids.ts';
import type { DestinationRow } from '../../../store/destinations.ts';
import { toLocalName } from '../../../store/destinations.ts';
import { newApi, paginate } from '../api.ts';
import { readIfMatch, refuseChange, setEtag } from '../conditions.ts';
import type { ApiParts } from '../ports.ts';
import { presentAgent, presentDestination } from '../present.ts';
import { notFound, Problem } from '../problem.ts';
import * as routes from '../routes.ts';

export function agentRoutes(parts: ApiParts) {
  const { agents } = parts;
  return newApi()
    .openapi(routes.listAgents, (c) => {
      const { cursor, limit } = c.req.valid('query');
      const page = paginate(
        limit,
        (n) => agents.list(n, cursor ?? null),
        (agent) => agent.id,
      );
      return c.json({ ...page, items: page.items.map(presentAgent) }, 200);
    })
    .openapi(routes.createAgent, (c) => {
      const { name, provider, model, timezone } = c.req.valid('json');
      refuseTakenName(parts, name, null);
      const agent = agents.create({
        name,
        folder: freeFolder(parts, name),
        now: parts.now(),
        ...(provider === undefined ? {} : { provider }),
        ...(model === undefined ? {} : { model }),
        ...(timezone === undefined ? {} : { timezone }),
      });
      setEtag(c, agent);
      return c.json(presentAgent(agent), 201);
    })
    .openapi(routes.getAgent, (c) => {
      const agent = findAgent(parts, c.req.valid('param').id);
      setEtag(c, agent);
      return c.json(presentAgent(agent), 200);
    })
    .openapi(routes.updateAgent, (c) => {
      const agent = findAgent(parts, c.req.valid('param').id);
      const revision = readIfMatch(c);
      const { name, provider, model, timezone } = c.req.valid('json');
      if (name !== undefined) refuseTakenName(parts, name, agent.id);
      const changed = agents.update(agent.id, revision, {
        ...(name === undefined ? {} : { name }),
        ...(provider === undefined ? {} : { provider }),
        ...(model === undefined ? {} : { model }),
        ...(timezone === undefined ? {} : { timezone }),
      });
      if (changed === null) throw refuseChange('agent', agents.get(agent.id));
      setEtag(c, changed);
      return c.json(presentAgent(changed), 200);
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
      requireTarget(parts, type, targetId);
      const row = destinations.add({
        agentGroupId: agent.id,
        localName: name,
        targetType: type,
        targetId,
        now: parts.now(),
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
      const row = destinations.rename(id, readIfMatch(c), name, parts.now());
      if (row === 'taken') throw nameTaken(name);
      if (row === null) throw refuseChange('destination', destinations.get(id));
      parts.onDestinationsChanged(agentGroupId);
      setEtag(c, row);
      return c.json(presentDestination(row, parts), 200);
    })
    .openapi(routes.deleteDestination, (c) => {
      const { id, agentGroupId } = findDestination(parts, c.req.valid('param').id);
      if (!destinations.remove(id, readIfMatch(c))) throw refuseChange('destination', destinations.get(id));
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

function requireTarget({ chats, agents }: ApiParts, type: 'channel' | 'agent', targetId: string): void {
  if (type === 'channel') {
    const id: MessagingGroupId | null = parseId('messagingGroup', targetId);
    if (id === null || chats.get(id) === null) throw notFound('chat');
    return;
  }
  const id: AgentGroupId | null = parseId('agentGroup', targetId);
  if (id === null || agents.get(id) === null) throw notFound('agent');
}

function nameTaken(name: string): Problem {
  return new Problem(409, 'name_taken', `This agent has a destination "${name}" already.`, {
    next: 'choose another name, or rename the other destination',
  });
}

function refuseTakenName({ agents }: ApiParts, name: string, except: AgentGroupId | null): void {
  const other = agents.findByName(name);
  if (other === null || other.id === except) return;
  throw new Problem(409, 'name_taken', 'There is an agent of this name already.', { next: 'choose another name' });
}

/** A folder name from the agent's: one safe path component, free without regard to case. */
function freeFolder({ agents }: ApiParts, name: string): string {
  const base = toLocalName(name);
  for (let number = 1; ; number++) {
    const folder = number === 1 ? base : `${base}-${number}`;
    if (!agents.folderTaken(folder)) return folder;
  }
}
