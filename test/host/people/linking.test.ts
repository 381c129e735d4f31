/** One person on several channels: what a code gives, and what it does not give to who is after somebody's role. */
import { expect, it } from 'vitest';
import { MAX_TRIES, MAX_TRIES_IN_ALL, TRIES_WINDOW_MS } from '../../../host/people/tries.ts';
import { CODE_LIFE_MS } from '../../../host/store/identity-codes.ts';
import type { UserId } from '../../../shared/ids.ts';
import { ANNA, ANNA_SLACK, BEN, CLEO, MALLORY, OWNER, readCode, Town } from './town.ts';

const admin = { role: 'admin', agentGroupId: null } as const;

function townWithAnna() {
  const town = new Town();
  town.grant(ANNA, admin);
  return town;
}

it('two codes and a yes make one person, who may do what each may; both sides are named before', () => {
  const town = townWithAnna();
  const first = town.say(ANNA, 'link');
  expect(first).toContain('“Anna” (`telegram:1`): admin of everything');
  const second = town.say(ANNA_SLACK, 'link', readCode(first), { name: 'Anna K' });
  for (const text of [second, town.say(ANNA, 'link', readCode(second))]) {
    expect(text).toContain('“Anna” (`telegram:1`): admin of everything');
    expect(text).toContain('“Anna K” (`slack:U1`): no role');
    expect(text).toContain('nothing was joined');
  }
  expect(town.roles(ANNA_SLACK)).toEqual([]);
  expect(town.say(ANNA, 'link', `${readCode(second)} yes`)).toMatch(/^Done: /);
  expect(town.roles(ANNA_SLACK)).toEqual(['admin all']);
  expect(town.users.isKnown(ANNA_SLACK, town.main.id)).toBe(true);
  expect(town.users.personOf(ANNA)).toBe(town.users.personOf(ANNA_SLACK));
  expect(town.recorded().at(-1)).toBe('person.linked');
});

it('unlinking takes them apart: each keeps what was given to it', () => {
  const town = townWithAnna();
  town.link(ANNA, ANNA_SLACK);
  town.grant(ANNA_SLACK, { role: 'member', agentGroupId: town.cook.id });
  expect(town.users.isKnown(ANNA, town.cook.id)).toBe(true);
  expect(town.say(ANNA_SLACK, 'unlink')).toContain('on its own: member of Ship cook');
  expect(town.roles(ANNA_SLACK)).toEqual([]);
  expect(town.users.isKnown(ANNA_SLACK, town.main.id)).toBe(false);
  expect(town.users.membershipsOf(ANNA)).toEqual([]);
  expect(town.users.personOf(ANNA)).toBe(ANNA);
  expect(town.recorded().at(-1)).toBe('person.unlinked');
  expect(town.say(ANNA_SLACK, 'unlink')).toContain('not linked');
});

it('nobody but an owner makes two voices of one: both would decide what several people must', () => {
  const town = new Town();
  town.users.ensure(ANNA_SLACK, 'Anna K', town.time);
  town.grant(ANNA, { role: 'admin', agentGroupId: town.main.id });
  town.grant(ANNA_SLACK, admin);
  town.grant(ANNA_SLACK, { role: 'member', agentGroupId: town.cook.id });
  town.people.join({ by: { userId: OWNER, isMachine: false }, userId: ANNA, other: ANNA_SLACK });
  for (const identity of [ANNA, ANNA_SLACK]) {
    expect(town.say(identity, 'unlink')).toContain('an owner');
    expect(town.users.personOf(ANNA)).toBe(town.users.personOf(ANNA_SLACK));
  }
  // Without the roles of one side there is one voice, whoever parts them.
  expect(town.say(ANNA, 'revoke', 'me admin main')).toContain('Done');
  expect(town.say(ANNA, 'unlink')).toContain('on its own');
  town.grant(ANNA, admin);
  town.people.join({ by: { userId: OWNER, isMachine: false }, userId: ANNA, other: ANNA_SLACK });
  expect(town.people.part({ by: { userId: OWNER, isMachine: false }, userId: ANNA }).kind).toBe('changed');
});

it('one identity of three leaves by name; nobody parts what is not theirs', () => {
  const town = townWithAnna();
  town.link(ANNA, ANNA_SLACK);
  town.link(ANNA, 'discord:7' as UserId);
  expect(town.users.identitiesOf(ANNA_SLACK)).toHaveLength(3);
  expect(town.say(BEN, 'unlink', ANNA_SLACK)).toContain('no identity');
  expect(town.people.part({ by: { userId: BEN, isMachine: false }, userId: ANNA }).kind).toBe('refused');
  expect(town.say(ANNA, 'unlink', `\`${ANNA_SLACK}\``)).toMatch(/^Done: .*slack:U1/);
  expect(town.users.identitiesOf(ANNA)).toHaveLength(2);
});

it('who is talked into typing a code of somebody else gives nothing: it takes three texts, on two screens', () => {
  const town = new Town();
  town.grant(MALLORY, { role: 'member', agentGroupId: town.main.id });
  town.users.ensure(MALLORY, 'Owner', town.time);
  town.grant(MALLORY, { role: 'member', agentGroupId: town.main.id });
  const told = town.say(OWNER, 'link', readCode(town.say(MALLORY, 'link')));
  expect(told).toContain('If somebody asked you to type this, stop here');
  expect(town.roles(MALLORY)).toEqual([]);
  // The other way: Mallory saw the owner's first code, and has them type the second.
  const second = readCode(town.say(MALLORY, 'link', readCode(town.say(OWNER, 'link'))));
  const asked = town.say(OWNER, 'link', second);
  expect(asked).toContain('`telegram:666`');
  expect(town.roles(MALLORY)).toEqual([]);
  expect(town.users.personOf(MALLORY)).toBe(MALLORY);
});

it('the second code works for nobody but the identity that began, and ends when another types it', () => {
  const town = townWithAnna();
  const second = readCode(town.say(ANNA_SLACK, 'link', readCode(town.say(ANNA, 'link'))));
  expect(town.say(ANNA_SLACK, 'link', `${second} yes`)).toContain('type it there');
  expect(town.say(MALLORY, 'link', `${second} yes`)).toContain('unknown, used up or too old');
  expect(town.say(ANNA, 'link', `${second} yes`)).toContain('unknown, used up or too old');
  expect(town.users.personOf(ANNA)).toBe(ANNA);
  expect(town.recorded().at(-1)).toBe('link.refused');
});

it('a code works once, for ten minutes, and a newer one ends it', () => {
  const town = townWithAnna();
  const older = readCode(town.say(ANNA, 'link'));
  const code = readCode(town.say(ANNA, 'link'));
  expect(town.say(ANNA_SLACK, 'link', older)).toContain('too old');
  town.time += CODE_LIFE_MS;
  expect(town.say(ANNA_SLACK, 'link', code)).toContain('too old');
  const fresh = readCode(town.say(ANNA, 'link'));
  expect(town.say(BEN, 'link', fresh)).toContain('would become one person');
  expect(town.say(ANNA_SLACK, 'link', fresh)).toContain('too old');
});

it('codes are forgiven their case, spaces and signs that are read wrongly', () => {
  const town = townWithAnna();
  const code = readCode(town.say(ANNA, 'link'));
  const typed = ` ${code.toLowerCase().replace('-', ' ').replaceAll('0', 'o').replaceAll('1', 'l')} `;
  expect(town.say(ANNA_SLACK, 'link', typed)).toContain('would become one person');
});

it('in a group nothing begins, and a code that others saw is spent', () => {
  const town = townWithAnna();
  const group = { isPrivate: false };
  expect(town.say(ANNA, 'link', '', group)).not.toMatch(/[0-9A-Z]{5}-/);
  const code = readCode(town.say(ANNA, 'link'));
  expect(town.say(ANNA_SLACK, 'link', code, group)).toContain('worth nothing any more');
  expect(town.say(ANNA_SLACK, 'link', code)).toContain('too old');
});

it('strangers begin nothing, so that they make no rows', () => {
  const town = new Town();
  const rows = () =>
    town.db.prepare('SELECT (SELECT count(*) FROM users) + (SELECT count(*) FROM identity_codes)').pluck().get();
  const before = rows();
  expect(town.commands.link(town.as(MALLORY), '').isRefused).toBe(true);
  // Ben wrote in a public chat once: known by name, and no more than that.
  expect(town.commands.link(town.as(BEN), '').isRefused).toBe(true);
  town.say(MALLORY, 'link', 'AAAAA-AAAAA');
  town.commands.whoAmI(town.as(MALLORY));
  town.say(MALLORY, 'claim', 'x');
  expect(rows()).toBe(before);
});

it('tries are bounded: of one sender, and of strangers together; people whom the host knows go on', () => {
  const town = townWithAnna();
  const code = readCode(town.say(ANNA, 'link'));
  for (let n = 0; n < MAX_TRIES; n++) town.say(MALLORY, 'link', 'AAAAA-AAAAA');
  expect(town.say(MALLORY, 'link', code)).toContain('Too many wrong codes');
  for (let n = MAX_TRIES; n < MAX_TRIES_IN_ALL; n++) town.say(`telegram:9${n}` as UserId, 'link', 'AAAAA-AAAAA');
  const entries = town.recorded().length;
  expect(town.say('telegram:7' as UserId, 'link', code)).toContain('Too many wrong codes');
  expect(town.recorded()).toHaveLength(entries);
  town.grant(BEN, { role: 'member', agentGroupId: town.main.id });
  expect(town.say(BEN, 'link', code)).toContain('would become one person');
  town.time += TRIES_WINDOW_MS;
  expect(town.say(MALLORY, 'link', 'AAAAA-AAAAA')).toContain('too old');
});

it('what people were told of each other ends with a change of either', () => {
  const town = townWithAnna();
  const second = readCode(town.say(CLEO, 'link', readCode(town.say(ANNA, 'link'))));
  town.grant(CLEO, { role: 'owner', agentGroupId: null });
  expect(town.say(ANNA, 'link', `${second} yes`)).toContain('too old');
  expect(town.roles(ANNA)).toEqual(['admin all']);
});

it('two who are linked with others each are not joined: what hangs on them was proven by nobody', () => {
  const town = townWithAnna();
  town.grant(BEN, { role: 'member', agentGroupId: town.main.id });
  town.link(ANNA, ANNA_SLACK);
  town.link(BEN, 'slack:U2' as UserId);
  expect(town.say(BEN, 'link', readCode(town.say(ANNA, 'link')))).toContain('Type /unlink');
  expect(town.say(ANNA_SLACK, 'link', readCode(town.say(ANNA, 'link')))).toContain('one person already');
});

it('two owners may be one person, are told what that means, and the last one stays', () => {
  const town = new Town();
  town.grant(BEN, { role: 'owner', agentGroupId: null });
  expect(town.persons.countOwners()).toBe(2);
  const second = town.say(BEN, 'link', readCode(town.say(OWNER, 'link')));
  expect(second).toContain('Two owners become one');
  town.say(OWNER, 'link', `${readCode(second)} yes`);
  expect(town.persons.countOwners()).toBe(1);
  expect(town.revoke(BEN, { role: 'owner', agentGroupId: null })).toEqual({ kind: 'refused', reason: 'last_owner' });
});

it('no code is kept, nor written into the ledger', () => {
  const town = townWithAnna();
  const first = readCode(town.say(ANNA, 'link'));
  const second = readCode(town.say(ANNA_SLACK, 'link', first));
  town.say(MALLORY, 'link', second);
  const everything = JSON.stringify([
    town.db.prepare('SELECT * FROM ledger').all(),
    town.db.prepare('SELECT * FROM identity_codes').all(),
  ]);
  for (const code of [first, second]) {
    expect(everything).not.toContain(code);
    expect(everything).not.toContain(code.replace('-', ''));
  }
});
