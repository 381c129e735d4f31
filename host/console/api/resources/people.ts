/** People over the API: who they are, what they may do, and which identities are one. */
import { type AgentGroupId, parseId, parseUserId, type UserId } from '../../../../shared/ids.ts';
import type { Scope } from '../../../access/console.ts';
import type { By, PeopleOutcome, PersonGrant } from '../../../people/apply.ts';
import { describeGivers, TWO_VOICES } from '../../../people/change-words.ts';
import type { PeopleFilter, Person } from '../../../store/persons.ts';
import { newApi, paginate } from '../api.ts';
import { readIfMatch, refuseChange, setEtag } from '../conditions.ts';
import type { Env } from '../door.ts';
import * as routes from '../people-routes.ts';
import type { ApiParts } from '../ports.ts';
import { notFound, Problem } from '../problem.ts';
import { requireSight, scopeOf } from '../rights.ts';
import type * as schemas from '../schemas.ts';
import { findSubject } from '../subjects.ts';

export function peopleRoutes(parts: ApiParts) {
  const { people } = parts;
  return newApi()
    .openapi(routes.listPeople, (c) => {
      const { cursor, limit, ...query } = c.req.valid('query');
      const after = cursor === undefined ? null : readCursor(cursor);
      const scope = scopeOf(c);
      const filter = toFilter(query, scope);
      const page = paginate(
        limit,
        (n) => people.list(n, after, filter),
        (person) => Buffer.from(person.headId).toString('base64url'),
      );
      return c.json({ ...page, items: page.items.map((person) => presentPerson(person, parts, scope)) }, 200);
    })
    .openapi(routes.getPerson, (c) => {
      const person = find(parts, c.req.valid('param').id);
      setEtag(c, person);
      return c.json(presentPerson(person, parts, scopeOf(c)), 200);
    })
    .openapi(routes.grantRole, (c) => {
      const { id, role, of } = c.req.valid('param');
      const { name } = c.req.valid('json');
      const grant = readGrant(role, of);
      if (name === undefined) requireSight(c, 'person', findSubject(parts, 'people', id));
      const revision = name === undefined ? readIfMatch(c) : undefined;
      const outcome = people.grant({ by: byOf(c.var), userId: readUserId(id), grant, revision, newName: name });
      const person = settle(outcome, grant);
      setEtag(c, person);
      return c.json(presentPerson(person, parts, scopeOf(c)), 200);
    })
    .openapi(routes.revokeRole, (c) => {
      const { id, role, of } = c.req.valid('param');
      requireSight(c, 'person', findSubject(parts, 'people', id));
      const grant = readGrant(role, of);
      const userId = readUserId(id);
      const person = settle(people.revoke({ by: byOf(c.var), userId, grant, revision: readIfMatch(c) }), grant);
      setEtag(c, person);
      return c.json(presentPerson(person, parts, scopeOf(c)), 200);
    })
    .openapi(routes.linkPeople, (c) => {
      const { id, other } = c.req.valid('param');
      const ids = { userId: readUserId(id), other: readUserId(other) };
      const person = settle(people.join({ by: byOf(c.var), ...ids, revision: readIfMatch(c) }), OWNERS);
      setEtag(c, person);
      return c.json(presentPerson(person, parts, null), 200);
    })
    .openapi(routes.unlinkPeople, (c) => {
      const { id, other } = c.req.valid('param');
      const person = find(parts, id);
      const leaving = person.identities.find(({ userId }) => userId === other)?.userId;
      if (leaving === undefined) throw notFound('identity of this person');
      settle(people.part({ by: byOf(c.var), userId: leaving, revision: readIfMatch(c) }), OWNERS);
      const rest = find(parts, person.identities.find(({ userId }) => userId !== leaving)?.userId ?? leaving);
      setEtag(c, rest);
      return c.json(presentPerson(rest, parts, null), 200);
    });
}

const OWNERS = { role: 'owner', agentGroupId: null } as const;

/** Admins of agents see those agents' admins and members, and nothing of other agents. */
function toFilter(
  { q, agent, who }: { q?: string | undefined; agent?: string | undefined; who?: 'known' | 'all' | undefined },
  scope: Scope | null,
): PeopleFilter {
  const text = q === undefined || q === '' ? {} : { text: q };
  if (scope === null) {
    return { ...text, knownOnly: who !== 'all', ...(agent === undefined ? {} : { agentGroupIds: [agent] }) };
  }
  const seen = agent === undefined ? scope.adminOf : scope.adminOf.filter((id) => id === agent);
  return { ...text, agentGroupIds: seen, withoutGlobal: true };
}

function presentPerson(person: Person, { agents }: ApiParts, scope: Scope | null): schemas.Person {
  const isSeen = (id: string | null) => scope === null || id === null || scope.adminOf.includes(id);
  const nameOf = (id: AgentGroupId | null) => (id === null ? null : (agents.get(id)?.name ?? null));
  return {
    id: person.identities[0].userId,
    name: person.identities.find(({ displayName }) => displayName !== '')?.displayName ?? '',
    identities: person.identities.map(({ userId, displayName, createdAt }) => ({
      userId,
      name: displayName,
      createdAt,
    })),
    roles: person.grants
      .filter(({ agentGroupId }) => isSeen(agentGroupId))
      .map(({ role, agentGroupId, userId, grantedBy, grantedAt }) => ({
        role,
        agentId: agentGroupId,
        agentName: nameOf(agentGroupId),
        userId,
        grantedBy,
        grantedAt,
      })),
    revision: person.revision,
  };
}

function readGrant(role: PersonGrant['role'], of: string): PersonGrant {
  const agentGroupId = of === 'all' ? null : parseId('agentGroup', of);
  if (role === 'owner' && of === 'all') return { role, agentGroupId: null };
  if (role === 'admin') return { role, agentGroupId };
  if (role === 'member' && agentGroupId !== null) return { role, agentGroupId };
  throw new Problem(400, 'bad_input', 'There is no such role.', {
    expected: 'owner/all, admin/all, admin/<agent id> or member/<agent id>',
  });
}

/** Throws Problem 403, 404, 409, 412. */
function settle(outcome: PeopleOutcome, grant: PersonGrant): Person {
  switch (outcome.kind) {
    case 'changed':
    case 'already':
      return outcome.person;
    case 'stale':
      throw refuseChange('person', outcome.person);
    case 'unknown':
      throw new Problem(404, 'not_found', 'There is no such person.', {
        expected: 'the id of somebody who wrote to the host, or a name for somebody new',
      });
    case 'refused':
      throw refuse(outcome.reason, grant);
  }
}

function refuse(reason: Extract<PeopleOutcome, { kind: 'refused' }>['reason'], grant: PersonGrant): Problem {
  switch (reason) {
    case 'not_yours_to_give':
      return new Problem(403, 'not_allowed', 'You may not do this.', { expected: describeGivers(grant) });
    case 'yourself':
      return new Problem(403, 'yourself', 'Nobody gives a role to themselves.', { next: 'ask somebody who may' });
    case 'last_owner':
      return new Problem(409, 'last_owner', 'This is the only owner.', { next: 'make somebody else owner first' });
    case 'no_such_agent':
      return notFound('agent');
    case 'two_voices':
      return new Problem(403, 'two_voices', TWO_VOICES, { expected: 'an owner' });
    case 'both_linked':
    case 'too_many_identities':
      return new Problem(409, reason, 'These two cannot be joined: one of them has other identities.', {
        next: 'unlink those first',
      });
  }
}

function byOf({ userId, by }: Env['Variables']): By {
  return { userId, isMachine: by !== 'cookie' };
}

function find({ people }: ApiParts, text: string): Person {
  const person = people.get(readUserId(text));
  if (person === null) throw notFound('person');
  return person;
}

/** Its shape was checked by the route. */
function readUserId(text: string): UserId {
  const id = parseUserId(text);
  if (id === null) throw notFound('person');
  return id;
}

function readCursor(cursor: string): string {
  return Buffer.from(cursor, 'base64url').toString();
}
