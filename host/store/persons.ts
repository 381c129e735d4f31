/**
 * People as one: identities on several channels that are the same person, and all that they were given.
 * Whoever has one identity is a person too, named by its user id.
 *
 * I1. A change of a person raises the revision of all their identities; joined people go on from the higher one.
 * I2. `person_id` stands on two identities or more, never on one alone.
 */
import { type AgentGroupId, makeId, type PersonId, type UserId } from '../../shared/ids.ts';
import type { CentralDb } from './database.ts';
import type { ChangedPeople } from './users.ts';

export interface Identity {
  userId: UserId;
  displayName: string;
  createdAt: number;
}

/** What a person was given, and on which of their identities. */
export type HeldGrant = { userId: UserId; grantedBy: UserId | null; grantedAt: number } & (
  | { role: 'owner'; agentGroupId: null }
  | { role: 'admin'; agentGroupId: AgentGroupId | null }
  | { role: 'member'; agentGroupId: AgentGroupId }
);

export interface Person {
  /** The same for all identities: a `per_` id, or the user id of the only one. */
  personId: PersonId | UserId;
  revision: number;
  /** The least id of all: what pages follow. */
  headId: UserId;
  /** The oldest first. */
  identities: [Identity, ...Identity[]];
  grants: HeldGrant[];
}

export interface PeopleFilter {
  /** In an id or a name, whatever the case. */
  text?: string | undefined;
  /** Who is admin or member of one of these, and who is owner or admin of everything. */
  agentGroupIds?: readonly string[] | undefined;
  /** With `agentGroupIds`: without those who are owner or admin of everything alone. */
  withoutGlobal?: boolean | undefined;
  /** Owners, admins and members of anything alone. */
  knownOnly?: boolean | undefined;
}

interface UserRow {
  id: string;
  display_name: string;
  created_at: number;
  person_id: string | null;
  revision: number;
  head: string;
}

interface GrantRow {
  user_id: string;
  role: HeldGrant['role'];
  of: string;
  granted_by: string | null;
  created_at: number;
}

/** CROSS JOIN with it, as in users.ts. */
const OWN = `WITH own (id) AS (
  SELECT @id UNION SELECT other.id FROM users AS me JOIN users AS other ON other.person_id = me.person_id WHERE me.id = @id)`;

export class PersonStore {
  readonly #db: CentralDb;
  readonly #listeners = new Set<ChangedPeople>();

  constructor(db: CentralDb) {
    this.#db = db;
  }

  /** Hears all identities that were joined or parted; as in `UserStore`. */
  onChanged(listener: ChangedPeople): void {
    this.#listeners.add(listener);
  }

  /** The person of this identity; null when nobody has it. */
  get(id: UserId): Person | null {
    const users = this.#db
      .prepare<{ id: string }, UserRow>(
        `${OWN} SELECT users.*, min(users.id) OVER () AS head FROM own CROSS JOIN users ON users.id = own.id ORDER BY created_at, users.id`,
      )
      .all({ id });
    const [first, ...rest] = users;
    if (first === undefined) return null;
    return {
      personId: (first.person_id ?? first.id) as PersonId | UserId,
      revision: Math.max(...users.map(({ revision }) => revision)),
      headId: first.head as UserId,
      identities: [toIdentity(first), ...rest.map(toIdentity)],
      grants: this.#listGrants(id),
    };
  }

  #listGrants(id: UserId): HeldGrant[] {
    return this.#db
      .prepare<{ id: string }, GrantRow>(
        `${OWN} SELECT user_id, role, agent_group_id AS of, granted_by, created_at
           FROM own CROSS JOIN user_roles ON user_id = own.id
         UNION ALL SELECT user_id, 'member', agent_group_id, NULL, created_at
           FROM own CROSS JOIN agent_group_members ON user_id = own.id
         ORDER BY created_at, user_id, role`,
      )
      .all({ id })
      .map(toGrant);
  }

  /** One entry per person, by the least of their ids, after `cursor`. */
  list(limit: number, cursor: string | null, filter: PeopleFilter = {}): Person[] {
    const { text, agentGroupIds, withoutGlobal, knownOnly } = filter;
    const ids = this.#db
      .prepare<Record<string, string | number | null>, { id: string }>(
        `SELECT id FROM users AS head WHERE id > @cursor
           AND (person_id IS NULL OR NOT EXISTS (
             SELECT 1 FROM users AS other WHERE other.person_id = head.person_id AND other.id < head.id))
           AND EXISTS (SELECT 1 FROM users AS own
             WHERE (own.id = head.id OR own.person_id = head.person_id)
               AND (@text IS NULL OR instr(lower(own.id), @folded) > 0 OR instr(own.display_name, @text) > 0
                 OR instr(lower(own.display_name), @folded) > 0))
           AND (@known = 0 OR EXISTS (SELECT 1 FROM users AS own
             WHERE (own.id = head.id OR own.person_id = head.person_id)
               AND (EXISTS (SELECT 1 FROM user_roles WHERE user_id = own.id
                      AND (@agents IS NULL OR agent_group_id IN (SELECT value FROM json_each(@agents))
                        OR (agent_group_id = '' AND @global = 1)))
                 OR EXISTS (SELECT 1 FROM agent_group_members AS member WHERE member.user_id = own.id
                      AND (@agents IS NULL OR member.agent_group_id IN (SELECT value FROM json_each(@agents)))))))
         ORDER BY id LIMIT @limit`,
      )
      .all({
        cursor: cursor ?? '',
        text: text === undefined || text === '' ? null : text,
        folded: text?.toLowerCase() ?? '',
        agents: agentGroupIds === undefined ? null : JSON.stringify(agentGroupIds),
        global: withoutGlobal === true ? 0 : 1,
        known: knownOnly === true || agentGroupIds !== undefined ? 1 : 0,
        limit,
      });
    return ids.flatMap(({ id }) => this.get(id as UserId) ?? []);
  }

  /** Who is called exactly this, whatever the case of ASCII letters; from an index. `knownOnly` as in PeopleFilter. */
  findNamed(name: string, limit: number, knownOnly: boolean): Person[] {
    return this.#db
      .prepare<{ name: string; known: number; limit: number }, { id: string }>(
        `SELECT min(id) AS id FROM users AS named WHERE display_name = @name COLLATE NOCASE
           AND (@known = 0 OR EXISTS (SELECT 1 FROM users AS own
             WHERE (own.id = named.id OR own.person_id = named.person_id)
               AND (EXISTS (SELECT 1 FROM user_roles WHERE user_id = own.id)
                 OR EXISTS (SELECT 1 FROM agent_group_members AS member WHERE member.user_id = own.id))))
         GROUP BY coalesce(person_id, id) ORDER BY 1 LIMIT @limit`,
      )
      .all({ name, known: knownOnly ? 1 : 0, limit })
      .flatMap(({ id }) => this.get(id as UserId) ?? []);
  }

  /** How many people are owners. */
  countOwners(): number {
    return Number(
      this.#db
        .prepare(
          `SELECT count(DISTINCT coalesce(person_id, id)) FROM users JOIN user_roles ON user_id = id WHERE role = 'owner'`,
        )
        .pluck()
        .get(),
    );
  }

  /** Makes two people one. One of them has a single identity (`planJoin`). */
  join(a: UserId, b: UserId, now: number): void {
    const [one, other] = [this.get(a), this.get(b)];
    if (one === null || other === null || one.personId === other.personId) throw new Error('nothing to join');
    const joined = [...one.identities, ...other.identities];
    const known = [one, other].find(({ identities }) => identities.length > 1)?.personId;
    const personId = known ?? makeId('person', now);
    const revision = Math.max(one.revision, other.revision) + 1;
    const update = this.#db.prepare('UPDATE users SET person_id = ?, revision = ? WHERE id = ?');
    for (const { userId } of joined) update.run(personId, revision, userId);
    this.#tell(joined);
  }

  /** Takes one identity out of its person. Whether it was linked. */
  part(id: UserId): boolean {
    const person = this.get(id);
    if (person === null || person.identities.length < 2) return false;
    const raise = this.#db.prepare('UPDATE users SET revision = ? WHERE id = ?');
    for (const { userId } of person.identities) raise.run(person.revision + 1, userId);
    const leave = this.#db.prepare('UPDATE users SET person_id = NULL WHERE id = ?');
    leave.run(id);
    const rest = person.identities.filter(({ userId }) => userId !== id);
    // I2
    if (rest.length === 1) for (const { userId } of rest) leave.run(userId);
    this.#tell(person.identities);
    return true;
  }

  #tell(identities: readonly Identity[]): void {
    for (const listener of this.#listeners) listener(identities.map(({ userId }) => userId));
  }
}

function toIdentity(row: UserRow): Identity {
  return { userId: row.id as UserId, displayName: row.display_name, createdAt: row.created_at };
}

function toGrant({ user_id, role, of, granted_by, created_at }: GrantRow): HeldGrant {
  const held = { userId: user_id as UserId, grantedBy: granted_by as UserId | null, grantedAt: created_at };
  switch (role) {
    case 'owner':
      return { ...held, role, agentGroupId: null };
    case 'admin':
      return { ...held, role, agentGroupId: of === '' ? null : (of as AgentGroupId) };
    case 'member':
      return { ...held, role, agentGroupId: of as AgentGroupId };
  }
}
