/**
 * Changes of who may do what: what `host/access/people.ts` allows, with its entry in the ledger in the same commit.
 *
 * I1. Facts are read in the transaction that changes them: who lost a role a moment ago gives nothing any more.
 * I2. What is taken from a person is taken from all their identities; what is given stands on the one it was given to.
 * I3. A change of a person ends the codes that told others what that person is (`linking.ts`).
 */
import { type AgentGroupId, parseUserId, type UserId } from '../../shared/ids.ts';
import {
  type Actor,
  type ChangePlan,
  type Grant,
  mayGive,
  type PeopleRefusal,
  planGrant,
  planJoin,
  planPart,
  planRevoke,
} from '../access/people.ts';
import type { AgentStore } from '../store/agents.ts';
import type { IdentityCodeStore } from '../store/identity-codes.ts';
import type { Ledger, LedgerEntry } from '../store/ledger.ts';
import type { PeopleFilter, Person, PersonStore } from '../store/persons.ts';
import type { UserStore } from '../store/users.ts';

export interface PeopleParts {
  users: UserStore;
  persons: PersonStore;
  identityCodes: IdentityCodeStore;
  agents: Pick<AgentStore, 'get'>;
  ledger: Ledger;
  /** Runs the work in one transaction of the central database, or in the one that is under way. */
  commit: <T>(work: () => T) => T;
  now: () => number;
}

/** Who wants it changed. */
export interface By {
  userId: UserId;
  /** At the host's socket, or with its token. */
  isMachine: boolean;
}

export interface GrantChange {
  by: By;
  userId: UserId;
  grant: PersonGrant;
  /** What the change is based on; without it, on what holds now. */
  revision?: number | undefined;
}

export type PersonGrant = Grant & { agentGroupId: AgentGroupId | null };

export type PeopleOutcome =
  | { kind: 'changed' | 'already' | 'stale'; person: Person }
  | { kind: 'refused'; reason: PeopleRefusal | 'no_such_agent' }
  /** Nobody has this identity. */
  | { kind: 'unknown' };

export class People {
  readonly #parts: PeopleParts;

  constructor(parts: PeopleParts) {
    this.#parts = parts;
  }

  get(id: UserId): Person | null {
    return this.#parts.persons.get(id);
  }

  /** One entry per person, by the least of their ids, after `cursor`. */
  list(limit: number, cursor: string | null, filter: PeopleFilter = {}): Person[] {
    return this.#parts.persons.list(limit, cursor, filter);
  }

  /** An identity that has not written yet is made under `newName`; without that it is unknown. */
  grant({ by, userId, grant, revision, newName }: GrantChange & { newName?: string | undefined }): PeopleOutcome {
    const { users, persons, agents, commit, now } = this.#parts;
    return commit(() => {
      const at = now();
      const person = persons.get(userId);
      const isNew = person === null && newName !== undefined && parseUserId(userId) !== null;
      if (person === null && !isNew) return { kind: 'unknown' };
      if (grant.agentGroupId !== null && agents.get(grant.agentGroupId) === null) {
        return { kind: 'refused', reason: 'no_such_agent' };
      }
      const plan = planGrant(this.#actor(by), person ?? { personId: userId, grants: [] }, grant);
      const settled = settle(plan, person, revision);
      if (settled !== null) return settled;
      if (isNew) users.ensure(userId, newName, at);
      if (grant.role === 'member') users.addMember(grant.agentGroupId, userId, at);
      else users.grant(userId, grant.role, grant.agentGroupId, by.userId, at);
      const kind = grant.role === 'member' ? 'member.added' : 'role.granted';
      return this.#finish(userId, { kind, by, detail: { role: grant.role, agent: grant.agentGroupId, isNew } });
    });
  }

  /** I2 */
  revoke({ by, userId, grant, revision }: GrantChange): PeopleOutcome {
    const { users, persons, commit } = this.#parts;
    return commit(() => {
      const person = persons.get(userId);
      if (person === null) return { kind: 'unknown' };
      const isOwner = person.grants.some(({ role }) => role === 'owner');
      const otherOwners = persons.countOwners() - (isOwner ? 1 : 0);
      const plan = planRevoke(this.#actor(by), person, grant, otherOwners);
      const settled = settle(plan, person, revision);
      if (settled !== null) return settled;
      const held = person.grants.filter((one) => one.role === grant.role && one.agentGroupId === grant.agentGroupId);
      for (const one of held) {
        if (one.role === 'member') users.removeMember(one.agentGroupId, one.userId);
        else users.revoke(one.userId, one.role, one.agentGroupId);
      }
      const kind = grant.role === 'member' ? 'member.removed' : 'role.revoked';
      const from = held.map((one) => one.userId).join(' ');
      return this.#finish(userId, { kind, by, detail: { role: grant.role, agent: grant.agentGroupId, from } });
    });
  }

  /** Owners alone, who know that both are one person; people themselves prove it with codes (`linking.ts`). */
  join({
    by,
    userId,
    other,
    revision,
  }: {
    by: By;
    userId: UserId;
    other: UserId;
    revision?: number | undefined;
  }): PeopleOutcome {
    return this.#parts.commit(() => {
      if (!mayGive(this.#actor(by), { role: 'owner', agentGroupId: null })) {
        return { kind: 'refused', reason: 'not_yours_to_give' };
      }
      return this.joinProven({ by, userId, other, proof: 'owner', revision });
    });
  }

  /** In the transaction that used the proof up. */
  joinProven(link: {
    by: By;
    userId: UserId;
    other: UserId;
    proof: 'owner' | 'codes' | 'claim';
    revision?: number | undefined;
  }): PeopleOutcome {
    const { by, userId, other, proof, revision } = link;
    const { persons, commit, now } = this.#parts;
    return commit(() => {
      const [one, two] = [persons.get(userId), persons.get(other)];
      if (one === null || two === null) return { kind: 'unknown' };
      const settled = settle(planJoinOf(one, two), one, revision);
      if (settled !== null) return settled;
      this.#forgetCodes(one);
      persons.join(userId, other, now());
      const kind = proof === 'claim' ? 'owner.claimed' : 'person.linked';
      return this.#finish(userId, { kind, by, detail: { with: other, proof } });
    });
  }

  /** Takes an identity out of its person; each keeps what was given to it. One's own to do, unless both would decide; or an owner's. */
  part({ by, userId, revision }: { by: By; userId: UserId; revision?: number | undefined }): PeopleOutcome {
    const { persons, users, commit } = this.#parts;
    return commit(() => {
      const person = persons.get(userId);
      if (person === null) return { kind: 'unknown' };
      const isOwn = users.personOf(by.userId) === person.personId;
      const [leaving, staying] = [true, false].map((leaves) =>
        person.grants.filter((one) => (one.userId === userId) === leaves),
      );
      const plan = planPart(this.#actor(by), isOwn, leaving ?? [], staying ?? []);
      if (plan.kind === 'change' && person.identities.length < 2) return { kind: 'already', person };
      const settled = settle(plan, person, revision);
      if (settled !== null) return settled;
      this.#forgetCodes(person);
      persons.part(userId);
      return this.#finish(userId, { kind: 'person.unlinked', by, detail: { from: person.personId } });
    });
  }

  /** One entry about somebody, by somebody; in the caller's transaction. */
  record(userId: UserId, { kind, by, detail }: { kind: string; by: By; detail: LedgerEntry['detail'] }): void {
    const { ledger, now } = this.#parts;
    const door = by.isMachine ? { door: 'machine' } : {};
    ledger.append(
      { kind, sessionId: null, messageId: userId, actor: by.userId, detail: { ...detail, ...door } },
      now(),
    );
  }

  #finish(userId: UserId, entry: Parameters<People['record']>[1]): PeopleOutcome {
    const { persons } = this.#parts;
    const person = persons.get(userId);
    if (person === null) throw new Error('a person that was changed is gone');
    this.#forgetCodes(person);
    this.record(userId, { ...entry, detail: { ...entry.detail, person: person.personId } });
    return { kind: 'changed', person };
  }

  /** I3 */
  #forgetCodes({ identities }: Person): void {
    this.#parts.identityCodes.forget(identities.map(({ userId }) => userId));
  }

  #actor({ userId, isMachine }: By): Actor {
    const { users } = this.#parts;
    const memberships = users.membershipsOf(userId).map((of): Grant => ({ role: 'member', agentGroupId: of }));
    const roles = users
      .rolesOf(userId)
      .map(
        ({ role, agentGroupId }): Grant => (role === 'owner' ? { role, agentGroupId: null } : { role, agentGroupId }),
      );
    return { personId: users.personOf(userId), grants: [...roles, ...memberships], isMachine };
  }
}

/** Whether these two may become one person. */
export function planJoinOf(one: Person, two: Person): ChangePlan {
  return planJoin(
    { personId: one.personId, identities: one.identities.length },
    { personId: two.personId, identities: two.identities.length },
  );
}

/** What is said instead of changing anything; null: go on. */
function settle(plan: ChangePlan, person: Person | null, revision: number | undefined): PeopleOutcome | null {
  if (plan.kind === 'refuse') return { kind: 'refused', reason: plan.reason };
  if (person === null) return null;
  if (revision !== undefined && revision !== person.revision) return { kind: 'stale', person };
  return plan.kind === 'already' ? { kind: 'already', person } : null;
}
