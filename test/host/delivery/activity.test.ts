import { afterEach, expect, test, vi } from 'vitest';
import { LONG_TURN_MS } from '../../../host/delivery/long-turn.ts';
import type { AckEffect } from '../../../host/sessions/acks.ts';
import type { OpenInbound } from '../../../host/sessions/inbox-tables.ts';
import type { MessagingGroup } from '../../../host/store/chats.ts';
import type { Session } from '../../../host/store/sessions.ts';
import type { MessageId } from '../../../shared/ids.ts';
import { Spine } from '../../support/spine.ts';
import { until } from '../../support/until.ts';

afterEach(() => {
  vi.useRealTimers();
});

const read = (id: MessageId, claimed: number): AckEffect => ({ kind: 'read', id, stamps: { claimed } });
const done = (id: MessageId): AckEffect => ({ kind: 'done', id, stamps: {}, quiet: false });

/** The open rows of a session, as a drain hands them over. */
function openRows(spine: Spine, session: Session): Map<string, OpenInbound> {
  return new Map(spine.inboxes.read(session, (tables) => tables.listOpen(50)).map((row) => [row.id, row]));
}

/** A spine whose clock and timers the test drives, from here on. */
async function atWork(more: { idempotency?: 'native' | 'none' } = {}) {
  const spine = new Spine();
  const channel = spine.addChannel('test', more.idempotency);
  const agent = spine.addAgent();
  const chat = spine.addChat(agent, 'test', 'room');
  const said = await spine.say(chat, 'hello', { receivedAt: Date.now() });
  spine.transcript.flush();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] });
  spine.now = Date.now;
  const follow = (...effects: AckEffect[]) =>
    spine.activity.follow(said.session, openRows(spine, said.session), effects);
  return { spine, channel, agent, chat, follow, ...said };
}

/** Puts a message of the agent's into the transcript, as a delivery does. */
function say(spine: Spine, session: Session, chat: MessagingGroup, text: string): void {
  const id = `msg_${text}` as MessageId;
  spine.transcript.put({
    ...{ id, sessionId: session.id, messagingGroupId: chat.id, threadId: null, direction: 'out', kind: 'chat' },
    ...{ authorId: session.agentGroupId, authorName: '', destination: 'room', text, attachments: [] },
    ...{ inReplyTo: null, state: 'delivered', stateReason: null, clientId: null, traceId: 'trc_1' as never },
    ...{ stamps: {}, createdAt: Date.now() },
  });
}

test('a typing sign is on while any message of a place is claimed, and off once', async () => {
  const { spine, channel, chat, session, messageId } = await atWork();
  const second = await spine.say(chat, 'and this');
  vi.advanceTimersByTime(10);
  const follow = (...effects: AckEffect[]) => spine.activity.follow(session, openRows(spine, session), effects);
  const open = openRows(spine, session);
  follow(read(messageId, Date.now()));
  follow(read(messageId, Date.now()), read(second.messageId, Date.now()));
  spine.activity.follow(session, open, [done(messageId)]);
  expect(channel.typing.map(({ typing }) => typing)).toEqual([true]);
  spine.activity.follow(session, open, [done(second.messageId)]);
  expect(channel.typing).toEqual([
    { address: { platformId: 'room', threadId: null }, typing: true },
    { address: { platformId: 'room', threadId: null }, typing: false },
  ]);
  expect([spine.activity.size, vi.getTimerCount()]).toEqual([0, 0]);
});

test('a sign that the platform takes away is said again in time, and not after the end', async () => {
  const { channel, follow, messageId } = await atWork();
  channel.abilities = { ...channel.abilities, typing: { lifetimeMs: 5_000 } };
  follow(read(messageId, Date.now()));
  vi.advanceTimersByTime(12_500);
  expect(channel.typing.map(({ typing }) => typing)).toEqual([true, true, true, true]);
  follow(done(messageId));
  vi.advanceTimersByTime(60_000);
  expect(channel.typing.map(({ typing }) => typing)).toEqual([true, true, true, true, false]);
});

test('a container that dies takes the sign with it, and its old marks bring none back', async () => {
  const { spine, channel, follow, session, messageId } = await atWork();
  follow(read(messageId, Date.now()));
  spine.stopped.add(session.id);
  spine.activity.stopped(session.id);
  follow(read(messageId, Date.now()));
  expect(channel.typing.map(({ typing }) => typing)).toEqual([true, false]);
  expect([spine.activity.size, vi.getTimerCount()]).toEqual([0, 0]);
});

test('one agent’s end leaves the sign of another in the same place', async () => {
  const { spine, channel, chat, follow, messageId } = await atWork();
  const rival = spine.addAgent('rival');
  spine.wirings.create(chat.id, rival.id, { ...spine.wirings.listFor(chat.id)[0] } as never, 1);
  const outcome = await spine.router.receive(spine.event(chat, 'to both', {}));
  if (outcome.kind !== 'routed') throw new Error('not routed');
  const theirs = outcome.messages.map((one) => ({ ...one, session: spine.session(one.sessionId) }));
  const other = theirs.find((one) => one.session.agentGroupId === rival.id);
  if (other === undefined) throw new Error('the rival did not hear it');
  const open = openRows(spine, other.session);
  follow(read(messageId, Date.now()));
  spine.activity.follow(other.session, open, [read(other.messageId, Date.now())]);
  follow(done(messageId));
  expect(channel.typing.at(-1)?.typing).toBe(true);
  spine.activity.follow(other.session, open, [done(other.messageId)]);
  expect(channel.typing.at(-1)?.typing).toBe(false);
});

test('a channel whose sign fails harms nobody', async () => {
  const { channel, follow, messageId } = await atWork();
  channel.setTyping = () => {
    throw new Error('the socket is gone');
  };
  expect(() => follow(read(messageId, Date.now()), done(messageId))).not.toThrow();
});

test('a long turn is told once in its chat, and the notice says in the end how long it took', async () => {
  const { spine, channel, follow, session, messageId } = await atWork();
  const open = openRows(spine, session);
  follow(read(messageId, Date.now()));
  vi.advanceTimersByTime(LONG_TURN_MS - 1);
  expect(channel.calls).toBe(0);
  vi.advanceTimersByTime(60_001);
  vi.useRealTimers();
  await until('it is told', () => channel.visible.length === 1);
  expect(channel.visible[0]?.text).toMatch(/^Still working on it since \d\d:\d\d\. The answer comes here/);
  await until('it is settled', () => spine.transcript.listReplies(messageId)[0]?.state === 'delivered');
  const later = Date.now() + 123_000;
  spine.now = () => later;
  spine.activity.follow(session, open, [done(messageId)]);
  await until('the notice is edited', () => channel.edits.length === 1);
  expect(channel.edits[0]).toEqual({
    platformMessageId: 'p1',
    text: expect.stringMatching(/^That took \d+ min.* s\.$/),
  });
  await until('it is settled again', () => spine.transcript.listReplies(messageId)[0]?.state === 'delivered');
  expect(channel.visible).toHaveLength(1);
});

test('a restarted host does not say it again, and still changes it in the end', async () => {
  const spine = new Spine();
  const channel = spine.addChannel('test');
  const chat = spine.addChat(spine.addAgent(), 'test', 'room');
  const began = Date.now() - 2 * LONG_TURN_MS;
  const { session, messageId, paths } = await spine.say(chat, 'hello', { receivedAt: began });
  const container = spine.container(paths);
  container.db.prepare(`INSERT INTO processing VALUES (?, 'claimed', ?, NULL)`).run(messageId, began + 10);
  spine.delivery.ring(session.id);
  await until('it is told', () => channel.visible.length === 1);
  await until('it is settled', () => spine.transcript.listReplies(messageId)[0]?.state === 'delivered');
  await spine.delivery[Symbol.asyncDispose]();
  spine.activity.stopped(session.id);
  spine.delivery = spine.makeDelivery();
  spine.delivery.ring(session.id);
  await until('the claim is seen again', () => spine.activity.size === 1);
  container.mark(messageId, 'done');
  spine.delivery.ring(session.id);
  await until('it is edited', () => channel.edits.length === 1);
  expect(channel.edits[0]?.text).toMatch(/^That took 2 min/);
  expect(channel.visible).toHaveLength(1);
});

test('an edit of a notice that a crash cut off is made by the next host', async () => {
  const { spine, channel, follow, session, messageId } = await atWork();
  const open = openRows(spine, session);
  follow(read(messageId, Date.now()));
  vi.advanceTimersByTime(LONG_TURN_MS);
  vi.useRealTimers();
  await until('it is settled', () => spine.transcript.listReplies(messageId)[0]?.state === 'delivered');
  channel.edit = () => new Promise(() => undefined);
  const later = Date.now() + 60_000;
  spine.now = () => later;
  spine.activity.follow(session, open, [done(messageId)]);
  await spine.notices[Symbol.asyncDispose]();
  const next = spine.makeNotices();
  const edits: string[] = [];
  channel.edit = async (_address, platformMessageId, text) => {
    edits.push(text);
    return { kind: 'sent', platformMessageId };
  };
  next.resume();
  await until('it is edited', () => edits.length === 1);
  expect(edits[0]).toMatch(/^That took/);
  expect(channel.visible).toHaveLength(1);
});

test('who hears from the agent meanwhile gets no notice, until it falls silent for as long', async () => {
  const { spine, channel, chat, follow, session, messageId } = await atWork();
  follow(read(messageId, Date.now()));
  vi.advanceTimersByTime(LONG_TURN_MS - 10_000);
  say(spine, session, chat, 'half way');
  spine.transcript.flush();
  vi.advanceTimersByTime(LONG_TURN_MS - 1_000);
  expect(spine.transcript.listReplies(messageId)).toEqual([]);
  vi.advanceTimersByTime(1_000);
  expect(spine.transcript.listReplies(messageId)).toHaveLength(1);
  vi.useRealTimers();
  await until('it is told', () => channel.visible.length === 1);
});

test('a channel that cannot edit keeps the notice as it was sent', async () => {
  const { spine, channel, follow, session, messageId } = await atWork();
  channel.abilities = { ...channel.abilities, canEdit: false };
  const open = openRows(spine, session);
  follow(read(messageId, Date.now()));
  vi.advanceTimersByTime(LONG_TURN_MS);
  vi.useRealTimers();
  await until('it is settled', () => spine.transcript.listReplies(messageId)[0]?.state === 'delivered');
  const later = Date.now() + LONG_TURN_MS;
  spine.now = () => later;
  spine.activity.follow(session, open, [done(messageId)]);
  expect(spine.transcript.listReplies(messageId)[0]).toMatchObject({
    text: expect.stringMatching(/^Still working/),
    state: 'delivered',
  });
  expect(channel.edits).toEqual([]);
});
