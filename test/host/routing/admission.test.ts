import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { toDiskFault } from '../../../host/config/errors.ts';
import {
  ADMISSION_OPEN_MS,
  MAX_HELD_MS,
  MAX_HELD_PER_SENDER,
  MAX_WAITING_SENDERS,
  TURNED_AWAY_MS,
} from '../../../host/routing/limits.ts';
import type { UserId } from '../../../shared/ids.ts';
import { sessionPaths } from '../../../shared/session-files.ts';
import { until } from '../../support/until.ts';
import { Gatehouse, OWNER, openGatehouse, STRANGER } from './gatehouse.ts';

test('a stranger waits, is let in, and is heard once, in order, with files; an admin was asked once', async () => {
  const house = await openGatehouse();
  house.addRoom();
  const first = await house.receive('room', 'one', { clientId: 'c1', files: [house.file('a.txt', 'bytes')] });
  expect(first).toMatchObject({ kind: 'held', tell: expect.stringContaining('admin') });
  for (const [at, text] of ['two', 'three'].entries()) {
    const outcome = await house.receive('room', text, { clientId: at === 0 ? null : 'c3' });
    expect(outcome).toEqual({ kind: 'held', reason: 'unknown_sender', tell: null });
  }
  // The platform tells one twice.
  expect(await house.receive('room', 'one', { clientId: 'c1' })).toMatchObject({ kind: 'held', tell: null });
  expect(house.heard('room')).toEqual([]);
  await house.card();
  expect(house.pending()).toHaveLength(1);

  const approval = await house.decide('Let in');
  expect(approval).toMatchObject({ state: 'applied', outcome: 'Sam may talk to main now.' });
  expect(await house.hears('room', 3)).toEqual(['one', 'two', 'three']);
  await house.emptied();
  await house.receive('room', 'four');
  await house.receive('room', 'one', { clientId: 'c1' });
  expect(house.heard('room')).toEqual(['one', 'two', 'three', 'four']);

  const { spine } = house;
  const session = spine.sessions.listForAgent(house.agent.id).find(({ title }) => title === 'room');
  if (session === undefined) throw new Error('no session');
  const paths = sessionPaths(spine.home.home, session.agentGroupId, session.id);
  const [message] = spine.transcript.listForSession(session, { limit: 10 });
  expect(readFileSync(join(paths.inFiles, message?.id ?? '', 'a.txt'), 'utf8')).toBe('bytes');
  expect(readdirSync(spine.home.held)).toEqual([]);
  expect(house.cards()).toHaveLength(1);
  expect(house.dropped()).toEqual([]);
});

test('who is turned away is dropped and counted, and nobody is asked again for a week', async () => {
  const house = await openGatehouse();
  const { spine } = house;
  house.addRoom();
  const start = Date.now();
  spine.now = () => start;
  await house.receive('room', 'one', { files: [house.file('a.txt', 'bytes')] });
  await house.receive('room', 'two');
  await house.decide('Turn away');
  await house.emptied();
  expect(house.dropped()).toEqual([{ senderId: STRANGER, reason: 'sender_turned_away', count: 2 }]);
  spine.now = () => start + TURNED_AWAY_MS - 60_000;
  expect(await house.receive('room', 'three')).toEqual({ kind: 'dropped', reason: 'sender_turned_away', tell: null });
  expect(house.pending()).toEqual([]);
  expect(readdirSync(spine.home.held)).toEqual([]);
  expect(spine.users.isKnown(STRANGER, house.agent.id)).toBe(false);
  spine.now = () => start + TURNED_AWAY_MS + 60_000;
  expect(await house.receive('room', 'four')).toMatchObject({ kind: 'held', tell: expect.any(String) });
  expect(house.pending()).toHaveLength(1);
});

test('when nobody decides, what waited is dropped and counted, and the next message asks again', async () => {
  const house = await openGatehouse();
  const { spine } = house;
  house.addRoom();
  await house.receive('room', 'one');
  const [approval] = house.pending();
  if (approval === undefined) throw new Error('nothing is asked');
  spine.now = () => Date.now() + ADMISSION_OPEN_MS + 60_000;
  await house.restart();
  await house.done(approval);
  await house.emptied();
  expect(house.dropped()).toEqual([{ senderId: STRANGER, reason: 'admission_expired', count: 1 }]);
  expect(await house.receive('room', 'two')).toMatchObject({ kind: 'held', tell: expect.any(String) });
  expect(house.pending()).toHaveLength(1);
});

test('what came after nobody had decided in time is not dropped with the rest, and asks anew', async () => {
  const house = await openGatehouse();
  const { spine } = house;
  house.addRoom();
  await house.receive('room', 'one');
  const [approval] = house.pending();
  if (approval === undefined) throw new Error('nothing is asked');
  spine.now = () => Date.now() + ADMISSION_OPEN_MS + 60_000;
  await house.receive('room', 'two');
  await house.restart();
  await until('it is asked anew', () => house.pending().some(({ id }) => id !== approval.id));
  expect(house.dropped()).toEqual([{ senderId: STRANGER, reason: 'admission_expired', count: 1 }]);
  expect(spine.held.total.count).toBe(1);
});

test('what comes while a host stops does not overtake what waits to be let in', async () => {
  const house = await openGatehouse();
  const { spine } = house;
  house.addRoom();
  for (const text of ['one', 'two']) await house.receive('room', text);
  // The commit of the decision, and nothing after it.
  spine.users.ensure(STRANGER, 'Sam', 1);
  spine.users.addMember(house.agent.id, STRANGER, 1);
  const third = expect(house.receive('room', 'three')).rejects.toMatchObject({
    code: 'host_stopping',
    retryable: true,
  });
  await spine.router[Symbol.asyncDispose]();
  await third;
  await house.restart();
  await house.emptied();
  expect(house.heard('room')).toEqual(['one', 'two']);
});

test('lost or silent: a crash between an approval and what it lets in loses nothing', async () => {
  const house = await openGatehouse();
  const { spine } = house;
  house.addRoom();
  await house.receive('room', 'one', { files: [house.file('a.txt', 'bytes')] });
  await house.receive('room', 'two');
  // The commit of the decision, and nothing after it.
  spine.users.ensure(STRANGER, 'Sam', 1);
  spine.users.addMember(house.agent.id, STRANGER, 1);
  await house.restart();
  expect(await house.hears('room', 2)).toEqual(['one', 'two']);
  await house.emptied();
});

test('doubled: a crash between a message that was let in and the end of its hold doubles nothing', async () => {
  const house = await openGatehouse();
  const { spine } = house;
  house.addRoom();
  await house.receive('room', 'one');
  const row = spine.db.prepare('SELECT * FROM held_messages').get() as Record<string, string | number>;
  await house.decide('Let in');
  await house.hears('room', 1);
  await house.emptied();
  const columns = Object.keys(row);
  spine.db
    .prepare(
      `INSERT INTO held_messages (${columns.join(', ')}) VALUES (${columns.map((name) => `@${name}`).join(', ')})`,
    )
    .run(row);
  await house.restart();
  await house.emptied();
  expect(house.heard('room')).toEqual(['one']);
});

test('a crash between holding a message and asking about it: the next start asks', async () => {
  const house = await openGatehouse();
  house.addRoom();
  await house.receive('room', 'one');
  house.spine.db.prepare('DELETE FROM pending_approvals').run();
  await house.restart();
  await until('somebody is asked', () => house.pending().length === 1);
});

test('files without a row are gone after a start, files of what waits are not', async () => {
  const house = await openGatehouse();
  const { held } = house.spine.home;
  house.addRoom();
  await house.receive('room', 'one', { files: [house.file('a.txt', 'bytes')] });
  mkdirSync(join(held, 'hld_orphan'));
  writeFileSync(join(held, 'hld_orphan', '0'), 'left by a crash');
  await house.restart();
  expect(existsSync(join(held, 'hld_orphan'))).toBe(false);
  expect(readdirSync(held)).toHaveLength(1);
});

test('what was let in cannot be taken now: it waits for its turn, and what comes after it waits behind', async () => {
  const house = await openGatehouse();
  const { spine } = house;
  house.addRoom();
  await house.receive('room', 'one');
  const commit = spine.inboxes.commit.bind(spine.inboxes);
  let isFull = true;
  spine.inboxes.commit = ((session, work) => {
    if (isFull) return Promise.reject(toDiskFault({ code: 'ENOSPC' }));
    return commit(session, work);
  }) as typeof commit;
  spine.users.ensure(STRANGER, 'Sam', 1);
  spine.users.addMember(house.agent.id, STRANGER, 1);
  await expect(house.receive('room', 'two')).rejects.toMatchObject({ code: 'disk_full' });
  expect(spine.held.total.count).toBe(1);
  isFull = false;
  await house.receive('room', 'two');
  expect(house.heard('room')).toEqual(['one', 'two']);
});

test('a flood of one stranger fills their own allowance and no more, and is counted', async () => {
  const house = await openGatehouse();
  house.addRoom();
  const outcomes = await Promise.all(
    Array.from({ length: MAX_HELD_PER_SENDER + 10 }, (_, at) =>
      house.receive('room', `m${at}`, { clientId: `c${at}`, files: [house.file(`${at}.txt`, 'bytes')] }),
    ),
  );
  expect(outcomes.filter(({ kind }) => kind === 'held')).toHaveLength(MAX_HELD_PER_SENDER);
  expect(house.dropped()).toEqual([{ senderId: STRANGER, reason: 'held_full', count: 10 }]);
  // Told again by the platform, what is kept stays kept.
  expect(await house.receive('room', 'm0', { clientId: 'c0' })).toMatchObject({ kind: 'held' });
  expect(readdirSync(house.spine.home.held)).toHaveLength(MAX_HELD_PER_SENDER);
  expect(house.dropped()).toMatchObject([{ count: 10 }]);
  expect(house.pending()).toHaveLength(1);
  await house.decide('Let in');
  expect(await house.hears('room', MAX_HELD_PER_SENDER)).toEqual(
    Array.from({ length: MAX_HELD_PER_SENDER }, (_, at) => `m${at}`),
  );
});

test('a flood of strangers asks about a few of them; one who was asked about still gets through', async () => {
  const house = await openGatehouse();
  house.addRoom();
  const strangers = Array.from({ length: MAX_WAITING_SENDERS + 15 }, (_, at) => `test:s${at}` as UserId);
  for (const senderId of strangers) await house.receive('room', 'hi', { senderId });
  expect(house.pending()).toHaveLength(MAX_WAITING_SENDERS);
  expect(house.dropped()).toHaveLength(15);
  expect(house.dropped()[0]?.reason).toBe('too_many_strangers');
  expect(await house.receive('room', 'again', { senderId: 'test:s0' as UserId })).toMatchObject({ kind: 'held' });
});

test('who may: a stranger who writes what approves is not let in, in any chat', async () => {
  const house = await openGatehouse();
  const { spine } = house;
  house.addRoom();
  await house.receive('room', 'let me in');
  await house.card();
  for (const text of ['1', 'Let in', 'let in', 'approve', 'yes']) {
    await house.receive('room', text);
    await house.receive('olga', text);
  }
  expect(house.pending()).toHaveLength(1);
  expect(spine.users.isKnown(STRANGER, house.agent.id)).toBe(false);
  expect(house.heard('room')).toEqual([]);
});

test('one agent that lets everybody write hears a stranger at once; another holds the same message, and gets it once', async () => {
  const house = await openGatehouse();
  const open = house.spine.addAgent('open');
  house.addRoom();
  house.addRoom('room', { senderScope: 'all', priority: 1 }, open);
  const outcome = await house.receive('room', 'hello', { clientId: null });
  expect(outcome).toMatchObject({ kind: 'routed', messages: [{ engaged: true }] });
  expect([house.heard('room', open), house.heard('room')]).toEqual([['hello'], []]);
  await house.decide('Let in');
  expect(await house.hears('room', 1)).toEqual(['hello']);
  await house.emptied();
  expect(house.heard('room', open)).toEqual(['hello']);
  // Known to one agent is not known to another.
  expect(house.spine.users.isKnown(STRANGER, open.id)).toBe(false);
});

test('wrong place: an agent that knows a sender lets nobody in to another agent of the chat', async () => {
  const house = await openGatehouse();
  const other = house.spine.addAgent('other');
  house.addRoom();
  house.addRoom('room', {}, other);
  house.spine.users.ensure(STRANGER, 'Sam', 1);
  house.spine.users.addMember(other.id, STRANGER, 1);
  await house.receive('room', 'hello');
  expect([house.heard('room', other), house.heard('room')]).toEqual([['hello'], []]);
  expect(house.pending()).toMatchObject([{ action: 'admit_sender', agentGroupId: house.agent.id }]);
});

test('chatter of a stranger asks nobody; while an admin is asked, it waits along as context', async () => {
  const house = await openGatehouse();
  house.addRoom('room', { ignoredMessagePolicy: 'accumulate' });
  expect(await house.receive('room', 'before', { isMention: false })).toMatchObject({ reason: 'unknown_sender' });
  expect(house.pending()).toEqual([]);
  expect(await house.receive('room', '@main hi')).toMatchObject({ kind: 'held', tell: expect.any(String) });
  expect(await house.receive('room', 'after', { isMention: false })).toEqual({
    kind: 'held',
    reason: 'unknown_sender',
    tell: null,
  });
  await house.decide('Let in');
  expect(await house.hears('room', 2)).toEqual(['@main hi', 'after']);
});

test('a chat that opens to everybody lets out what waits there first', async () => {
  const house = await openGatehouse();
  const room = house.addRoom();
  await house.receive('room', 'one');
  house.spine.chats.update(room.id, room.revision, { unknownSenderPolicy: 'public' });
  await house.receive('room', 'two');
  expect(house.heard('room')).toEqual(['one', 'two']);
});

test('an agent that left the chat meanwhile gets nothing of what waited for it', async () => {
  const house = await openGatehouse();
  const room = house.addRoom();
  await house.receive('room', 'one');
  const [wiring] = house.spine.wirings.listFor(room.id);
  if (wiring === undefined) throw new Error('no wiring');
  house.spine.wirings.remove(wiring.id, wiring.revision);
  await house.decide('Let in');
  await house.emptied();
  expect(house.heard('room')).toEqual([]);
  expect(house.dropped()).toEqual([{ senderId: STRANGER, reason: 'unwired', count: 1 }]);
});

test('nothing waits for ever, whatever became of its approval', async () => {
  const house = await openGatehouse();
  house.addRoom();
  await house.receive('room', 'one');
  house.spine.now = () => Date.now() + MAX_HELD_MS + 1_000;
  house.spine.db.prepare('DELETE FROM pending_approvals').run();
  await house.restart();
  await house.emptied();
  expect(house.dropped()).toMatchObject([{ reason: 'admission_expired', count: 1 }]);
});

test('lost or silent: a card that cannot be sent blocks no later request', async () => {
  const house = await openGatehouse();
  house.addRoom();
  house.channel.script.push({ kind: 'rejected', reason: 'too old' });
  await house.receive('room', 'one');
  await house.receive('room', 'two', { senderId: 'test:ben' as UserId, senderName: 'Ben' });
  expect(await house.card()).toContain('Ben');
  expect(house.pending()).toHaveLength(2);
});

test('an admin who writes in a private chat can be asked there, and what waited for somebody to ask is asked', async () => {
  const house = new Gatehouse();
  const { spine } = house;
  spine.users.ensure(OWNER, 'Olga', 1);
  spine.users.grant(OWNER, 'owner', null, null, 1);
  house.ownerChat = spine.addChat(house.agent, 'test', 'olga');
  house.addRoom();
  await house.receive('room', 'anybody there?');
  expect(house.pending()).toHaveLength(1);
  expect(house.cards()).toEqual([]);
  await house.receive('olga', 'hello', { senderId: OWNER, isPrivate: true });
  expect(await house.card()).toContain('wrote in “room”');
});

test('lost files of one held message lose that message alone, and are counted', async () => {
  const house = await openGatehouse();
  const { held } = house.spine.home;
  house.addRoom();
  await house.receive('room', 'one', { files: [house.file('a.txt', 'bytes')] });
  await house.receive('room', 'two');
  for (const name of readdirSync(held)) rmSync(join(held, name), { recursive: true });
  await house.decide('Let in');
  expect(await house.hears('room', 1)).toEqual(['two']);
  expect(house.dropped()).toMatchObject([{ reason: 'unreadable', count: 1 }]);
});
