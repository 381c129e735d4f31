/** What people type in chats about people, and what they hear. */
import { expect, it } from 'vitest';
import type { UserId } from '../../../shared/ids.ts';
import { ANNA, BEN, CLEO, MALLORY, OWNER, Town } from './town.ts';

const member = (town: Town) => ({ role: 'member', agentGroupId: town.main.id }) as const;

it('says who you are, with what you may; a stranger hears the id by which they can be named', () => {
  const town = new Town();
  town.grant(ANNA, { role: 'admin', agentGroupId: town.cook.id });
  expect(town.commands.whoAmI(town.as(ANNA)).text).toBe('You are “Anna” (`telegram:1`): admin of Ship cook.');
  expect(town.commands.whoAmI(town.as(MALLORY)).text).toContain('`telegram:666`');
});

it.each([
  ['telegram:1 admin Ship cook', 'admin of Ship cook'],
  ['telegram:1 as admin of Ship cook', 'admin of Ship cook'],
  ['“telegram:1” admin all', 'admin of everything'],
  ['telegram:1 owner', 'owner'],
  ['telegram:1 member SHIP COOK', 'member of Ship cook'],
  ['<@1> member main', 'member of main'],
  ['<@1|anna> member main', 'member of main'],
])('`/grant %s` makes somebody %s', (typed, what) => {
  const town = new Town();
  expect(town.say(OWNER, 'grant', typed, { channelType: 'telegram' })).toBe(
    `Done: “Anna” (\`telegram:1\`) is ${what} now.`,
  );
  expect(town.say(OWNER, 'revoke', typed, { channelType: 'telegram' })).toBe(
    `Done: “Anna” (\`telegram:1\`) is not ${what} any more. What is left: no role.`,
  );
});

it('names are those of people with a role; with or without @, whatever the case', () => {
  const town = new Town();
  town.grant(ANNA, member(town));
  for (const name of ['anna', '@Anna', '"Anna"']) {
    expect(town.say(OWNER, 'grant', `${name} member Ship cook`)).toMatch(/^(Done|“Anna”)/);
  }
});

it('a stranger who calls themselves so is not meant by a name, and is shown by id', () => {
  const town = new Town();
  town.users.ensure(MALLORY, 'Dora', 0);
  const answer = town.say(OWNER, 'grant', 'Dora admin all');
  expect(answer).toContain('anybody may call themselves so');
  expect(answer).toContain('`telegram:666`');
  expect(town.roles(MALLORY)).toEqual([]);
});

it.each([
  ['owner', 'owner'],
  ['admin all', 'admin all'],
  ['admin ship COOK', 'admin Ship cook'],
  ['as admin of "main"', 'admin main'],
])(
  'a member who calls themselves like another becomes no decider by `/grant <name> %s`: they are named by id',
  (typed, exact) => {
    const town = new Town();
    town.users.ensure(MALLORY, 'Cleopatra', 0);
    town.grant(MALLORY, member(town));
    town.persons.join(MALLORY, BEN, 0);
    const answer = town.say(OWNER, 'grant', `Cleopatra ${typed}`);
    expect(answer).toContain('Nothing changed');
    for (const id of ['telegram:666', 'telegram:2']) expect(answer).toContain(`\`${id}\``);
    expect(answer).toContain('member of main');
    const command = `telegram:666 ${exact}`;
    expect(answer).toContain(`type \`/grant ${command}\`.`);
    expect(town.roles(MALLORY)).toEqual([]);
    expect(town.say(OWNER, 'grant', command)).toMatch(/^Done: /);
    expect(town.roles(MALLORY)).toHaveLength(1);
  },
);

it('who may not give a role hears so, and nothing of whom a name means', () => {
  const town = new Town();
  town.grant(ANNA, { role: 'admin', agentGroupId: town.main.id });
  town.grant(BEN, member(town));
  for (const typed of ['Ben owner', 'Ben admin main']) {
    const refused = town.commands.grant(town.as(ANNA), typed);
    expect(refused).toMatchObject({ isRefused: true, text: expect.stringContaining('is decided by owners') });
    expect(refused.text).not.toContain('telegram:2');
  }
});

it('two of a name are told apart by id; a crowd of namesakes hides nobody', () => {
  const town = new Town();
  town.grant(ANNA, member(town));
  for (let n = 0; n < 30; n++) town.users.ensure(`telegram:0${n}` as UserId, 'Anna', 0);
  expect(town.say(OWNER, 'grant', 'Anna member Ship cook')).toContain('Done: “Anna” (`telegram:1`)');
  town.users.ensure(MALLORY, 'anna', 0);
  town.grant(MALLORY, member(town));
  const answer = town.say(OWNER, 'grant', 'Anna admin all');
  expect(answer).toContain('are several');
  expect(answer).toContain('`telegram:1`');
  expect(answer).toContain('`telegram:666`');
});

it('says what is missing', () => {
  const town = new Town();
  expect(town.say(OWNER, 'grant', '')).toContain('/grant <person>');
  expect(town.say(OWNER, 'grant', 'telegram:1')).toContain('/grant <person>');
  expect(town.say(OWNER, 'grant', 'admin main')).toContain('/grant <person>');
  expect(town.say(OWNER, 'grant', 'telegram:1 admin')).toContain('admin all');
  expect(town.say(OWNER, 'grant', 'telegram:1 member')).toContain('Member of which agent?');
  expect(town.say(OWNER, 'grant', 'telegram:1 owner main')).toContain('name no agent');
  expect(town.say(OWNER, 'grant', 'telegram:1 admin nosuch')).toContain('no agent “nosuch”');
  expect(town.say(OWNER, 'grant', 'Nobody admin main')).toContain('nobody called “Nobody”');
  expect(town.say(OWNER, 'grant', `${'x'.repeat(60_000)} admin main`)).toContain('/grant <person>');
});

it('a member is one of the only agent that listens where it is said', () => {
  const town = new Town();
  const chat = town.chats.ensure({ channelType: 'web', platformId: 'a', name: 'a', now: 0 });
  const settings = { engageMode: 'always', engagePattern: null, senderScope: 'known' } as const;
  town.wirings.create(
    chat.id,
    town.cook.id,
    { ...settings, ignoredMessagePolicy: 'drop', sessionMode: 'shared', priority: 0 },
    0,
  );
  expect(town.say(OWNER, 'grant', 'telegram:1 member', { chatId: chat.id })).toContain('member of Ship cook');
});

it('names with the words of roles in them are read as what makes sense', () => {
  const town = new Town();
  town.users.ensure(MALLORY, 'Sys admin', 0);
  town.grant(MALLORY, member(town));
  expect(town.say(OWNER, 'grant', 'Sys admin member Ship cook')).toContain('(`telegram:666`) is member of Ship cook');
  expect(town.say(OWNER, 'grant', 'Sys admin admin main')).toContain('`/grant telegram:666 admin main`');
  expect(town.say(OWNER, 'grant', 'Sys admin owner')).toContain('`/grant telegram:666 owner`');
});

it('who may not hears who may, and nothing changes', () => {
  const town = new Town();
  town.grant(ANNA, member(town));
  for (const typed of ['me owner', 'me admin all', 'telegram:2 member main', 'web:owner owner']) {
    // To lay down what one does not have is no matter of rights.
    for (const command of typed.startsWith('me ') ? (['grant'] as const) : (['grant', 'revoke'] as const)) {
      const reply = town.commands[command](town.as(ANNA), typed);
      expect(reply, typed).toMatchObject({ isRefused: true, text: expect.stringContaining('owners') });
    }
  }
  expect(town.roles(OWNER)).toEqual(['owner all']);
  expect(town.users.isKnown(BEN, town.main.id)).toBe(false);
});

it('the people of an agent are listed for its admins alone', () => {
  const town = new Town();
  town.grant(ANNA, { role: 'admin', agentGroupId: town.main.id });
  town.grant(BEN, member(town));
  town.grant(CLEO, { role: 'member', agentGroupId: town.cook.id });
  expect(town.commands.listMembers(town.as(BEN), town.main).isRefused).toBe(true);
  expect(town.commands.listMembers(town.as(ANNA), town.cook).isRefused).toBe(true);
  const { text } = town.commands.listMembers(town.as(ANNA), null);
  expect(text).toContain('main:');
  expect(text).toContain('· “Ben” (`telegram:2`): member of main');
  expect(text).toContain('· “Owner” (`web:owner`): owner');
  expect(text).not.toContain('Cleo');
});

it('what people chose as their names and ids is shown as nothing but words', () => {
  const town = new Town();
  const odd = 'irc:`x`\u202e**me**' as UserId;
  const { text } = town.commands.whoAmI({
    ...town.as(odd),
    name: '”)\n**Done**: you are owner [x](http://evil.example)',
  });
  expect(text.split('\n')).toHaveLength(1);
  expect(text).not.toMatch(/[\u202e[\]]|\*\*Done|http:\/\//);
});
