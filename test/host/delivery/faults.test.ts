/** Faults of delivery that were seen in others, each put to the test once more. */
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import type { OutgoingMessage } from '../../../host/delivery/channel.ts';
import type { MessagingGroup } from '../../../host/store/chats.ts';
import { deriveMessageId, type MessageId } from '../../../shared/ids.ts';
import { Spine } from '../../support/spine.ts';
import { until } from '../../support/until.ts';

const reply = ({ channelType, platformId }: MessagingGroup, text: string) => ({
  ...{ destination: platformId, channelType, platformId, content: { text } },
});

test.each(['native', 'none'] as const)(
  'doubled: with class %s a receipt that cannot be written sends nothing again while that lasts, nor after it',
  { timeout: 30_000 },
  async (idempotency) => {
    const spine = new Spine();
    const channel = spine.addChannel('test', idempotency);
    const chat = spine.addChat(spine.addAgent(), 'test', 'room');
    const { session, paths } = await spine.say(chat, 'hello');
    const id = spine.container(paths).send(reply(chat, 'hi')) as never;
    const holder = new Database(paths.inboundDb);
    const send = channel.send.bind(channel);
    channel.send = (message: OutgoingMessage, signal: AbortSignal) => {
      if (channel.calls === 0) holder.exec('BEGIN EXCLUSIVE');
      return send(message, signal);
    };
    spine.delivery.ring(session.id);
    await until('the host noticed that it cannot write', () => spine.locksHeld.length > 0, 20_000);
    expect(channel.calls).toBe(1);
    holder.exec('COMMIT');
    holder.close();
    const end = idempotency === 'native' ? 'delivered' : 'unknown';
    await until('it ends', () => spine.transcript.get(id)?.state === end, 20_000);
    expect(channel.visible.map(({ text }) => text)).toEqual(['hi']);
  },
);

test('lost: a platform that is away does not fail a message, and its attempts are counted over a restart', async () => {
  const spine = new Spine();
  const channel = spine.addChannel('test');
  const chat = spine.addChat(spine.addAgent(), 'test', 'room');
  const { session, paths } = await spine.say(chat, 'hello');
  const id = spine.container(paths).send(reply(chat, 'hi'));
  channel.script.push({ kind: 'retry', reason: 'away', retryAfterMs: null });
  spine.delivery.ring(session.id);
  const row = () => spine.inboxes.read(session, (tables) => tables.getDelivery(id));
  await until('the first attempt is noted', () => row()?.reason === 'away');
  await spine.delivery[Symbol.asyncDispose]();
  spine.delivery = spine.makeDelivery();
  spine.delivery.ring(session.id);
  await until('it is delivered', () => row()?.state === 'delivered');
  expect(row()?.attempts).toBe(2);
  expect(channel.visible).toHaveLength(1);
});

test('closed while it reads, it begins no call of a channel: what it read is for the next host', async () => {
  const spine = new Spine();
  const channel = spine.addChannel('test', 'none');
  const chat = spine.addChat(spine.addAgent(), 'test', 'room');
  const { session, paths } = await spine.say(chat, 'hello');
  const id = spine.container(paths).send(reply(chat, 'hi'));
  spine.delivery.ring(session.id);
  await spine.delivery[Symbol.asyncDispose]();
  expect(spine.inboxes.read(session, (tables) => tables.getDelivery(id)?.state)).not.toBe('sending');
  expect(channel.calls).toBe(0);
  spine.delivery = spine.makeDelivery();
  spine.delivery.ring(session.id);
  await until('it is delivered', () => channel.visible.length === 1);
});

test('cost and growth: a channel call that hangs delays no other conversation of its session, and no other session', async () => {
  const spine = new Spine();
  const channel = spine.addChannel('test');
  const agent = spine.addAgent();
  const room = spine.addChat(agent, 'test', 'room');
  const hall = spine.addChat(agent, 'test', 'hall');
  const first = await spine.say(room, 'hello');
  const second = await spine.say(hall, 'hello');
  channel.script.push('hangs');
  const container = spine.container(first.paths);
  container.send(reply(room, 'a slow upload'));
  spine.delivery.ring(first.session.id);
  await until('it hangs', () => channel.calls === 1);
  container.send(reply(hall, 'elsewhere'));
  spine.container(second.paths).send(reply(hall, 'of another session'));
  for (const { session } of [first, second]) spine.delivery.ring(session.id);
  await until('the others went out', () => channel.visible.length === 2);
});

test('doubled: a session that is rung from all sides at once is drained by one', async () => {
  const spine = new Spine();
  const channel = spine.addChannel('test');
  const chat = spine.addChat(spine.addAgent(), 'test', 'room');
  const { session, paths } = await spine.say(chat, 'hello');
  const container = spine.container(paths);
  for (let at = 0; at < 20; at++) {
    container.send(reply(chat, `m${at}`));
    for (let ring = 0; ring < 5; ring++) spine.delivery.ring(session.id);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await until('all are sent', () => channel.visible.length >= 20);
  await until('it is quiet', () => spine.delivery.isQuiet(session.id));
  expect(channel.visible.map(({ text }) => text)).toEqual(Array.from({ length: 20 }, (_, at) => `m${at}`));
});

test('lost: what was put off and is refused when it is due is shown as refused, and nobody can answer it', async () => {
  const spine = new Spine();
  const channel = spine.addChannel('test');
  const agent = spine.addAgent();
  const chat = spine.addChat(agent, 'test', 'room');
  const { session, paths } = await spine.say(chat, 'hello');
  const container = spine.container(paths);
  let now = Date.now();
  spine.now = () => now;
  const later = { ...reply(chat, 'later'), deliverAfter: now + 500 };
  const question = { kind: 'question', content: { title: 'Colour', question: 'Which?', options: ['Blue'] } };
  const ids = [container.send(later), container.send({ ...later, ...question })] as MessageId[];
  spine.delivery.ring(session.id);
  await until('both wait', () => ids.every((id) => spine.transcript.get(id)?.state === 'queued'));
  for (const row of spine.destinations.listFor(agent.id)) spine.destinations.remove(row.id, row.revision);
  now += 500;
  await until('both are refused', () => ids.every((id) => spine.ledger.countByMessage(id, 'delivery.refused') === 1));
  await until('both are shown as that', () => ids.every((id) => spine.transcript.get(id)?.state === 'refused'));
  expect(spine.questionRows.listOpenIn(chat.id, null, 9)).toEqual([]);
  expect(channel.visible).toEqual([]);
});

test('cost and growth: questions that were put off and come due together are cut at the bound', async () => {
  const spine = new Spine();
  const channel = spine.addChannel('test');
  const chat = spine.addChat(spine.addAgent(), 'test', 'room');
  const { session, paths } = await spine.say(chat, 'hello');
  const container = spine.container(paths);
  const content = { title: 'Colour', question: 'Which?', options: ['Blue'] };
  let now = Date.now();
  spine.now = () => now;
  const deliverAfter = now + 500;
  const ids: MessageId[] = [];
  for (let round = 0; round < 2; round++) {
    const more = Array.from({ length: 15 }, () =>
      container.send({ ...reply(chat, ''), kind: 'question', content, deliverAfter }),
    ) as MessageId[];
    ids.push(...more);
    spine.delivery.ring(session.id);
    await until('they wait', () => more.every((id) => spine.transcript.get(id)?.state === 'queued'));
  }
  now += 500;
  const states = () => ids.map((id) => spine.inboxes.read(session, (tables) => tables.getDelivery(id)?.state));
  await until('all are settled', () => states().every((state) => state === 'delivered' || state === 'refused'));
  expect(channel.visible).toHaveLength(20);
});

test('broken by its own container: a row under the id of a notice of the host is not sent in its place', async () => {
  const spine = new Spine();
  const channel = spine.addChannel('test', 'none');
  const chat = spine.addChat(spine.addAgent(), 'test', 'room');
  const { session, messageId, paths } = await spine.say(chat, 'hello');
  const about = spine.inboxes.read(session, (tables) => tables.listOpen(1))[0];
  if (about === undefined) throw new Error('no row');
  spine.notices.tell(session, about, 'long-turn', 'Still working on it.');
  const id = deriveMessageId(session.id, 'notice', 'long-turn', messageId);
  await until('the notice is sent', () => spine.transcript.get(id)?.state === 'delivered');
  const container = spine.container(paths);
  container.send({ ...reply(chat, 'what nobody sees on the page'), id });
  const good = container.send(reply(chat, 'good')) as MessageId;
  spine.delivery.ring(session.id);
  await until('the good one is sent', () => spine.transcript.get(good)?.state === 'delivered');
  expect(channel.visible.map((sent) => sent.text)).toEqual(['Still working on it.', 'good']);
});

test('lost: a session that could not be read is not quiet, for whoever closes quiet ones would leave its rows unread', async () => {
  const spine = new Spine();
  const channel = spine.addChannel('test');
  const chat = spine.addChat(spine.addAgent(), 'test', 'room');
  const { session, paths } = await spine.say(chat, 'hello');
  const container = spine.container(paths);
  container.send(reply(chat, 'one'));
  spine.delivery.ring(session.id);
  await until('it is quiet', () => channel.visible.length === 1 && spine.delivery.isQuiet(session.id));
  container.send(reply(chat, 'two'));
  const holder = new Database(paths.outboundDb);
  holder.exec('BEGIN EXCLUSIVE');
  spine.delivery.ring(session.id);
  // Time for several reads, each of which meets the lock.
  for (const end = performance.now() + 500; performance.now() < end; ) {
    expect(spine.delivery.isQuiet(session.id)).toBe(false);
    await new Promise((resolve) => setImmediate(resolve));
  }
  holder.exec('COMMIT');
  holder.close();
  await until('it is read, and quiet', () => channel.visible.length === 2 && spine.delivery.isQuiet(session.id));
});
