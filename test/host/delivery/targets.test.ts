import { expect, test } from 'vitest';
import type { MessagingGroup } from '../../../host/store/chats.ts';
import { Spine } from '../../support/spine.ts';
import { until } from '../../support/until.ts';

const to = (chat: MessagingGroup, more: Record<string, unknown> = {}) => ({
  destination: chat.platformId,
  channelType: chat.channelType,
  platformId: chat.platformId,
  ...more,
});

/** What the agent was told by the host, oldest first. */
function told(spine: Spine, sessionId: string): string[] {
  const rows = spine.inboxes.read(spine.session(sessionId), (tables) => tables.listOpen(50));
  return rows.filter((row) => row.kind === 'system').map((row) => JSON.parse(row.content).text);
}

test('a reaction to a received message reaches it by its platform’s id, and is shown', async () => {
  const spine = new Spine();
  const channel = spine.addChannel('test');
  const agent = spine.addAgent();
  const chat = spine.addChat(agent, 'test', 'room');
  const { session, messageId, paths } = await spine.say(chat, 'hello', { platformMessageId: 'their-7' });
  const row = to(chat, { kind: 'reaction', content: { messageId, emoji: '👍' } });
  const container = spine.container(paths);
  container.send(row);
  container.send(row);
  spine.delivery.ring(session.id);
  await until('both went out', () => channel.reactions.length === 2);
  expect(channel.reactions[0]).toEqual({ platformMessageId: 'their-7', emoji: '👍' });
  await until('it is shown once', () => spine.transcript.get(messageId)?.reactions.length === 1);
  expect(spine.transcript.get(messageId)?.reactions).toEqual([{ emoji: '👍', by: agent.id }]);
});

test('an edit right behind its message waits for it to be sent, and no longer', async () => {
  const spine = new Spine();
  const channel = spine.addChannel('test');
  const chat = spine.addChat(spine.addAgent(), 'test', 'room');
  const { session, paths } = await spine.say(chat, 'hello');
  const container = spine.container(paths);
  const id = container.send(to(chat, { content: { text: '10 %' } }));
  const edit = container.send(to(chat, { kind: 'edit', content: { messageId: id, text: '20 %' } }));
  spine.delivery.ring(session.id);
  await until('it is edited', () => channel.edits.length === 1);
  await until('it is quiet', () => spine.delivery.isQuiet(session.id));
  const attempts = spine.inboxes.read(session, (tables) => tables.getDelivery(edit)?.attempts);
  expect(attempts).toBe(1);
});

test('wrong place: a message of another chat, thread, session or agent is neither edited nor reacted to', async () => {
  const spine = new Spine();
  const channel = spine.addChannel('test');
  const agent = spine.addAgent();
  const room = spine.addChat(agent, 'test', 'room', { sessionMode: 'agent-shared' });
  const hall = spine.addChat(agent, 'test', 'hall', { sessionMode: 'agent-shared' });
  const own = spine.addChat(agent, 'test', 'own');
  const rival = spine.addAgent('rival');
  const lair = spine.addChat(rival, 'test', 'lair');
  const here = await spine.say(room, 'here', { platformMessageId: 'p-room', threadId: 't1' });
  await spine.say(room, 'elsewhere', { platformMessageId: 'p-room-2', threadId: 't2' });
  const inHall = await spine.say(hall, 'in the hall', { platformMessageId: 'p-hall' });
  const inOwn = await spine.say(own, 'another session', { platformMessageId: 'p-own' });
  const inLair = await spine.say(lair, 'of another agent', { platformMessageId: 'p-lair' });
  expect(inHall.session.id).toBe(here.session.id);
  const container = spine.container(here.paths);
  const sentToHall = container.send(to(hall, { content: { text: 'for the hall' } }));
  spine.delivery.ring(here.session.id);
  await until('it is sent', () => spine.transcript.get(sentToHall as never)?.state === 'delivered');
  const wrong = [
    to(room, { kind: 'reaction', content: { messageId: inHall.messageId, emoji: '1' } }),
    to(room, { kind: 'reaction', content: { messageId: here.messageId, emoji: '2' } }),
    to(room, { kind: 'reaction', threadId: 't2', content: { messageId: here.messageId, emoji: '3' } }),
    to(own, { kind: 'reaction', content: { messageId: inOwn.messageId, emoji: '4' } }),
    to(room, { kind: 'reaction', content: { messageId: inLair.messageId, emoji: '5' } }),
    to(room, { kind: 'reaction', content: { messageId: 'msg_00000000000000000000', emoji: '6' } }),
    to(room, { kind: 'edit', content: { messageId: sentToHall, text: 'moved' } }),
    to(hall, { kind: 'edit', content: { messageId: inHall.messageId, text: 'words in their mouth' } }),
  ].map((row) => container.send(row));
  const right = container.send(
    to(room, { kind: 'reaction', threadId: 't1', content: { messageId: here.messageId, emoji: '👍' } }),
  );
  spine.delivery.ring(here.session.id);
  const state = (id: string) => spine.inboxes.read(here.session, (tables) => tables.getDelivery(id)?.state);
  await until('all have ended', () =>
    [...wrong, right].every((id) => !['queued', 'sending'].includes(state(id) ?? 'queued')),
  );
  expect(wrong.map(state)).toEqual(wrong.map(() => 'refused'));
  expect(channel.reactions).toEqual([{ platformMessageId: 'p-room', emoji: '👍' }]);
  expect(channel.edits).toEqual([]);
  await until('each refusal is in the ledger once', () =>
    wrong.every((id) => spine.ledger.countByMessage(id, 'delivery.refused') === 1),
  );
});

test('an edit of a message whose destination was revoked since is refused, under any name', async () => {
  const spine = new Spine();
  const channel = spine.addChannel('test');
  const agent = spine.addAgent();
  const room = spine.addChat(agent, 'test', 'room');
  const hall = spine.addChat(agent, 'test', 'hall');
  const { session, paths } = await spine.say(room, 'hello');
  const container = spine.container(paths);
  const sent = container.send(to(hall, { content: { text: 'for the hall' } }));
  spine.delivery.ring(session.id);
  await until('it is sent', () => spine.transcript.get(sent as never)?.state === 'delivered');
  const destination = spine.destinations.find(agent.id, 'hall');
  spine.destinations.remove(destination?.id ?? '', destination?.revision ?? 0);
  const edits = [to(hall), to(hall, { destination: 'room' }), to(room)].map((route) =>
    container.send({ ...route, kind: 'edit', content: { messageId: sent, text: 'changed' } }),
  );
  spine.delivery.ring(session.id);
  await until('all are refused', () => edits.every((id) => spine.ledger.countByMessage(id, 'delivery.refused') === 1));
  expect(channel.edits).toEqual([]);
  expect(spine.transcript.get(sent as never)?.text).toBe('for the hall');
});

test('a channel that cannot edit or react tells the agent what to do instead', async () => {
  const spine = new Spine();
  const channel = spine.addChannel('test');
  channel.abilities = { ...channel.abilities, canEdit: false, canReact: false };
  const chat = spine.addChat(spine.addAgent(), 'test', 'room');
  const { session, messageId, paths } = await spine.say(chat, 'hello', { platformMessageId: 'p-1' });
  const container = spine.container(paths);
  const sent = container.send(to(chat, { content: { text: 'hi' } }));
  container.send(to(chat, { kind: 'edit', content: { messageId: sent, text: 'hello' } }));
  container.send(to(chat, { kind: 'reaction', content: { messageId, emoji: '👍' } }));
  spine.delivery.ring(session.id);
  await until('the agent heard both', () => told(spine, session.id).length === 2);
  expect(told(spine, session.id).sort()).toEqual([
    'Your edit of a message in "room" could not be delivered: messages on test cannot be edited: send a new message instead.',
    'Your reaction 👍 in "room" could not be delivered: messages on test cannot be reacted to: say it in a message instead.',
  ]);
  expect([channel.edits, channel.reactions]).toEqual([[], []]);
});

test('cost and growth: a flood of reactions to one message is cut at the bound', async () => {
  const spine = new Spine();
  const channel = spine.addChannel('test');
  const chat = spine.addChat(spine.addAgent(), 'test', 'room');
  const { session, messageId, paths } = await spine.say(chat, 'hello', { platformMessageId: 'their-7' });
  const container = spine.container(paths);
  const ids = Array.from({ length: 30 }, (_one, at) =>
    container.send(to(chat, { kind: 'reaction', content: { messageId, emoji: `r${at}` } })),
  );
  // One that stands there already takes no more room.
  ids.push(container.send(to(chat, { kind: 'reaction', content: { messageId, emoji: 'r3' } })));
  spine.delivery.ring(session.id);
  const states = () => ids.map((id) => spine.inboxes.read(session, (tables) => tables.getDelivery(id)?.state));
  await until('all are settled', () => states().every((state) => state === 'delivered' || state === 'failed'));
  expect(channel.reactions).toHaveLength(21);
  expect(states().at(-1)).toBe('delivered');
  expect(spine.transcript.get(messageId)?.reactions).toHaveLength(20);
});
