/** The first owner is who has the machine's one-time code, never who writes first. */
import { expect, it } from 'vitest';
import { MAX_TRIES, MAX_TRIES_IN_ALL, TRIES_WINDOW_MS } from '../../../host/people/tries.ts';
import { LINK_LIFE_MS } from '../../../host/store/logins.ts';
import type { UserId } from '../../../shared/ids.ts';
import { ANNA, ANNA_SLACK, BEN, MALLORY, OWNER, Town } from './town.ts';

function makeCode(town: Town, of: UserId = OWNER) {
  return town.logins.create('link', of, town.time).token;
}

const roles = (town: Town, id: UserId) => town.roles(id);

it.each([
  ['the code alone', (code: string) => code],
  ['the whole link', (code: string) => `http://127.0.0.1:4180/#token=${code}`],
  ['the link in a sentence', (code: string) => `it is <http://127.0.0.1:4180/#token=${code}>, thanks`],
])('typed as %s it makes who typed it the owner, once', (_, type) => {
  const town = new Town();
  const code = makeCode(town);
  const chat = town.chats.ensure({ channelType: 'telegram', platformId: '666', name: 'M', now: 0 });
  expect(town.say(MALLORY, 'claim', type(code), { chatId: chat.id })).toContain('you are the owner');
  expect(roles(town, MALLORY)).toEqual(['owner all']);
  expect(town.users.personOf(MALLORY)).toBe(town.users.personOf(OWNER));
  expect(town.recorded()).toEqual(['owner.claimed']);
  expect(town.users.listRoleHolders(null)[0]?.chats[0]?.messagingGroupId).toBe(chat.id);
  expect(town.say(BEN, 'claim', type(code))).toContain('unknown, used up or too old');
  expect(town.say(MALLORY, 'claim', makeCode(town))).toContain('already');
});

it('who writes first is nobody: without the code there is no way to be the owner', () => {
  const town = new Town();
  for (const words of ['', 'please', 'owner', `#token=`, 'a'.repeat(43), 'x'.repeat(60_000)]) {
    town.say(MALLORY, 'claim', words);
  }
  expect(roles(town, MALLORY)).toEqual([]);
  expect(town.users.get(MALLORY)).toBeNull();
});

it('a code expires, and one that signed somebody in to the page is used up', () => {
  const town = new Town();
  const code = makeCode(town);
  expect(town.logins.redeemLink(makeCode(town), town.time)).toBe(OWNER);
  town.time += LINK_LIFE_MS;
  expect(town.say(MALLORY, 'claim', code)).toContain('too old');
});

it('in a group it is refused, and the code that others saw is spent, wherever it stands', () => {
  const town = new Town();
  const code = makeCode(town);
  const answer = town.say(ANNA, 'claim', `here: http://127.0.0.1:4180/#token=${code} ok?`, { isPrivate: false });
  expect(answer).toContain('chat with me alone');
  expect(town.say(MALLORY, 'claim', code)).toContain('too old');
  expect(roles(town, ANNA)).toEqual([]);
  expect(town.recorded()).toEqual(['claim.refused', 'claim.refused']);
});

it('wrong tries are recorded and bounded; who tried too often waits, with a right code too', () => {
  const town = new Town();
  for (let n = 0; n < MAX_TRIES; n++) expect(town.say(MALLORY, 'claim', `wrong${n}`)).toContain('unknown');
  expect(town.recorded()).toEqual(Array(MAX_TRIES).fill('claim.refused'));
  const code = makeCode(town);
  expect(town.say(MALLORY, 'claim', code)).toContain('Too many wrong codes');
  town.time += TRIES_WINDOW_MS;
  expect(town.say(MALLORY, 'claim', code)).toContain('you are the owner');
});

it('a flood of strangers fills no ledger, and keeps no owner out', () => {
  const town = new Town();
  for (let n = 0; n < MAX_TRIES_IN_ALL * 3; n++) town.say(`telegram:9${n}` as UserId, 'claim', 'wrong');
  expect(town.recorded()).toHaveLength(MAX_TRIES_IN_ALL);
  expect(town.say(ANNA, 'claim', makeCode(town))).toContain('you are the owner');
});

it('another person’s sign-in link makes nobody owner', () => {
  const town = new Town();
  const code = makeCode(town, BEN);
  expect(town.say(MALLORY, 'claim', code)).toContain('not an owner');
  expect(town.users.personOf(MALLORY)).toBe(MALLORY);
  expect(town.logins.redeemLink(code, town.time)).toBe(BEN);
});

it('who is linked with others is asked to part first, and the code stays good', () => {
  const town = new Town();
  town.grant(BEN, { role: 'member', agentGroupId: town.main.id });
  town.link(BEN, 'slack:U2' as UserId);
  const code = makeCode(town);
  town.link(OWNER, ANNA_SLACK);
  expect(town.say(BEN, 'claim', code)).toContain('/unlink first');
  town.say(BEN, 'unlink');
  expect(town.say(BEN, 'claim', code)).toContain('you are the owner');
});

it('the code stands nowhere but in what was typed', () => {
  const town = new Town();
  const code = makeCode(town);
  town.say(MALLORY, 'claim', code, { isPrivate: false });
  const answers = [town.say(MALLORY, 'claim', code), town.say(ANNA, 'claim', makeCode(town))];
  const tables = ['ledger', 'logins', 'users', 'identity_codes'].map((name) =>
    town.db.prepare(`SELECT * FROM ${name}`).all(),
  );
  expect(JSON.stringify([answers, tables])).not.toContain(code);
});
