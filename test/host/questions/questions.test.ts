/** Questions of agents through real files, routing and delivery: asked, answered, over. */
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import type { MessagingGroup } from '../../../host/store/chats.ts';
import type { Session } from '../../../host/store/sessions.ts';
import type { WiringSettings } from '../../../host/store/wirings.ts';
import { deriveMessageId, type MessageId, makeId, type UserId } from '../../../shared/ids.ts';
import { Spine } from '../../support/spine.ts';
import { until } from '../../support/until.ts';

const CONTENT = { title: 'Colour', question: 'Which colour?', options: ['Blue', 'Red'] };
const textOf = (id: MessageId) =>
  `main asks:\n\n**Colour**\n\nWhich colour?\n\n1. Blue\n2. Red\n\nAnswer with a number, or with “1 ${id.slice(-4)}” while more is asked here.`;

async function ask(spine: Spine, chat: MessagingGroup, content: object = CONTENT, more: object = {}) {
  const { session, messageId, paths } = await spine.say(chat, 'hello', more);
  const container = spine.container(paths);
  const id = container.send({
    kind: 'question',
    destination: chat.platformId,
    channelType: chat.channelType,
    platformId: chat.platformId,
    inReplyTo: messageId,
    content,
    ...('threadId' in more ? { threadId: more.threadId as string } : {}),
  }) as MessageId;
  spine.delivery.ring(session.id);
  return { session, container, id, paths };
}

async function setUp(wiring: Partial<WiringSettings> = {}, content: object = CONTENT) {
  const spine = new Spine();
  const channel = spine.addChannel('test');
  const agent = spine.addAgent();
  const chat = spine.addChat(agent, 'test', 'room', wiring);
  const asked = await ask(spine, chat, content);
  await until('the question is sent', () => spine.transcript.get(asked.id)?.state === 'delivered');
  return { spine, channel, agent, chat, ...asked };
}

function listEnds(spine: Spine, session: Session) {
  return spine.inboxes
    .read(session, (tables) => tables.listOpen(100))
    .filter((row) => row.kind === 'system')
    .map((row) => ({ ...row, content: JSON.parse(row.content) }));
}

const rows = (spine: Spine, session: Session) =>
  new Database(spine.paths(session).inboundDb, { readonly: true })
    .prepare('SELECT count(*) FROM messages_in')
    .pluck()
    .get();

test('a question is recorded, sent as numbered text, and its answer by number reaches the agent once', async () => {
  const { spine, channel, chat, session, id } = await setUp();
  expect(channel.visible.map((sent) => sent.text)).toEqual([textOf(id)]);
  expect(spine.transcript.get(id)).toMatchObject({ kind: 'question', text: textOf(id) });
  spine.woken.length = 0;
  const outcome = await spine.router.receive(spine.event(chat, ' 2 ', { clientId: 'client-1' }));
  if (outcome.kind !== 'routed') throw new Error('not taken');
  await until('the agent is told', () => listEnds(spine, session).length === 1);
  const [end] = listEnds(spine, session);
  expect(end).toMatchObject({
    trigger: true,
    channelType: 'test',
    platformId: 'room',
    content: {
      event: 'question_answered',
      text: 'Someone chose “Red” for “Colour”.',
      answer: { questionId: id, choice: 'Red', by: 'Someone' },
    },
  });
  await until('it is woken', () => spine.woken.includes(session.id));
  // What the person wrote is in the conversation, and is the row that the agent works on.
  expect(outcome.messages).toEqual([{ sessionId: session.id, messageId: end?.id, engaged: true, repeated: false }]);
  expect(spine.transcript.get(end?.id as MessageId)).toMatchObject({
    text: ' 2 ',
    inReplyTo: id,
    clientId: 'client-1',
  });
  await until('the chat shows the end', () => channel.edits.length === 1);
  expect(channel.edits[0]?.text).toContain('Someone chose “Red”');
  expect(channel.edits[0]?.text).not.toContain('1. Blue');
  expect(spine.ledger.countByMessage(id, 'question.answered')).toBe(1);
  expect(spine.ledger.findBreak()).toBeNull();
});

test('Doubled: the platform tells an answer twice, and the second is neither an answer nor a message', async () => {
  const { spine, chat, session, id } = await setUp();
  const event = spine.event(chat, 'blue', { clientId: 'client-1' });
  const [first, second] = [await spine.router.receive(event), await spine.router.receive(event)];
  if (first.kind !== 'routed' || second.kind !== 'routed') throw new Error('not taken');
  expect(second.messages).toEqual([{ ...first.messages[0], repeated: true }]);
  await until('the agent is told', () => listEnds(spine, session).length === 1);
  expect(rows(spine, session)).toBe(2);
  expect(spine.ledger.countByMessage(id, 'question.answered')).toBe(1);
});

test('of two people at once the first decides, and the second is told who did', async () => {
  const { spine, chat, session, id } = await setUp();
  const answer = (choice: string, name: string) =>
    spine.questions.answer(id, { choice, by: `test:${name}` as UserId, byName: name, from: chat.id });
  expect(answer('Blue', 'Ada')).toMatchObject({ kind: 'accepted', option: 'Blue' });
  expect(answer('Red', 'Ben')).toEqual({
    kind: 'refused',
    reason: 'already_answered',
    words: 'Ada chose “Blue” already.',
  });
  await until('the agent is told', () => listEnds(spine, session).length === 1);
  expect(spine.questions.get(id)).toMatchObject({ state: 'answered', answer: 'Blue', answeredBy: 'test:Ada' });
  expect(spine.ledger.countByMessage(id, 'question.answered')).toBe(1);
});

test('Lost or silent: a click after the time-out is refused with a reason, writes nothing and wakes nobody', async () => {
  const { spine, chat, session, id, channel } = await setUp({}, { ...CONTENT, timeoutS: 60 });
  const base = Date.now();
  spine.now = () => base + 61_000;
  spine.questions.start();
  await until('the agent is told', () => listEnds(spine, session).length === 1);
  expect(listEnds(spine, session)[0]?.content).toMatchObject({
    event: 'question_expired',
    answer: { questionId: id, choice: null },
  });
  await until('the chat shows the end', () => channel.edits.length === 1);
  await until(
    'all is noted',
    () => spine.questionRows.listUntold(9).length + spine.questionRows.listUnshown(9).length === 0,
  );
  const before = rows(spine, session);
  spine.woken.length = 0;
  for (const choice of ['Blue', '1', 'Red']) {
    const outcome = spine.questions.answer(id, { choice, by: 'test:late' as UserId, from: chat.id });
    expect(outcome).toMatchObject({ kind: 'refused', reason: 'expired' });
  }
  spine.questions.start();
  expect(rows(spine, session)).toBe(before);
  expect(spine.woken).toEqual([]);
});

test('a number or an option is an ordinary message from somebody who may not answer, and where nothing is open', async () => {
  const spine = new Spine();
  spine.addChannel('test');
  const agent = spine.addAgent();
  const chat = spine.addChat(agent, 'test', 'room', { senderScope: 'known' });
  const known = 'test:known' as UserId;
  spine.users.ensure(known, 'Kim', 0);
  spine.users.addMember(agent.id, known, 0);
  const { id, session } = await ask(spine, chat, CONTENT, { senderId: known });
  await until('the question is sent', () => spine.transcript.get(id)?.state === 'delivered');
  const stranger = await spine.router.receive(spine.event(chat, '1'));
  expect(stranger.kind).toBe('dropped');
  expect(spine.questions.get(id)?.state).toBe('pending');
  for (const text of ['3', '1 please', 'blu']) {
    const { messageId } = await spine.say(chat, text, { senderId: known });
    expect(spine.transcript.get(messageId)).toMatchObject({ kind: 'chat', text, inReplyTo: null });
  }
  await spine.say(chat, 'BLUE', { senderId: known });
  expect(spine.questions.get(id)).toMatchObject({ state: 'answered', answer: 'Blue', answeredByName: 'Kim' });
  const { messageId } = await spine.say(chat, 'Red', { senderId: known });
  expect(spine.transcript.get(messageId)).toMatchObject({ inReplyTo: null, sessionId: session.id });
});

test('a text answers the newest question of its own thread alone', async () => {
  const spine = new Spine();
  spine.addChannel('test');
  const chat = spine.addChat(spine.addAgent(), 'test', 'room', { sessionMode: 'per-thread' });
  const one = await ask(spine, chat, CONTENT, { threadId: 't1' });
  const two = await ask(spine, chat, { ...CONTENT, title: 'Other' }, { threadId: 't2' });
  await until('both are open', () => [one.id, two.id].every((id) => spine.questions.get(id)?.state === 'pending'));
  await spine.say(chat, 'Blue', { threadId: 't1' });
  expect([one, two].map(({ id }) => spine.questions.get(id)?.state)).toEqual(['answered', 'pending']);
});

test('Who may: over the API, from another chat, under a forged id, nobody answers who could not engage the agent', async () => {
  const { spine, agent, chat, id } = await setUp({ senderScope: 'all' });
  const other = spine.addChat(agent, 'test', 'other');
  const stranger = 'test:stranger' as UserId;
  const answer = (messageId: MessageId, from: MessagingGroup['id'] | null) =>
    spine.questions.answer(messageId, { choice: 'Blue', by: stranger, from });
  expect(answer(id, null)).toMatchObject({ reason: 'not_allowed' });
  expect(answer(id, other.id)).toMatchObject({ reason: 'unknown' });
  expect(answer(makeId('message'), chat.id)).toMatchObject({ reason: 'unknown' });
  expect(answer(`${id}' OR 1=1 --` as MessageId, chat.id)).toMatchObject({ reason: 'unknown' });
  // The wiring changed a moment ago: what holds at the click counts.
  const wiring = spine.wirings.listFor(chat.id)[0];
  if (wiring === undefined) throw new Error('not wired');
  spine.wirings.update(wiring.id, wiring.revision, { ...wiring, senderScope: 'known' });
  expect(answer(id, chat.id)).toMatchObject({ reason: 'not_allowed' });
  expect(spine.questions.get(id)?.state).toBe('pending');
});

test('Broken by its own container: an agent can neither answer its question, nor change it, nor take another’s id', async () => {
  const { spine, channel, agent, chat, session, container, id } = await setUp();
  const route = { destination: 'room', channelType: 'test', platformId: 'room' };
  container.send({ ...route, content: { text: '1' }, inReplyTo: id });
  const edit = container.send({ ...route, kind: 'edit', content: { messageId: id, text: 'Send me your password' } });
  const before = container.send({ ...route, kind: 'question', id: deriveMessageId(id, 'end'), content: CONTENT });
  spine.delivery.ring(session.id);
  await until(
    'the edit is refused',
    () =>
      spine.ledger.countByMessage(edit, 'delivery.refused') === 1 ||
      spine.ledger.countByMessage(edit, 'delivery.failed') === 1,
  );
  expect(channel.edits).toEqual([]);
  expect(spine.transcript.get(id)?.text).toBe(textOf(id));
  expect(spine.questions.get(id)?.state).toBe('pending');
  // Another agent asks under the id of this question.
  const far = spine.addChat(spine.addAgent('thief'), 'test', 'far');
  const theft = await spine.say(far, 'hello');
  const thief = spine.container(theft.paths);
  thief.send({
    ...route,
    destination: 'far',
    platformId: 'far',
    kind: 'question',
    id,
    content: { ...CONTENT, title: 'Mine' },
  });
  thief.send({ ...route, destination: 'far', platformId: 'far', content: { text: 'honest' } });
  spine.delivery.ring(theft.session.id);
  await until('the honest row is sent', () => channel.visible.some((sent) => sent.text === 'honest'));
  expect(spine.questions.get(id)).toMatchObject({ title: 'Colour', sessionId: session.id, messagingGroupId: chat.id });
  expect(spine.questions.get(before as MessageId)?.sessionId).toBe(session.id);
  expect(agent.id).toBe(session.agentGroupId);
});

test.each([
  ['two options that are the same', { ...CONTENT, options: ['Yes', 'yes'] }, 'the same'],
  ['an option of two lines', { ...CONTENT, options: ['Yes\n2. No'] }, 'more than one line'],
  ['no option', { ...CONTENT, options: [] }, 'malformed'],
  ['a time-out beyond a week', { ...CONTENT, timeoutS: 8 * 86_400 }, 'malformed'],
])('a question with %s is refused in words, and nothing is recorded', async (_what, content, words) => {
  const spine = new Spine();
  const channel = spine.addChannel('test');
  const chat = spine.addChat(spine.addAgent(), 'test', 'room');
  const { session, id } = await ask(spine, chat, content);
  await until('it is refused', () => spine.ledger.countByMessage(id, 'delivery.refused') === 1);
  const reason = spine.inboxes.read(session, (tables) => tables.getDelivery(id)?.reason);
  expect(reason).toContain(words);
  expect(spine.questions.get(id)).toBeNull();
  expect(channel.visible).toEqual([]);
});

test('Cost and growth: a flood of questions is cut at the bound', async () => {
  const spine = new Spine();
  const channel = spine.addChannel('test');
  const chat = spine.addChat(spine.addAgent(), 'test', 'room');
  const { session, paths } = await spine.say(chat, 'hello');
  const container = spine.container(paths);
  const route = { destination: 'room', channelType: 'test', platformId: 'room', kind: 'question', content: CONTENT };
  const ids = Array.from({ length: 30 }, () => container.send(route));
  spine.delivery.ring(session.id);
  await until('all are settled', () => {
    const states = spine.inboxes.read(session, (tables) => ids.map((id) => tables.getDelivery(id)?.state));
    return states.every((state) => state === 'delivered' || state === 'refused');
  });
  expect(channel.visible).toHaveLength(20);
});

test('a question that cannot be delivered is withdrawn: nobody can answer what nobody saw', async () => {
  const spine = new Spine();
  const channel = spine.addChannel('test');
  const chat = spine.addChat(spine.addAgent(), 'test', 'room');
  channel.script.push({ kind: 'rejected', reason: 'the bot was removed' });
  const { id, session } = await ask(spine, chat);
  await until('it is withdrawn', () => spine.questions.get(id)?.state === 'withdrawn');
  expect(spine.questions.answer(id, { choice: 'Blue', by: 'test:a' as UserId, from: chat.id })).toMatchObject({
    reason: 'withdrawn',
  });
  await until('the agent hears of the delivery', () => listEnds(spine, session).length === 1);
  expect(listEnds(spine, session)[0]?.content.event).toBe('delivery_failed');
  // A person has it sent once more: it can be answered again.
  expect(await spine.delivery.resend(session, id)).toBe('queued');
  await until('it is open', () => spine.questions.get(id)?.state === 'pending');
});

test('a crash after the answer was committed tells the agent at the next start, once', async () => {
  const { spine, chat, session, id, channel } = await setUp();
  // The host ends between the two commits.
  void spine.questions[Symbol.asyncDispose]();
  spine.questions.answer(id, { choice: 'Blue', by: 'test:ada' as UserId, from: chat.id });
  expect(listEnds(spine, session)).toEqual([]);
  spine.questions = spine.makeQuestions();
  spine.questions.start();
  await until('the agent is told', () => listEnds(spine, session).length === 1);
  await until('the chat shows it', () => channel.edits.length === 1);
  await until('it is noted', () => spine.questionRows.listUntold(9).length === 0);
  // And between the row and the note of it.
  spine.db.prepare('UPDATE pending_questions SET is_told = 0').run();
  spine.questions = spine.makeQuestions();
  spine.questions.start();
  await until('it is noted again', () => spine.questionRows.listUntold(9).length === 0);
  expect(listEnds(spine, session)).toHaveLength(1);
});

test('a question told again stays as it is, and no other session can take it over', async () => {
  const { spine, chat, session, id } = await setUp();
  const thief = await spine.say(spine.addChat(spine.addAgent('thief'), 'test', 'far'), 'hello');
  const again = (sessionId: Session['id']) =>
    spine.questions.open({ messageId: id, sessionId, chat, threadId: null }, { ...CONTENT, title: 'Again' });
  const ends = ['pending', 'withdrawn', 'answered', 'expired'] as const;
  for (const state of ends) {
    spine.db.prepare('UPDATE pending_questions SET state = ? WHERE message_id = ?').run(state, id);
    again(thief.session.id);
    expect(spine.questions.get(id)).toMatchObject({ state, title: 'Colour', sessionId: session.id });
    again(session.id);
    // Sent once more by a person after it failed: open again.
    expect(spine.questions.get(id)?.state).toBe(state === 'withdrawn' ? 'pending' : state);
  }
});

test('one timer serves all questions, and each ends in its own time', async () => {
  const { spine, session, id } = await setUp({}, { ...CONTENT, timeoutS: 2 });
  const late = spine.questionRows.get(id);
  if (late === null) throw new Error('no question');
  const base = Date.now();
  const ids = Array.from({ length: 50 }, (_one, at) => {
    const messageId = makeId('message');
    spine.questionRows.open({ ...late, messageId, expiresAt: base + 100 + (at % 5) * 20 });
    return messageId;
  });
  spine.questions.start();
  await until('all fifty ended', () => ids.every((one) => spine.questions.get(one)?.state === 'expired'));
  expect(spine.questions.get(id)?.state).toBe('pending');
  await until('the last ended', () => spine.questions.get(id)?.state === 'expired');
  await until('the agent is told of each', () => listEnds(spine, session).length === 51);
});

test('a question that waits for its platform beyond its time is not shown any more', async () => {
  const spine = new Spine();
  const channel = spine.addChannel('test');
  const chat = spine.addChat(spine.addAgent(), 'test', 'room');
  channel.script.push({ kind: 'retry', reason: 'busy', retryAfterMs: 1_500 });
  const { id, session } = await ask(spine, chat, { ...CONTENT, timeoutS: 1 });
  await until('its time is over', () => spine.questions.get(id)?.state === 'expired');
  await until(
    'it is refused',
    () => spine.inboxes.read(session, (tables) => tables.getDelivery(id)?.state) === 'refused',
  );
  expect(channel.visible).toEqual([]);
});

test('buttons: a channel that has them gets the options apart from the text', async () => {
  const spine = new Spine();
  const channel = spine.addChannel('test');
  channel.abilities.canAsk = true;
  const chat = spine.addChat(spine.addAgent(), 'test', 'room');
  const { id } = await ask(spine, chat);
  await until('it is sent', () => spine.transcript.get(id)?.state === 'delivered');
  expect(channel.visible[0]).toMatchObject({ text: 'main asks:\n\n**Colour**\n\nWhich colour?', question: CONTENT });
  expect(spine.transcript.get(id)?.text).toBe(textOf(id));
});

test('a number that could answer two questions answers neither, and the person is told how to say which', async () => {
  const { spine, chat, id } = await setUp();
  const other = await ask(spine, chat, { ...CONTENT, title: 'Roof' });
  await until('both are open', () => spine.questions.get(other.id)?.state === 'pending');
  const outcome = await spine.router.receive(spine.event(chat, '1'));
  expect(outcome).toMatchObject({ kind: 'dropped', reason: 'unclear_answer' });
  const { tell } = outcome as { tell: string };
  expect(tell).toContain(`“1 ${id.slice(-4)}” for “Colour”`);
  expect([id, other.id].map((one) => spine.questions.get(one)?.state)).toEqual(['pending', 'pending']);
  await spine.say(chat, `1 ${other.id.slice(-4)}`);
  expect([id, other.id].map((one) => spine.questions.get(one)?.state)).toEqual(['pending', 'answered']);
});

test('Cost and growth: an agent that lets its own questions run out in a loop is stopped', async () => {
  const { spine, chat, session } = await setUp();
  const content = { ...CONTENT, timeoutS: 1 };
  const base = Date.now();
  let asked = 0;
  for (; asked < 100 && spine.questions.findFlaw(session.id, content, 0) === null; asked++) {
    const messageId = makeId('message');
    spine.questions.open({ messageId, sessionId: session.id, chat, threadId: null }, content);
    spine.now = () => base + (asked + 1) * 1_000;
    spine.questionRows.close(messageId, 'expired');
  }
  expect(asked).toBe(30);
  expect(spine.questions.findFlaw(session.id, content, 0)).toContain('nobody answered 30 questions');
  spine.now = () => base + 2 * 3_600_000;
  expect(spine.questions.findFlaw(session.id, content, 0)).toBeNull();
});

test('Cost and growth: of a session’s ended questions the last 500 are kept, and none that is to be told', async () => {
  const { spine, chat, session, id } = await setUp();
  const ended: MessageId[] = [];
  for (let at = 0; at < 510; at++) {
    const messageId = makeId('message', at);
    ended.push(messageId);
    spine.questions.open({ messageId, sessionId: session.id, chat, threadId: null }, CONTENT);
    spine.questionRows.close(messageId, 'withdrawn');
    spine.questionRows.markShown(messageId, at !== 0);
  }
  spine.questions.open({ messageId: makeId('message'), sessionId: session.id, chat, threadId: null }, CONTENT);
  expect(ended.slice(0, 11).map((one) => spine.questions.get(one) !== null)).toEqual([
    true,
    ...Array.from({ length: 9 }, () => false),
    true,
  ]);
  expect(spine.questions.get(id)?.state).toBe('pending');
});
