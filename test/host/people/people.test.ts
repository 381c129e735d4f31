/** Who may do what, and who may change that. */
import { expect, it } from 'vitest';
import { mayDecide } from '../../../host/access/answer.ts';
import type { UserId } from '../../../shared/ids.ts';
import { ANNA, ANNA_SLACK, BEN, CLEO, MALLORY, OWNER, Town } from './town.ts';

const owner = { role: 'owner', agentGroupId: null } as const;
const admin = { role: 'admin', agentGroupId: null } as const;

it('an owner gives every role, a global admin those of one agent, an admin of one its members, a member nothing', () => {
  const town = new Town();
  const { main, cook } = town;
  const adminOf = (id: typeof main.id) => ({ role: 'admin', agentGroupId: id }) as const;
  const memberOf = (id: typeof main.id) => ({ role: 'member', agentGroupId: id }) as const;
  town.grant(ANNA, admin);
  town.grant(BEN, adminOf(main.id));
  const tries = [
    [ANNA, owner, 'refused'],
    [ANNA, admin, 'refused'],
    [ANNA, adminOf(cook.id), 'changed'],
    [ANNA, memberOf(cook.id), 'changed'],
    [BEN, adminOf(main.id), 'refused'],
    [BEN, memberOf(cook.id), 'refused'],
    [BEN, memberOf(main.id), 'changed'],
    [MALLORY, memberOf(main.id), 'refused'],
    [CLEO, admin, 'refused'],
  ] as const;
  for (const [by, grant, kind] of tries) {
    const who = `telegram:${tries.findIndex((one) => one[1] === grant && one[0] === by)}0` as UserId;
    town.users.ensure(who, 'Somebody', 0);
    expect(town.grant(who, grant, by).kind, `${by} ${JSON.stringify(grant)}`).toBe(kind);
    expect(town.revoke(who, grant, by).kind, `${by} ${JSON.stringify(grant)}`).toBe(kind);
  }
});

it('nobody raises themselves, not by an identity that is linked either', () => {
  const town = new Town();
  town.grant(ANNA, admin);
  town.link(ANNA, ANNA_SLACK);
  const own = { role: 'admin', agentGroupId: town.main.id } as const;
  for (const who of [ANNA, ANNA_SLACK]) {
    expect(town.grant(who, own, ANNA)).toEqual({ kind: 'refused', reason: 'yourself' });
    expect(town.grant(who, owner, ANNA)).toEqual({ kind: 'refused', reason: 'not_yours_to_give' });
  }
});

it('what is revoked is gone with the next click, on every identity of the person', () => {
  const town = new Town();
  town.grant(ANNA, admin);
  town.link(ANNA, ANNA_SLACK);
  town.grant(ANNA_SLACK, { role: 'admin', agentGroupId: town.main.id });
  expect(mayDecide(town.users.rolesOf(ANNA_SLACK), null)).toBe(true);
  town.revoke(ANNA_SLACK, admin);
  for (const id of [ANNA, ANNA_SLACK]) {
    expect(mayDecide(town.users.rolesOf(id), null)).toBe(false);
    expect(mayDecide(town.users.rolesOf(id), town.main.id)).toBe(true);
  }
  town.revoke(ANNA, { role: 'admin', agentGroupId: town.main.id });
  expect(town.users.isKnown(ANNA_SLACK, town.main.id)).toBe(false);
  // Who lost it a moment ago gives nothing any more.
  expect(town.grant(BEN, { role: 'member', agentGroupId: town.main.id }, ANNA).kind).toBe('refused');
});

it('a role given twice is given once, also through a linked identity', () => {
  const town = new Town();
  town.grant(ANNA, admin);
  town.link(ANNA, ANNA_SLACK);
  expect(town.grant(ANNA_SLACK, admin).kind).toBe('already');
  expect(town.revoke(BEN, admin).kind).toBe('already');
});

it('the last owner stays: neither revoked by themselves nor at the machine', () => {
  const town = new Town();
  for (const isMachine of [false, true]) {
    const outcome = town.people.revoke({ by: { userId: OWNER, isMachine }, userId: OWNER, grant: owner });
    expect(outcome).toEqual({ kind: 'refused', reason: 'last_owner' });
  }
  town.grant(BEN, owner);
  expect(town.revoke(OWNER, owner, BEN).kind).toBe('changed');
  expect(town.revoke(BEN, owner, BEN)).toEqual({ kind: 'refused', reason: 'last_owner' });
});

it('everybody may lay down what is theirs', () => {
  const town = new Town();
  town.grant(ANNA, { role: 'admin', agentGroupId: town.main.id });
  expect(town.revoke(ANNA, { role: 'admin', agentGroupId: town.main.id }, ANNA).kind).toBe('changed');
});

it('a change based on what was otherwise meanwhile is not made', () => {
  const town = new Town();
  const revision = town.people.get(ANNA)?.revision ?? 0;
  town.link(OWNER, ANNA);
  const by = { userId: OWNER, isMachine: false };
  expect(town.people.grant({ by, userId: ANNA, grant: admin, revision }).kind).toBe('stale');
  expect(town.people.part({ by, userId: ANNA, revision }).kind).toBe('stale');
  const now = town.people.get(ANNA)?.revision ?? 0;
  expect(town.people.grant({ by, userId: ANNA, grant: admin, revision: now }).kind).toBe('changed');
});

it('every way to another role or membership is another revision, alike on all identities', () => {
  const town = new Town();
  town.link(OWNER, ANNA);
  const revision = (id: UserId) => town.people.get(id)?.revision ?? 0;
  const cause = { by: 'web:owner', at: town.time, because: {} } as const;
  const ways = [
    () => town.users.admit(town.main.id, { id: ANNA, displayName: 'Anna' }, cause),
    () => void town.users.removeMember(town.main.id, ANNA),
    () => town.users.grant(ANNA, 'admin', null, null, 1),
    () => void town.users.revoke(ANNA, 'admin', null),
    () => void town.people.part({ by: { userId: OWNER, isMachine: false }, userId: ANNA }),
  ];
  for (const [at, change] of ways.entries()) {
    const before = revision(OWNER);
    change();
    expect(revision(OWNER), String(at)).toBeGreaterThan(before);
    expect(revision(ANNA), String(at)).toBe(revision(OWNER));
    const after = revision(OWNER);
    change();
    expect(revision(OWNER), String(at)).toBe(after);
  }
});

it('each change and its record are one commit', () => {
  const town = new Town();
  const member = { role: 'member', agentGroupId: town.main.id } as const;
  town.grant(ANNA, admin);
  town.grant(BEN, member);
  town.revoke(BEN, member);
  town.revoke(ANNA, admin);
  expect(town.recorded()).toEqual(['role.granted', 'member.added', 'member.removed', 'role.revoked']);
  town.db.exec(`CREATE TRIGGER full BEFORE INSERT ON ledger BEGIN SELECT raise(ABORT, 'no room'); END`);
  expect(() => town.grant(ANNA, admin)).toThrow('no room');
  expect(() => town.grant(BEN, member)).toThrow('no room');
  expect(town.roles(ANNA)).toEqual([]);
  expect(town.users.isKnown(BEN, town.main.id)).toBe(false);
});

it('an entry says who, whom, what and by which door, and names the person', () => {
  const town = new Town();
  town.people.grant({ by: { userId: OWNER, isMachine: true }, userId: ANNA, grant: admin });
  const row = town.db.prepare<[], { message_id: string; actor: string; detail: string }>('SELECT * FROM ledger').get();
  expect(row).toMatchObject({ message_id: ANNA, actor: OWNER });
  expect(JSON.parse(row?.detail ?? '')).toMatchObject({ role: 'admin', agent: null, person: ANNA, door: 'machine' });
});

it('somebody new is made by name alone when that was said, and by id never', () => {
  const town = new Town();
  const by = { userId: OWNER, isMachine: true };
  const fresh = 'telegram:77' as UserId;
  expect(town.people.grant({ by, userId: fresh, grant: admin }).kind).toBe('unknown');
  expect(town.people.grant({ by, userId: fresh, grant: admin, newName: 'Dora' }).kind).toBe('changed');
  expect(town.users.get(fresh)?.displayName).toBe('Dora');
  const refused = { by: { userId: MALLORY, isMachine: false }, userId: 'telegram:78' as UserId, grant: admin };
  expect(town.people.grant({ ...refused, newName: 'X' }).kind).toBe('refused');
  expect(town.users.get('telegram:78' as UserId)).toBeNull();
});

it('who is asked about an agent is each person once, on all channels of theirs, in their own chats alone', () => {
  const town = new Town();
  town.grant(ANNA, admin);
  town.link(ANNA, ANNA_SLACK);
  town.users.grant(ANNA_SLACK, 'admin', null, null, town.time + 5);
  const dms = [ANNA, ANNA_SLACK].map((id) => {
    const [channelType = ''] = id.split(':');
    const chat = town.chats.ensure({ channelType, platformId: id, name: id, now: 0 });
    town.users.notePrivateChat(id, channelType, chat.id);
    return chat.id;
  });
  const holders = town.users.listRoleHolders(town.main.id).filter(({ role }) => role === 'admin');
  expect(holders).toHaveLength(1);
  expect(holders[0]?.chats.map(({ messagingGroupId }) => messagingGroupId).toSorted()).toEqual(dms.toSorted());
});

it('a look-up of rights costs the same however many members there are, also over linked identities', () => {
  const town = new Town();
  town.commit(() => {
    for (let n = 0; n < 20_000; n++) {
      const id = `irc:${n}` as UserId;
      town.users.ensure(id, `n${n}`, 0);
      town.users.addMember(town.main.id, id, 0);
    }
  });
  town.grant(ANNA, { role: 'member', agentGroupId: town.main.id });
  town.link(ANNA, ANNA_SLACK);
  const startedAt = performance.now();
  for (let n = 0; n < 2_000; n++) {
    expect(town.users.isKnown(n % 2 === 0 ? ANNA_SLACK : MALLORY, town.main.id)).toBe(n % 2 === 0);
    town.users.rolesOf(ANNA_SLACK);
  }
  // About 30 ms; a walk over all members takes 4 ms each.
  expect(performance.now() - startedAt).toBeLessThan(2_000);
});
