import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { Spine } from '../../support/spine.ts';
import { until } from '../../support/until.ts';

test('a message told twice is one message', async () => {
  const spine = new Spine();
  const chat = spine.addChat(spine.addAgent(), 'test', 'room');
  const first = await spine.router.receive(spine.event(chat, 'hello', { clientId: 'c1' }));
  const second = await spine.router.receive(spine.event(chat, 'hello', { clientId: 'c1' }));
  if (first.kind !== 'routed' || second.kind !== 'routed') throw new Error('dropped');
  expect(second.messages[0]).toEqual({ ...first.messages[0], repeated: true });
  const session = spine.session(first.messages[0]?.sessionId ?? '');
  expect(spine.inboxes.read(session, (tables) => tables.listOpen(10))).toHaveLength(1);
  expect(spine.transcript.listForSession(session, { limit: 10 })).toHaveLength(1);
});

test('an unwired chat is dropped and counted, without a row per message', async () => {
  const spine = new Spine();
  const chat = spine.chats.ensure({ channelType: 'test', platformId: 'nowhere', name: '', now: 1 });
  for (let at = 0; at < 3; at++) {
    expect(await spine.router.receive(spine.event(chat, 'hi'))).toMatchObject({ kind: 'dropped', reason: 'unwired' });
  }
  expect(spine.dropped.list(10)).toMatchObject([{ platformId: 'nowhere', count: 3 }]);
});

test('wrong place: unmentioned chatter accumulates as context, wakes nobody, and does not count as being engaged', async () => {
  const spine = new Spine();
  const chat = spine.addChat(spine.addAgent(), 'test', 'room', {
    engageMode: 'mention-sticky',
    ignoredMessagePolicy: 'accumulate',
  });
  await spine.say(chat, 'one');
  const { session } = await spine.say(chat, 'two');
  expect(spine.woken).toEqual([]);
  await spine.say(chat, '@bot three', { isMention: true });
  await spine.say(chat, 'four');
  expect(spine.woken).toHaveLength(2);
  const rows = spine.inboxes.read(session, (tables) => tables.listOpen(10));
  expect(rows.map((row) => row.trigger)).toEqual([false, false, true, true]);
});

test('session modes: shared, per thread, and one for all chats', async () => {
  const spine = new Spine();
  const agents = ['s', 't', 'a'].map((name) => spine.addAgent(name));
  const [shared, threaded, pooled] = agents;
  if (shared === undefined || threaded === undefined || pooled === undefined) throw new Error('no agents');
  const room = spine.addChat(shared, 'test', 'room');
  spine.addChat(threaded, 'test', 'room', { sessionMode: 'per-thread' });
  spine.addChat(pooled, 'test', 'room', { sessionMode: 'agent-shared' });
  const hall = spine.addChat(pooled, 'test', 'hall', { sessionMode: 'agent-shared' });
  await spine.router.receive(spine.event(room, '1', { threadId: 'x' }));
  await spine.router.receive(spine.event(room, '2', { threadId: 'y' }));
  await spine.router.receive(spine.event(hall, '3'));
  const count = (agent: typeof shared) => spine.sessions.listForAgent(agent.id).length;
  expect([count(shared), count(threaded), count(pooled)]).toEqual([1, 2, 1]);
});

test('an unknown sender is dropped under strict and heard under public', async () => {
  const spine = new Spine();
  const chat = spine.addChat(spine.addAgent(), 'test', 'room', { senderScope: 'known' });
  expect(await spine.router.receive(spine.event(chat, 'hi'))).toMatchObject({
    kind: 'dropped',
    reason: 'unknown_sender',
  });
  spine.chats.update(chat.id, 1, { unknownSenderPolicy: 'public' });
  expect(await spine.router.receive(spine.event(chat, 'hi'))).toMatchObject({ kind: 'routed' });
});

test('a pattern that backtracks for ever does not stop the host, and does not match', async () => {
  const spine = new Spine();
  const chat = spine.addChat(spine.addAgent(), 'test', 'room', { engageMode: 'pattern', engagePattern: '^(a+)+$' });
  const started = performance.now();
  const outcome = await spine.router.receive(spine.event(chat, `${'a'.repeat(5_000)}!`));
  expect(outcome).toMatchObject({ kind: 'dropped', reason: 'not_addressed' });
  expect(performance.now() - started).toBeLessThan(10_000);
  expect(await spine.router.receive(spine.event(chat, 'AAA'))).toMatchObject({ kind: 'routed' });
});

test('attachments land in the inbox under safe names, before the message does', async () => {
  const spine = new Spine();
  const chat = spine.addChat(spine.addAgent(), 'test', 'room');
  const staged = join(spine.home.uploads, 'staged');
  writeFileSync(staged, 'bytes');
  const file = (name: string) => ({ name, contentType: 'text/plain', sizeBytes: 5, path: staged });
  const { session, messageId, paths } = await spine.say(chat, 'files', {
    files: [file('../../etc/passwd'), file('.bashrc'), file('a\u0000b\n.txt'), file('PASSWD'), file('passwd')],
  });
  const names = spine.transcript.get(messageId)?.attachments.map((attachment) => attachment.name) ?? [];
  expect(names).toEqual(['passwd', 'bashrc', 'ab.txt', '2-PASSWD', '3-passwd']);
  for (const name of names) expect(readFileSync(join(paths.inFiles, messageId, name), 'utf8')).toBe('bytes');
  expect(existsSync(staged)).toBe(true);
  expect(spine.session(session.id).isOpen).toBe(true);
});

test('a container that holds a read lock for ever delays nobody else, and is named', async () => {
  const spine = new Spine();
  const agent = spine.addAgent();
  const held = spine.addChat(agent, 'test', 'held');
  const free = spine.addChat(agent, 'test', 'free');
  const { session, paths } = await spine.say(held, 'one');
  await spine.say(free, 'one');
  const container = new Database(paths.inboundDb, { readonly: true });
  container.exec('BEGIN');
  container.prepare('SELECT count(*) FROM messages_in').get();
  let hasEnded = false;
  const stuck = spine.router.receive(spine.event(held, 'two')).finally(() => {
    hasEnded = true;
  });
  const refused = expect(stuck).rejects.toMatchObject({ code: 'session_busy' });
  for (let at = 0; at < 5; at++) await spine.say(free, `message ${at}`);
  expect(hasEnded).toBe(false);
  await refused;
  expect(spine.locksHeld).toEqual([session.id]);
  container.close();
  await spine.say(held, 'three');
});

test('messages of one burst commit together and keep their order', async () => {
  const spine = new Spine();
  const chat = spine.addChat(spine.addAgent(), 'test', 'room');
  await spine.say(chat, 'first');
  const outcomes = await Promise.all(
    Array.from({ length: 50 }, (_, at) => spine.router.receive(spine.event(chat, `m${at}`))),
  );
  const session = spine.session(outcomes[0]?.kind === 'routed' ? (outcomes[0].messages[0]?.sessionId ?? '') : '');
  const texts = spine.inboxes
    .read(session, (tables) => tables.listOpen(100))
    .map((row) => JSON.parse(row.content).text);
  expect(texts).toEqual(['first', ...Array.from({ length: 50 }, (_, at) => `m${at}`)]);
  await until('the transcript has them', () => spine.transcript.listForSession(session, { limit: 100 }).length === 51);
});

test('a reply names the message it answers, in the rows of each agent that hears it', async () => {
  const spine = new Spine();
  const [one, two] = [spine.addAgent('one'), spine.addAgent('two')];
  const chat = spine.addChat(one, 'test', 'room');
  spine.addChat(two, 'test', 'room');
  const first = await spine.router.receive(spine.event(chat, 'first', { platformMessageId: 'p1' }));
  const second = await spine.router.receive(spine.event(chat, 'second', { replyToPlatformId: 'p1' }));
  if (first.kind !== 'routed' || second.kind !== 'routed') throw new Error('dropped');
  for (const [at, { sessionId, messageId }] of second.messages.entries()) {
    const asked = first.messages[at];
    expect(asked?.sessionId).toBe(sessionId);
    expect(spine.transcript.get(messageId)?.inReplyTo).toBe(asked?.messageId);
    const rows = spine.inboxes.read(spine.session(sessionId), (tables) => tables.listOpen(10));
    expect(rows).toHaveLength(2);
  }
});

test('a reply to a message of another chat, or to none that is known, names nothing', async () => {
  const spine = new Spine();
  const agent = spine.addAgent();
  const room = spine.addChat(agent, 'test', 'room');
  const hall = spine.addChat(agent, 'test', 'hall');
  await spine.say(room, 'first', { platformMessageId: 'p1' });
  for (const replyToPlatformId of ['p1', 'nothing']) {
    const { messageId } = await spine.say(hall, 'a reply', { replyToPlatformId });
    expect(spine.transcript.get(messageId)?.inReplyTo).toBeNull();
  }
});

test('where this host is the platform, a message has its own id there', async () => {
  const spine = new Spine();
  const chat = spine.addChat(spine.addAgent(), 'test', 'room');
  const { messageId } = await spine.say(chat, 'hello', { hostIsPlatform: true });
  expect(spine.transcript.get(messageId)?.platformMessageId).toBe(messageId);
});
