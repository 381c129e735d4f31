import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { installFailpointHook } from '../../../host/observe/failpoint.ts';
import { Spine } from '../../support/spine.ts';
import { until } from '../../support/until.ts';

function reply(chat: { channelType: string; platformId: string }, text: string) {
  return {
    destination: chat.platformId,
    channelType: chat.channelType,
    platformId: chat.platformId,
    content: { text },
  };
}

test('a reply to a wired chat is sent, and its state and the message’s are shown', async () => {
  const spine = new Spine();
  const channel = spine.addChannel('test');
  const chat = spine.addChat(spine.addAgent(), 'test', 'room');
  const { session, messageId, paths } = await spine.say(chat, 'hello');
  expect(spine.woken).toEqual([session.id]);
  const container = spine.container(paths);
  const id = container.send({ ...reply(chat, 'hi'), inReplyTo: messageId });
  container.mark(messageId, 'done', { claimed: Date.now() });
  spine.delivery.ring(session.id);
  await until('the reply is sent', () => channel.visible.length === 1);
  expect(channel.visible[0]).toMatchObject({ text: 'hi', address: { platformId: 'room', threadId: null } });
  await until('delivered is shown', () => spine.transcript.get(id as never)?.state === 'delivered');
  expect(spine.transcript.get(messageId)?.state).toBe('answered');
});

test('a message counts as answered only after its last reply is shown', async () => {
  const spine = new Spine();
  const channel = spine.addChannel('test');
  const chat = spine.addChat(spine.addAgent(), 'test', 'room');
  const { session, messageId, paths } = await spine.say(chat, 'hello');
  const container = spine.container(paths);
  container.send({ ...reply(chat, 'on it'), inReplyTo: messageId });
  spine.delivery.ring(session.id);
  await until('the first reply is sent', () => channel.visible.length === 1);
  const told: string[] = [];
  spine.transcript.onFlush((messages) => told.push(...messages.map(({ id, state }) => `${id} ${state}`)));
  const last = container.send({ ...reply(chat, 'done'), inReplyTo: messageId });
  container.mark(messageId, 'done', { claimed: Date.now() });
  spine.delivery.ring(session.id);
  const answered = `${messageId} answered`;
  await until('answered is told', () => told.includes(answered));
  expect(told.slice(0, told.indexOf(answered)).some((line) => line.startsWith(last))).toBe(true);
});

test('a row without a destination of that name is refused, recorded, and told to the agent once', async () => {
  const spine = new Spine();
  const channel = spine.addChannel('test');
  const agent = spine.addAgent();
  const chat = spine.addChat(agent, 'test', 'room');
  const other = spine.addChat(spine.addAgent('other'), 'test', 'secret');
  const { session, paths } = await spine.say(chat, 'hello');
  const container = spine.container(paths);
  const forged = [
    reply(other, 'forged name'),
    { ...reply(other, 'own name, other chat'), destination: 'room' },
    { ...reply(chat, 'no name'), destination: null },
    { ...reply(chat, 'foreign thread'), threadId: 'thread-of-secret' },
    { ...reply(chat, 'odd name'), destination: '../room' },
    { ...reply(chat, 'other channel'), channelType: 'web' },
  ];
  const ids = forged.map((row) => container.send(row));
  ids.push(container.send(forged[0] ?? {}));
  container.send(reply(chat, 'honest'));
  spine.delivery.ring(session.id);
  await until('the honest row is sent', () => channel.visible.length > 0);
  await until('all are refused', () => ids.every((id) => spine.ledger.countByMessage(id, 'delivery.refused') === 1));
  expect(channel.visible.map((sent) => sent.text)).toEqual(['honest']);
  const told = () =>
    spine.inboxes.read(session, (tables) => tables.listOpen(100)).filter((row) => row.kind === 'system');
  // Seven refusals for five distinct reasons.
  await until('the agent is told of each reason', () => told().length >= 5);
  await until('it is quiet', () => spine.delivery.isQuiet(session.id));
  expect(told()).toHaveLength(5);
  expect(spine.ledger.findBreak()).toBeNull();
});

test('the agent is told of every failure by itself, once, and of a bounded number', async () => {
  const spine = new Spine();
  spine.addChannel('test');
  const chat = spine.addChat(spine.addAgent(), 'test', 'room');
  const { session, paths } = await spine.say(chat, 'hello');
  const container = spine.container(paths);
  // Names that once shared a place with each other: who was second was never told.
  const names = ['family', 'office', 'researcher', 'desk', 'family'];
  const refuse = async (destinations: readonly string[]) => {
    const ids = destinations.map((destination) => container.send({ ...reply(chat, 'hi'), destination }));
    spine.delivery.ring(session.id);
    await until('all are refused', () => ids.every((id) => spine.ledger.countByMessage(id, 'delivery.refused') === 1));
    await until('it is quiet', () => spine.delivery.isQuiet(session.id));
  };
  const told = () =>
    spine.inboxes
      .read(session, (tables) => tables.listOpen(200))
      .flatMap((row) => /^Your message to "([^"]*)" was refused/.exec(JSON.parse(row.content).text)?.[1] ?? []);
  await refuse(names);
  await until('it is told of four', () => told().length === 4);
  expect(told().sort()).toEqual(['desk', 'family', 'office', 'researcher']);
  await refuse(Array.from({ length: 60 }, (_, at) => `nobody-${at}`));
  await until('no more are told', () => told().length === 24);
});

test('a thread through which a message came in is answered there, another is not', async () => {
  const spine = new Spine();
  const channel = spine.addChannel('test');
  const chat = spine.addChat(spine.addAgent(), 'test', 'room', { sessionMode: 'per-thread' });
  const { session, paths } = await spine.say(chat, 'hello', { threadId: 't1' });
  const container = spine.container(paths);
  container.send({ ...reply(chat, 'in thread'), threadId: 't1' });
  const other = container.send({ ...reply(chat, 'in another'), threadId: 't2' });
  spine.delivery.ring(session.id);
  await until('the answer is sent', () => channel.visible.length === 1);
  await until('the other is refused', () => spine.ledger.countByMessage(other, 'delivery.refused') === 1);
  await until('it is quiet', () => spine.delivery.isQuiet(session.id));
  expect(channel.visible.map(({ address }) => address)).toEqual([{ platformId: 'room', threadId: 't1' }]);
  expect(channel.calls).toBe(1);
});

test('removing a destination holds for the very next attempt of a delivery that waits', async () => {
  const spine = new Spine();
  const channel = spine.addChannel('test');
  const agent = spine.addAgent();
  const chat = spine.addChat(agent, 'test', 'room');
  const { session, paths } = await spine.say(chat, 'hello');
  channel.script.push({ kind: 'retry', reason: 'busy', retryAfterMs: null });
  const container = spine.container(paths);
  const id = container.send(reply(chat, 'hi'));
  spine.delivery.ring(session.id);
  await until('the first attempt', () => channel.calls === 1);
  const destination = spine.destinations.find(agent.id, 'room');
  expect(spine.destinations.remove(destination?.id ?? '', destination?.revision ?? 0)).toBe(true);
  await until('the next attempt is refused', () => spine.transcript.get(id as never)?.state === 'refused');
  expect(channel.visible).toEqual([]);
});

test.each(['native', 'probe'] as const)('with class %s a lost answer doubles nothing', async (idempotency) => {
  const spine = new Spine();
  const channel = spine.addChannel('test', idempotency);
  const chat = spine.addChat(spine.addAgent(), 'test', 'room');
  const { session, paths } = await spine.say(chat, 'hello');
  channel.script.push('lost');
  const container = spine.container(paths);
  const ids = ['one', 'two'].map((text) => container.send(reply(chat, text)));
  spine.delivery.ring(session.id);
  await until('both delivered', () => ids.every((id) => spine.transcript.get(id as never)?.state === 'delivered'));
  expect(channel.visible.map((sent) => sent.text)).toEqual(['one', 'two']);
});

test('with class none a lost answer becomes unknown, the next message goes on, and a person resends or drops', async () => {
  const spine = new Spine();
  const channel = spine.addChannel('test', 'none');
  const chat = spine.addChat(spine.addAgent(), 'test', 'room');
  const { session, paths } = await spine.say(chat, 'hello');
  channel.script.push('lost');
  const container = spine.container(paths);
  const [first, second] = ['one', 'two'].map((text) => container.send(reply(chat, text)) as never);
  spine.delivery.ring(session.id);
  await until('the second is delivered', () => spine.transcript.get(second as never)?.state === 'delivered');
  expect(spine.transcript.get(first as never)?.state).toBe('unknown');
  expect(channel.visible.map((sent) => sent.text)).toEqual(['one', 'two']);
  expect(await spine.delivery.resend(session, first as never)).toBe('queued');
  await until('it is delivered now', () => spine.transcript.get(first as never)?.state === 'delivered');
  expect(channel.visible.map((sent) => sent.text)).toEqual(['one', 'two', 'one']);
  expect(await spine.delivery.drop(session, first as never)).toBe('not-possible');
});

test('a delivery that is tried for longer than a minute counts as overdue, until it ends', async () => {
  const spine = new Spine();
  const channel = spine.addChannel('test');
  const chat = spine.addChat(spine.addAgent(), 'test', 'room');
  const { session, paths } = await spine.say(chat, 'hello');
  channel.script.push({ kind: 'retry', reason: 'down', retryAfterMs: null });
  spine.container(paths).send(reply(chat, 'hi'));
  spine.delivery.ring(session.id);
  await until('the first attempt', () => channel.calls === 1);
  expect([spine.delivery.backlog, spine.delivery.overdue]).toEqual([1, 0]);
  const later = Date.now() + 61_000;
  spine.now = () => later;
  expect(spine.delivery.overdue).toBe(1);
  await until('it is sent', () => spine.delivery.backlog === 0);
  expect(spine.delivery.overdue).toBe(0);
});

test('order is kept in a conversation while a retry waits, and other conversations go on', async () => {
  const spine = new Spine();
  const channel = spine.addChannel('test');
  const agent = spine.addAgent();
  const room = spine.addChat(agent, 'test', 'room');
  const hall = spine.addChat(agent, 'test', 'hall');
  const { session, paths } = await spine.say(room, 'hello');
  channel.script.push({ kind: 'retry', reason: 'busy', retryAfterMs: null });
  const container = spine.container(paths);
  container.send(reply(room, 'r1'));
  container.send(reply(room, 'r2'));
  container.send(reply(hall, 'h1'));
  spine.delivery.ring(session.id);
  await until('all are sent', () => channel.visible.length === 3);
  expect(channel.visible.map((sent) => sent.text)).toEqual(['h1', 'r1', 'r2']);
});

test('a restarted host settles what was being sent by its class', async () => {
  const spine = new Spine();
  const channel = spine.addChannel('test', 'none');
  const chat = spine.addChat(spine.addAgent(), 'test', 'room');
  const { session, paths } = await spine.say(chat, 'hello');
  channel.script.push('hangs');
  const container = spine.container(paths);
  const first = container.send(reply(chat, 'one'));
  const second = container.send(reply(chat, 'two'));
  spine.delivery.ring(session.id);
  await until('the platform is called', () => channel.calls === 1);
  void spine.delivery[Symbol.asyncDispose]();
  spine.delivery = spine.makeDelivery();
  spine.delivery.ring(session.id);
  await until('the second goes out', () => channel.visible.length === 1);
  expect(channel.visible[0]?.text).toBe('two');
  await until('the first is unknown', () => spine.transcript.get(first as never)?.state === 'unknown');
  await until('the second is delivered', () => spine.transcript.get(second as never)?.state === 'delivered');
});

test('lost: a message to a channel that is not connected is not called delivered', async () => {
  const spine = new Spine();
  const chat = spine.addChat(spine.addAgent(), 'gone', 'room');
  const { session, paths } = await spine.say(chat, 'hello');
  const id = spine.container(paths).send(reply(chat, 'hi'));
  spine.delivery.ring(session.id);
  await until(
    'it waits, with the reason',
    () => spine.transcript.get(id as never)?.stateReason === 'the channel is not connected',
  );
  expect(spine.transcript.get(id as never)?.state).toBe('queued');
});

test('broken by its own container: a file name that is a path: files travel with the message, and links, folders and paths outside refuse it', async () => {
  const spine = new Spine();
  const channel = spine.addChannel('test');
  const chat = spine.addChat(spine.addAgent(), 'test', 'room');
  const { session, paths } = await spine.say(chat, 'hello');
  const container = spine.container(paths);
  const secret = join(spine.home.home, 'central.db');
  const withFile = (name: string) => ({ text: name, attachments: [{ name, sizeBytes: 1, contentType: 'text/plain' }] });
  const attacks: string[] = [];
  const attack = (name: string, plant: (folder: string) => void) => {
    const id = container.send({ ...reply(chat, ''), content: withFile(name), deliverAfter: Date.now() + 50 });
    const folder = join(paths.outFiles, id);
    mkdirSync(folder, { recursive: true });
    plant(folder);
    attacks.push(id);
  };
  attack('link', (folder) => symlinkSync(secret, join(folder, 'link')));
  attack('hard', (folder) => linkSync(secret, join(folder, 'hard')));
  attack('folder', (folder) => mkdirSync(join(folder, 'folder')));
  attack('missing', () => undefined);
  attack('../../../in/inbound.db', () => undefined);
  attack('..', () => undefined);
  const good = container.send({ ...reply(chat, ''), content: withFile('note.txt'), deliverAfter: Date.now() + 50 });
  mkdirSync(join(paths.outFiles, good), { recursive: true });
  writeFileSync(join(paths.outFiles, good, 'note.txt'), 'x');
  spine.delivery.ring(session.id);
  await until('the good one is sent', () => channel.visible.length === 1);
  expect(channel.visible[0]?.files).toEqual(['note.txt']);
  await until('the attacks fail', () => attacks.every((id) => spine.transcript.get(id as never)?.state === 'failed'));
});

test('a link in place of the folder of files is not followed', async () => {
  const spine = new Spine();
  const channel = spine.addChannel('test');
  const chat = spine.addChat(spine.addAgent(), 'test', 'room');
  const { session, paths } = await spine.say(chat, 'hello');
  const container = spine.container(paths);
  const id = container.send({
    ...reply(chat, ''),
    content: { text: 'x', attachments: [{ name: 'central.db', sizeBytes: 1, contentType: 'text/plain' }] },
  });
  symlinkSync(spine.home.home, join(paths.outFiles, id));
  spine.delivery.ring(session.id);
  await until('it fails', () => spine.transcript.get(id as never)?.state === 'failed');
  expect(channel.calls).toBe(0);
});

test('an edit changes the sent message and what is shown; someone else’s message cannot be edited', async () => {
  const spine = new Spine();
  const channel = spine.addChannel('test');
  const chat = spine.addChat(spine.addAgent(), 'test', 'room');
  const { session, messageId, paths } = await spine.say(chat, 'hello');
  const container = spine.container(paths);
  const id = container.send(reply(chat, '10 %'));
  container.send({ ...reply(chat, ''), kind: 'edit', content: { messageId: id, text: '100 %' } });
  const wrong = container.send({ ...reply(chat, ''), kind: 'edit', content: { messageId, text: 'forged' } });
  container.send(reply(chat, 'done'));
  spine.delivery.ring(session.id);
  await until('all is done', () => channel.visible.length === 2);
  expect(channel.edits).toEqual([{ platformMessageId: 'p1', text: '100 %' }]);
  expect(spine.transcript.get(id as never)).toMatchObject({ text: '100 %', state: 'delivered' });
  await until('the wrong edit is refused', () => spine.ledger.countByMessage(wrong, 'delivery.refused') === 1);
  expect(spine.transcript.get(messageId)?.text).toBe('hello');
});

test('a retryable failure queues the message again with back-off, is told at the third try, and ends in a visible notice (lost or silent: a model error is posted as text)', async () => {
  const spine = new Spine();
  const channel = spine.addChannel('test');
  let now = Date.now();
  spine.now = () => now;
  const chat = spine.addChat(spine.addAgent(), 'test', 'room');
  const { session, messageId, paths } = await spine.say(chat, 'hello');
  const container = spine.container(paths);
  for (let tries = 1; tries <= 5; tries++) {
    now = Math.max(now, Date.now());
    container.db
      .prepare(`INSERT OR REPLACE INTO processing VALUES (?, 'failed', ?, ?)`)
      .run(messageId, now, JSON.stringify({ error: 'overloaded', retryable: true }));
    spine.delivery.ring(session.id);
    if (tries === 5) break;
    const open = await until('it is queued again', () => {
      const rows = spine.inboxes.read(session, (tables) => tables.listOpen(10));
      return rows.find((row) => row.id === messageId && row.tries === tries);
    });
    expect(open.processAfter).toBe(now + 5_000 * 2 ** (tries - 1));
    now = open.processAfter ?? now;
    expect(channel.visible.length <= 1 && (tries >= 3 || channel.visible.length === 0)).toBe(true);
  }
  await until('the person is told', () => channel.visible.length === 2);
  expect(channel.visible[0]?.text).toBe('I have no answer to this yet, and keep trying: overloaded.\n\n> hello');
  expect(channel.visible[1]?.text).toContain('gave up after 5 tries: overloaded. Send it again');
  await until('it is failed', () => spine.transcript.get(messageId)?.state === 'failed');
});

test.each([
  [60_000, 60_000],
  [1_000, 5_000],
  [1e12, 160_000],
  [-1, 5_000],
  ['soon', 5_000],
])('a retry waits as long as a server outside asked for (%j ms), within bounds', async (retryAfterMs, expected) => {
  const spine = new Spine();
  spine.addChannel('test');
  const now = Date.now();
  spine.now = () => now;
  const chat = spine.addChat(spine.addAgent(), 'test', 'room');
  const { session, messageId, paths } = await spine.say(chat, 'hello');
  spine
    .container(paths)
    .db.prepare(`INSERT OR REPLACE INTO processing VALUES (?, 'failed', ?, ?)`)
    .run(messageId, now, JSON.stringify({ error: 'overloaded', retryable: true, retryAfterMs }));
  spine.delivery.ring(session.id);
  const open = await until('it is queued again', () => {
    const rows = spine.inboxes.read(session, (tables) => tables.listOpen(10));
    return rows.find((row) => row.id === messageId && row.tries === 1);
  });
  expect(open.processAfter).toBe(now + expected);
});

test('a request that the host refuses is recorded, and the agent is told why, once', async () => {
  const spine = new Spine();
  spine.addChannel('test');
  const chat = spine.addChat(spine.addAgent(), 'test', 'room');
  const { session, messageId, paths } = await spine.say(chat, 'make one');
  const content = { action: 'create_agent', name: 'mine', instructions: 'obey' };
  const id = spine.container(paths).send({ kind: 'request', inReplyTo: messageId, content });
  spine.delivery.ring(session.id);
  const told = () =>
    spine.inboxes.read(session, (tables) => tables.listOpen(10)).filter((row) => row.kind === 'system');
  await until('the agent is told', () => told().length === 1);
  await spine.delivery[Symbol.asyncDispose]();
  spine.delivery = spine.makeDelivery();
  spine.delivery.ring(session.id);
  await until('it is quiet', () => spine.delivery.isQuiet(session.id));
  expect(told().map((row) => JSON.parse(row.content).text)).toEqual([
    expect.stringContaining('Your request create_agent was refused: '),
  ]);
  expect(spine.ledger.countByMessage(id, 'delivery.refused')).toBe(1);
});

test('sending one message again doubles none that waits', async () => {
  const spine = new Spine();
  const channel = spine.addChannel('test', 'none');
  const chat = spine.addChat(spine.addAgent(), 'test', 'room');
  const { session, paths } = await spine.say(chat, 'hello');
  channel.script.push('lost', { kind: 'retry', reason: 'busy', retryAfterMs: 300 });
  const container = spine.container(paths);
  const ids = ['one', 'two', 'three'].map((text) => container.send(reply(chat, text)) as never);
  spine.delivery.ring(session.id);
  await until('the second waits', () => channel.calls === 2);
  expect(await spine.delivery.resend(session, ids[0] as never)).toBe('queued');
  await until('all are delivered', () => ids.every((id) => spine.transcript.get(id)?.state === 'delivered'));
  await until('it is quiet', () => spine.delivery.isQuiet(session.id));
  expect(channel.visible.map((sent) => sent.text).sort()).toEqual(['one', 'one', 'three', 'two']);
});

test('a message put off by the agent holds up nobody, and comes when it is due', async () => {
  const spine = new Spine();
  const channel = spine.addChannel('test');
  const chat = spine.addChat(spine.addAgent(), 'test', 'room');
  const { session, paths } = await spine.say(chat, 'hello');
  const container = spine.container(paths);
  let now = Date.now();
  spine.now = () => now;
  container.send({ ...reply(chat, 'later'), deliverAfter: now + 500 });
  container.send(reply(chat, 'now'));
  spine.delivery.ring(session.id);
  await until('the one that is due is sent', () => channel.visible.length === 1);
  now += 500;
  await until('both are sent', () => channel.visible.length === 2);
  expect(channel.visible.map((sent) => sent.text)).toEqual(['now', 'later']);
});

test('a row that the container takes away ends as failed, and the next goes on', async () => {
  const spine = new Spine();
  const channel = spine.addChannel('test');
  const chat = spine.addChat(spine.addAgent(), 'test', 'room');
  const { session, paths } = await spine.say(chat, 'hello');
  channel.script.push('hangs');
  const container = spine.container(paths);
  const id = container.send(reply(chat, 'one'));
  spine.delivery.ring(session.id);
  await until('the platform is called', () => channel.calls === 1);
  void spine.delivery[Symbol.asyncDispose]();
  container.db.prepare('DELETE FROM messages_out WHERE id = ?').run(id);
  container.send({ ...reply(chat, 'two'), seq: container.nextSeq() + 2 });
  spine.delivery = spine.makeDelivery();
  spine.delivery.ring(session.id);
  await until('the first has failed', () => spine.transcript.get(id as never)?.state === 'failed');
  await until('the second is sent', () => channel.visible.some((sent) => sent.text === 'two'));
});

test('an id that names another message is not this row’s: both stay what they are', async () => {
  const spine = new Spine();
  const channel = spine.addChannel('test');
  const agent = spine.addAgent();
  const chat = spine.addChat(agent, 'test', 'room');
  const other = spine.addChat(agent, 'test', 'hall');
  const { session, messageId, paths } = await spine.say(chat, 'hello');
  const foreign = await spine.say(other, 'in the hall');
  const container = spine.container(paths);
  for (const id of [messageId, foreign.messageId]) container.send({ ...reply(chat, 'stolen id'), id });
  const good = container.send(reply(chat, 'good'));
  spine.delivery.ring(session.id);
  await until('the good one is delivered', () => spine.transcript.get(good as never)?.state === 'delivered');
  expect(channel.visible.map((sent) => sent.text)).toEqual(['good']);
  expect(spine.transcript.get(messageId)).toMatchObject({ text: 'hello', state: 'queued', direction: 'in' });
  expect(spine.transcript.get(foreign.messageId)).toMatchObject({ text: 'in the hall', state: 'queued' });
});

test('a session whose platform is down holds a bounded number of messages in memory', async () => {
  const spine = new Spine();
  const channel = spine.addChannel('test', 'none');
  const chat = spine.addChat(spine.addAgent(), 'test', 'room');
  const { session, paths } = await spine.say(chat, 'hello');
  channel.script.push({ kind: 'retry', reason: 'down', retryAfterMs: 500 });
  const container = spine.container(paths);
  let now = Date.now();
  spine.now = () => now;
  container.sendMany(600, (at) => reply(chat, `m${at}`));
  spine.delivery.ring(session.id);
  await until('some are held', () => spine.delivery.backlog === 400);
  now += 3_600_000;
  spine.delivery.ring(session.id);
  await until('the rest stays outside', () => spine.delivery.backlog === 400);
  await until('all come in order', () => channel.visible.length === 600, 50_000);
  expect(channel.visible.map((sent) => sent.text)).toEqual(Array.from({ length: 600 }, (_, at) => `m${at}`));
});

test('a container that rings without end has its session read a bounded number of times, and its news is not lost', async () => {
  const spine = new Spine();
  const channel = spine.addChannel('test');
  const chat = spine.addChat(spine.addAgent(), 'test', 'room');
  const { session, paths } = await spine.say(chat, 'hello');
  const container = spine.container(paths);
  let now = Date.now();
  spine.now = () => now;
  let reads = 0;
  onTestFinished(() => installFailpointHook(null));
  installFailpointHook((name) => {
    if (name === 'delivery.read') reads++;
  });
  const ringFor = async (ms: number) => {
    for (const end = performance.now() + ms; performance.now() < end; ) {
      spine.delivery.ring(session.id);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  spine.delivery.ring(session.id);
  await until('the reader has started', () => reads > 0);
  // The clock stands still: what may be read for nothing at once, and nothing more, however long it rings.
  let before = 0;
  do {
    before = reads;
    await ringFor(300);
  } while (reads > before && reads < 60);
  expect(reads).toBeGreaterThan(1);
  expect(reads).toBeLessThan(60);
  expect(spine.delivery.isQuiet(session.id)).toBe(false);
  container.send(reply(chat, 'after the rings'));
  now += 1_000;
  await until('its news is read', () => channel.visible.length === 1);
});

test('a session whose every read finds something is never made to wait', async () => {
  const spine = new Spine();
  const channel = spine.addChannel('test');
  const chat = spine.addChat(spine.addAgent(), 'test', 'room');
  const { session, paths } = await spine.say(chat, 'hello');
  const container = spine.container(paths);
  const now = Date.now();
  spine.now = () => now;
  for (let at = 1; at <= 100; at++) {
    container.send(reply(chat, `row ${at}`));
    spine.delivery.ring(session.id);
    await until(`row ${at} is sent`, () => channel.visible.length === at);
  }
});
