import { expect, test } from 'vitest';
import { CHAT_NOT_NOW_MS, MAX_WAITING_CHATS } from '../../../host/routing/limits.ts';
import type { UserId } from '../../../shared/ids.ts';
import { OWNER, openGatehouse, STRANGER } from './gatehouse.ts';

test('a group that mentions the bot asks the owner once, and then answers mentions of people it knows', async () => {
  const house = await openGatehouse();
  const { spine } = house;
  const other = spine.addAgent('helper');
  const first = await house.receive('club', '@bot hi', { chatName: 'The Club', clientId: 'c1' });
  expect(first).toMatchObject({ kind: 'held', reason: 'unwired', tell: expect.stringContaining('owner') });
  expect(await house.receive('club', '@bot again', { chatName: 'The Club' })).toMatchObject({ tell: null });
  const card = await house.card();
  expect(card).toContain('The Club');
  expect(card).toMatch(/1\. main\n2\. helper\n3\. Not now\n4\. Never/);
  expect(house.pending()).toHaveLength(1);

  const approval = await house.decide('helper');
  expect(approval.outcome).toBe('helper answers there now when it is mentioned.');
  const chat = spine.chats.find('test', 'club');
  if (chat === null) throw new Error('no chat');
  expect(chat).toMatchObject({ name: 'The Club', isGroup: true, unknownSenderPolicy: 'request_approval' });
  expect(spine.wirings.listFor(chat.id)).toMatchObject([
    { agentGroupId: other.id, engageMode: 'mention', senderScope: 'known', ignoredMessagePolicy: 'drop' },
  ]);
  expect(spine.destinations.listFor(other.id)).toMatchObject([{ localName: 'the-club' }]);
  expect(spine.recharted).toContain(other.id);
  // The chat was let in, its people were not: now an admin is asked about the one who wrote.
  expect(spine.users.isKnown(STRANGER, other.id)).toBe(false);
  await house.decide('Let in');
  expect(await house.hears('club', 2, other)).toEqual(['@bot hi', '@bot again']);
});

test('who may: a group approved by its owner does not get a wiring that answers every message', async () => {
  const house = await openGatehouse();
  const { spine } = house;
  await house.receive('club', '@bot hi', { senderId: OWNER });
  await house.decide('main');
  expect(await house.hears('club', 1)).toEqual(['@bot hi']);
  const woken = spine.woken.length;
  const chatter = await house.receive('club', 'just talking', { senderId: OWNER, isMention: false });
  expect(chatter).toMatchObject({ kind: 'dropped', reason: 'not_addressed' });
  expect(spine.woken).toHaveLength(woken);
});

test('a private chat: approved, the person becomes a member and all they wrote arrives', async () => {
  const house = await openGatehouse();
  const { spine } = house;
  const more = { isPrivate: true, isMention: false };
  expect(await house.receive('sam', 'hello', more)).toMatchObject({ kind: 'held', reason: 'unwired' });
  await house.receive('sam', 'are you there?', more);
  expect(await house.card()).toContain('in a private chat');
  await house.decide('main');
  expect(await house.hears('sam', 2)).toEqual(['hello', 'are you there?']);
  await house.emptied();
  expect(spine.users.isKnown(STRANGER, house.agent.id)).toBe(true);
  expect(spine.chats.find('test', 'sam')).toMatchObject({ name: 'Sam', isGroup: false, unknownSenderPolicy: 'strict' });
  await house.receive('sam', 'thanks', more);
  expect(house.heard('sam')).toEqual(['hello', 'are you there?', 'thanks']);
  // Somebody else who shows up there is not let in with them.
  const intruder = await house.receive('sam', 'me too', { ...more, senderId: 'test:eve' as UserId });
  expect(intruder).toMatchObject({ kind: 'dropped', reason: 'unknown_sender' });
});

test('"Never" is remembered for good, "Not now" for a while', async () => {
  const house = await openGatehouse();
  const { spine } = house;
  const start = Date.now();
  spine.now = () => start;
  await house.receive('never', '@bot hi');
  await house.decide('Never');
  await house.receive('later', '@bot hi');
  await house.card(2);
  await house.decide('Not now');
  await house.emptied();
  for (const chat of ['never', 'later']) {
    expect(await house.receive(chat, '@bot?')).toEqual({ kind: 'dropped', reason: 'unwired', tell: null });
  }
  spine.now = () => start + CHAT_NOT_NOW_MS + 60_000;
  await house.receive('never', '@bot?');
  expect(house.pending()).toEqual([]);
  await house.receive('later', '@bot?');
  expect(house.pending()).toHaveLength(1);
});

test('chatter in a chat that nobody listens in is counted, and makes no chat', async () => {
  const house = await openGatehouse();
  const outcome = await house.receive('nowhere', 'talk', { isMention: false });
  expect(outcome).toEqual({ kind: 'dropped', reason: 'unwired', tell: null });
  expect(house.spine.chats.find('test', 'nowhere')).toBeNull();
  expect(house.dropped()).toEqual([{ senderId: STRANGER, reason: 'unwired', count: 1 }]);
});

test('strangers with many chats do not fill the owner’s: a few are asked about, the others counted', async () => {
  const house = await openGatehouse();
  const before = house.spine.chats.list(1_000).length;
  for (let at = 0; at < 200; at++) {
    await house.receive(`room${at}`, '@bot hi', { senderId: `test:s${at}` as UserId });
  }
  expect(house.pending()).toHaveLength(MAX_WAITING_CHATS);
  expect(house.spine.chats.list(1_000)).toHaveLength(before + MAX_WAITING_CHATS);
  expect(house.spine.held.total.count).toBe(MAX_WAITING_CHATS);
  const counted = house.dropped().reduce((sum, { count }) => sum + count, 0);
  expect(counted).toBe(200 - MAX_WAITING_CHATS);
});

test('a chat wired by hand while its owner is asked takes what waited', async () => {
  const house = await openGatehouse();
  await house.receive('club', '@bot hi', { senderId: OWNER });
  const chat = house.spine.chats.find('test', 'club');
  if (chat === null) throw new Error('no chat');
  house.addRoom('club');
  await house.receive('club', '@bot more', { senderId: OWNER });
  expect(house.heard('club')).toEqual(['@bot hi', '@bot more']);
});

test('agents whose names read like a no, or like each other, are offered apart from them', async () => {
  const house = await openGatehouse();
  for (const [at, name] of ['Never', 'not now', 'MAIN'].entries()) {
    house.spine.agents.create({ name, folder: `f${at}`, now: 1 });
  }
  await house.receive('club', '@bot hi');
  const options = house.pending()[0]?.options ?? [];
  const texts = options.map(({ text }) => text.toLowerCase());
  expect(new Set(texts).size).toBe(texts.length);
  expect(options.filter(({ approves }) => !approves).map(({ text }) => text)).toEqual(['Not now', 'Never']);
});
