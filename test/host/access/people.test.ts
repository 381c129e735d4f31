/** Who gives what to whom: a table, then every order of events that people could think of. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type Actor,
  type Grant,
  type Holder,
  holds,
  MAX_IDENTITIES,
  planGrant,
  planJoin,
  planRevoke,
} from '../../../host/access/people.ts';

const OWNER: Grant = { role: 'owner', agentGroupId: null };
const ADMIN: Grant = { role: 'admin', agentGroupId: null };
const ADMIN_A: Grant = { role: 'admin', agentGroupId: 'a' };
const ADMIN_B: Grant = { role: 'admin', agentGroupId: 'b' };
const MEMBER_A: Grant = { role: 'member', agentGroupId: 'a' };
const MEMBER_B: Grant = { role: 'member', agentGroupId: 'b' };
const ALL = [OWNER, ADMIN, ADMIN_A, ADMIN_B, MEMBER_A, MEMBER_B];

const nobody: Holder = { personId: 'nobody', grants: [] };

function actor(...grants: Grant[]): Actor {
  return { personId: 'actor', grants, isMachine: false };
}

test.each<[string, Actor, Grant[]]>([
  ['an owner', actor(OWNER), ALL],
  ['the machine', { ...actor(), isMachine: true }, ALL],
  ['a global admin', actor(ADMIN), [ADMIN_A, ADMIN_B, MEMBER_A, MEMBER_B]],
  ['an admin of A', actor(ADMIN_A), [MEMBER_A]],
  ['a member of A', actor(MEMBER_A), []],
  ['a stranger', actor(), []],
])('%s gives and takes just what is theirs to give', (_, who, gives) => {
  expect(ALL.filter((grant) => planGrant(who, nobody, grant).kind === 'change')).toEqual(gives);
  expect(
    ALL.filter((grant) => planRevoke(who, { personId: 'x', grants: [grant] }, grant, 1).kind === 'change'),
  ).toEqual(gives);
});

test('who may not change it does not learn whether somebody has it', () => {
  const has = planRevoke(actor(MEMBER_A), { personId: 'x', grants: [ADMIN] }, ADMIN, 1);
  expect(planRevoke(actor(MEMBER_A), { personId: 'x', grants: [] }, ADMIN, 1)).toEqual(has);
  expect(planGrant(actor(MEMBER_A), { personId: 'x', grants: [ADMIN] }, ADMIN)).toEqual(
    planGrant(actor(MEMBER_A), nobody, ADMIN),
  );
});

test('two are joined when one of them has one identity, up to a number that somebody can have', () => {
  const join = (one: number, other: number) =>
    planJoin({ personId: 'p', identities: one }, { personId: 'q', identities: other });
  expect(join(1, 1).kind).toBe('change');
  expect(join(3, 1).kind).toBe('change');
  expect(join(2, 2)).toEqual({ kind: 'refuse', reason: 'both_linked' });
  expect(join(1, MAX_IDENTITIES)).toEqual({ kind: 'refuse', reason: 'too_many_identities' });
  expect(planJoin({ personId: 'p', identities: 2 }, { personId: 'p', identities: 2 }).kind).toBe('already');
});

const PEOPLE = ['olga', 'anna', 'ben', 'cleo'] as const;
const events = fc.array(
  fc.record({
    does: fc.constantFrom('grant', 'revoke'),
    by: fc.constantFrom(...PEOPLE),
    to: fc.constantFrom(...PEOPLE),
    grant: fc.constantFrom(...ALL),
  }),
  { maxLength: 60 },
);

test('whatever people do to each other, somebody is owner, and nobody ends above what an owner once gave', () => {
  fc.assert(
    fc.property(events, (happened) => {
      const grants = new Map<string, Grant[]>(PEOPLE.map((who) => [who, who === 'olga' ? [OWNER] : []]));
      const holder = (who: string): Holder => ({ personId: who, grants: grants.get(who) ?? [] });
      for (const { does, by, to, grant } of happened) {
        const before = holder(by);
        const who = { ...before, isMachine: false };
        const others = PEOPLE.filter((one) => one !== to && holds(holder(one), OWNER)).length;
        const plan = does === 'grant' ? planGrant(who, holder(to), grant) : planRevoke(who, holder(to), grant, others);
        if (plan.kind !== 'change') continue;
        const rest = (grants.get(to) ?? []).filter((one) => one !== grant);
        grants.set(to, does === 'grant' ? [...rest, grant] : rest);
        // Who gave it was above it, in their own right, when they did; or it was theirs to lay down.
        const isAbove =
          holds(before, OWNER) ||
          (holds(before, ADMIN) && grant !== OWNER && grant !== ADMIN) ||
          (grant.role === 'member' && holds(before, { role: 'admin', agentGroupId: grant.agentGroupId }));
        expect(isAbove || (does === 'revoke' && by === to)).toBe(true);
        if (does === 'grant' && by === to) expect(holds(before, OWNER)).toBe(true);
        expect(PEOPLE.some((one) => holds(holder(one), OWNER))).toBe(true);
      }
    }),
    { numRuns: 500 },
  );
});
