/** Approvals through real routing, lanes and stores: asked in a chat, decided, carried out. */
import { expect, test } from 'vitest';
import type { ActionRules, ApprovalRequest, Decision } from '../../../host/approvals/approval.ts';
import { CarryOut } from '../../../host/approvals/carry-out.ts';
import { Fault } from '../../../host/config/errors.ts';
import { ApprovalVoices } from '../../../host/store/approval-voices.ts';
import type { Approval } from '../../../host/store/approvals.ts';
import type { MessagingGroup } from '../../../host/store/chats.ts';
import { type ApprovalId, type MessageId, makeId, type UserId } from '../../../shared/ids.ts';
import { Spine } from '../../support/spine.ts';
import { until } from '../../support/until.ts';

const ADA = 'test:ada' as UserId;
const BEN = 'test:ben' as UserId;

interface Done {
  id: ApprovalId;
  decision: Decision;
}

function setUp() {
  const spine = new Spine();
  const channel = spine.addChannel('test');
  const agent = spine.addAgent();
  const done: Done[] = [];
  spine.approvalRules.admit_sender = {
    describe: () => ({ kind: 'possible', lines: ['Zoe becomes a member of main'] }),
    carryOut: async ({ id }, decision) => {
      done.push({ id, decision });
      return { outcome: decision.kind === 'approved' ? 'Zoe may talk to main now.' : 'Zoe stays out.' };
    },
  };
  /** A person with a role, and their own chat. */
  const addAdmin = (id: UserId, of: string | null, role: 'owner' | 'admin' = 'admin'): MessagingGroup => {
    spine.users.ensure(id, id === ADA ? 'Ada' : 'Ben', 0);
    spine.users.grant(id, role, of as typeof agent.id | null, null, spine.now());
    const chat = spine.addChat(agent, 'test', `own-${id}`);
    spine.users.notePrivateChat(id, 'test', chat.id);
    return chat;
  };
  return { spine, channel, agent, done, addAdmin };
}

type Set = ReturnType<typeof setUp>;

function makeRequest({ agent }: Set, more: Partial<ApprovalRequest> = {}): ApprovalRequest {
  return {
    action: 'admit_sender',
    payload: { user: 'test:zoe', agent: agent.id },
    subjectKey: 'zoe',
    agentGroupId: agent.id,
    requester: { kind: 'host', sessionId: null },
    title: 'Let Zoe in?',
    question: 'Zoe wrote to main.',
    options: ['Let in', 'Turn away'],
    approving: ['Let in'],
    ...more,
  };
}

/** Every message belongs to a session. */
async function request(set: Set, more: Partial<ApprovalRequest> = {}): Promise<ApprovalId> {
  const { spine, agent } = set;
  if (spine.sessions.listForAgent(agent.id).length === 0)
    await spine.say(spine.addChat(agent, 'test', 'room'), 'hello');
  const requested = spine.approvals.requestApproval(makeRequest(set, more));
  if (requested.kind === 'refused') throw new Error(requested.why);
  return requested.id;
}

const state = ({ spine }: Set, id: ApprovalId) => spine.approvals.get(id)?.state;

test('a card goes to one admin, is decided there by number and mark, carried out, and shows who, when and what came of it', async () => {
  const set = setUp();
  const { spine, channel, agent, addAdmin, done } = set;
  const own = addAdmin(ADA, agent.id);
  addAdmin(BEN, null);
  const id = await request(set);
  await until('the card is sent', () => channel.visible.length === 1);
  expect(channel.visible[0]?.address.platformId).toBe('own-test:ada');
  expect(channel.visible[0]?.text).toMatch(
    /^Portolan asks:\n\n\*\*Let Zoe in\?\*\*\n\nZoe wrote to main\.\n\nIf approved:\n- Zoe becomes a member of main\n\n1\. Let in\n2\. Turn away\n\nAnswer with the number and “([0-9A-Z]{4})”, like “1 \1”; or write “\/approve \1” or “\/reject \1 because …”\.\n\nOpen until \d{4}-\d\d-\d\d \d\d:\d\d UTC\.$/,
  );
  const said = `1 ${spine.approvals.codeOf(id)}`;
  const outcome = await spine.router.receive(
    spine.event(own, said, { senderId: ADA, senderName: 'Ada', clientId: 'c-1' }),
  );
  expect(outcome).toMatchObject({ kind: 'routed', messages: [{ engaged: false }] });
  await until('it is carried out', () => state(set, id) === 'applied');
  expect(done).toEqual([{ id, decision: { kind: 'approved', choice: 'Let in', by: ADA } }]);
  await until('the card shows it', () => channel.edits.at(-1)?.text.includes('Zoe may talk') === true);
  expect(channel.edits.at(-1)?.text).toMatch(/Ada chose “Let in”, .* UTC\. Zoe may talk to main now\./);
  const card = spine.questionRows.listCards(id)[0];
  expect(spine.transcript.get(card?.messageId as never)?.text).toBe(channel.edits.at(-1)?.text);
  for (const word of ['requested', 'approved', 'applied'])
    expect(spine.ledger.countByMessage(id, `approval.${word}`)).toBe(1);
  expect(spine.ledger.findBreak()).toBeNull();
  // Told again by the platform, it is the same answer.
  const again = await spine.router.receive(
    spine.event(own, said, { senderId: ADA, senderName: 'Ada', clientId: 'c-1' }),
  );
  expect(again).toMatchObject({ messages: [{ repeated: true }] });
  expect(done).toHaveLength(1);
});

test('the same is asked about once while it waits, and not again for a day after it was rejected', async () => {
  const set = setUp();
  const { spine, channel, agent, addAdmin, done } = set;
  addAdmin(ADA, agent.id);
  const id = await request(set);
  expect(await request(set)).toBe(id);
  await until('the card is sent', () => channel.visible.length === 1);
  spine.approvals.decide(id, { choice: 'Turn away', by: ADA, from: null, note: 'we do not know her' });
  await until('it is settled', () => spine.approvals.get(id)?.outcome !== null);
  expect(spine.approvals.get(id)).toMatchObject({ state: 'rejected', outcome: 'Zoe stays out.' });
  expect(done[0]?.decision.kind).toBe('rejected');
  expect(spine.approvals.requestApproval(makeRequest(set))).toEqual({
    kind: 'refused',
    why: 'Ada rejected this, because “we do not know her”; within 24 hours it is not asked again',
  });
  const base = Date.now();
  spine.now = () => base + 25 * 3_600_000;
  expect(await request(set)).not.toBe(id);
});

test('Who may: any person who can click a card does not approve; rights count at the click', async () => {
  const set = setUp();
  const { spine, channel, agent, addAdmin } = set;
  const own = addAdmin(ADA, agent.id);
  const id = await request(set);
  await until('the card is sent', () => channel.visible.length === 1);
  const card = spine.questionRows.listCards(id)[0]?.messageId;
  if (card === undefined) throw new Error('no card');
  const click = (by: UserId, from: MessagingGroup['id'] | null = own.id) =>
    spine.questions.answer(card, { choice: 'Let in', by, from });
  // A stranger, a member, an admin of another agent, and the one it is about.
  const other = spine.addAgent('other');
  const cleo = 'test:cleo' as UserId;
  spine.users.ensure(cleo, 'Cleo', 0);
  spine.users.addMember(agent.id, cleo, 0);
  spine.users.grant(cleo, 'admin', other.id, null, 0);
  for (const by of ['test:zoe' as UserId, cleo]) expect(click(by)).toMatchObject({ reason: 'not_allowed' });
  expect(spine.approvals.decide(id, { choice: '1', by: cleo, from: null })).toMatchObject({ reason: 'not_allowed' });
  // Another chat's member names the card.
  expect(click(ADA, spine.addChat(agent, 'test', 'elsewhere').id)).toMatchObject({ reason: 'unknown' });
  // Ada was an admin until a moment ago.
  spine.db.prepare('DELETE FROM user_roles WHERE user_id = ?').run(ADA);
  expect(click(ADA)).toMatchObject({ reason: 'not_allowed' });
  const text = await spine.router.receive(spine.event(own, '1', { senderId: ADA }));
  if (text.kind !== 'routed') throw new Error('dropped');
  expect(spine.transcript.get(text.messages[0]?.messageId as never)).toMatchObject({ text: '1', inReplyTo: null });
  expect(state(set, id)).toBe('pending');
  // And Ben became one after it was asked.
  spine.users.ensure(BEN, 'Ben', 0);
  spine.users.grant(BEN, 'owner', null, null, 0);
  expect(click(BEN)).toMatchObject({ kind: 'accepted', option: 'Let in' });
  expect(click(BEN)).toMatchObject({ reason: 'already_answered', words: 'Ben chose “Let in” already.' });
  expect(spine.approvals.decide(makeId('approval'), { choice: '1', by: BEN, from: null })).toMatchObject({
    reason: 'unknown',
  });
});

test('a card in a group hides no older question from those who may not decide it', async () => {
  const set = setUp();
  const { spine, channel, agent } = set;
  spine.users.ensure(ADA, 'Ada', 0);
  spine.users.grant(ADA, 'owner', null, null, 0);
  const room = spine.addChat(agent, 'test', 'room');
  spine.users.notePrivateChat(ADA, 'test', room.id);
  const { session, paths } = await spine.say(room, 'hello');
  const question = spine.container(paths).send({
    kind: 'question',
    ...{ destination: 'room', channelType: 'test', platformId: 'room' },
    content: { title: 'Colour', question: 'Which?', options: ['Blue', 'Red'] },
  }) as MessageId;
  spine.delivery.ring(session.id);
  await until('it is asked', () => spine.transcript.get(question)?.state === 'delivered');
  const id = await request(set);
  await until('the card is there', () => channel.visible.length === 2);
  await spine.say(room, 'Let in');
  expect(state(set, id)).toBe('pending');
  await spine.say(room, '2');
  expect(spine.questions.get(question)).toMatchObject({ state: 'answered', answer: 'Red' });
  await spine.say(room, `2 ${spine.approvals.codeOf(id)}`, { senderId: ADA });
  expect(state(set, id)).toBe('rejected');
});

test('what was approved is carried out as it was asked, or not at all', async () => {
  const set = setUp();
  const { spine, addAdmin, done } = set;
  addAdmin(ADA, null);
  const id = await request(set);
  spine.db.prepare('UPDATE pending_approvals SET payload = ? WHERE id = ?').run('{"user":"test:mallory"}', id);
  spine.approvals.decide(id, { choice: '1', by: ADA, from: null });
  await until('it failed', () => state(set, id) === 'failed');
  expect(spine.approvals.get(id)?.outcome).toBe('The request is not what was asked about any more.');
  expect(done).toEqual([]);
});

test('a crash at any step is mended at the next start, and nothing is carried out twice over', async () => {
  const set = setUp();
  const { spine, channel, agent, addAdmin, done } = set;
  addAdmin(ADA, agent.id);
  await spine.say(spine.addChat(agent, 'test', 'room'), 'hello');
  const restart = async () => {
    void spine.approvals[Symbol.asyncDispose]();
    void spine.questions[Symbol.asyncDispose]();
    spine.questions = spine.makeQuestions();
    spine.approvals = spine.makeApprovals();
    spine.questions.start();
    await spine.approvals.start();
  };
  // After the request, before the card.
  void spine.approvals[Symbol.asyncDispose]();
  const id = await request(set);
  expect(channel.visible).toEqual([]);
  await restart();
  await until('the card is sent', () => channel.visible.length === 1);
  await restart();
  // After the decision, before it is carried out.
  void spine.approvals[Symbol.asyncDispose]();
  spine.approvals.decide(id, { choice: '1', by: ADA, from: null });
  expect(done).toEqual([]);
  await restart();
  await until('it is carried out', () => state(set, id) === 'applied');
  await until('the card shows it', () => channel.edits.at(-1)?.text.includes('Zoe may talk') === true);
  await restart();
  expect(done).toHaveLength(1);
  expect(channel.visible).toHaveLength(1);
});

test('a handler that fails for a while is tried again, one that breaks makes the approval failed, and the host goes on', async () => {
  const set = setUp();
  const { spine, addAdmin } = set;
  addAdmin(ADA, null);
  let tries = 0;
  const describe = () => ({ kind: 'possible' as const, lines: [] });
  spine.approvalRules.wire_chat = {
    describe,
    carryOut: async () => {
      if (++tries === 1) throw new Fault('disk_full', 'the disk is full', { retryable: true });
      return { outcome: 'Wired.' };
    },
  };
  spine.approvalRules.resume_peers = {
    describe,
    carryOut: async () => {
      throw new TypeError('a bug');
    },
  };
  const [one, two] = [
    await request(set, { action: 'wire_chat', subjectKey: 'a' }),
    await request(set, { action: 'resume_peers', subjectKey: 'b' }),
  ];
  for (const id of [one, two]) spine.approvals.decide(id, { choice: 'Let in', by: ADA, from: null });
  await until('both are over', () => state(set, one) === 'applied' && state(set, two) === 'failed');
  expect(spine.approvals.get(two)?.outcome).toBe('This failed: the log of the host says why.');
});

test('Lost or silent: the last try of a decision is no failure when the host stops in it', async () => {
  const set = setUp();
  const { spine, addAdmin } = set;
  addAdmin(ADA, null);
  const [one, two] = [await request(set, { subjectKey: 'a' }), await request(set, { subjectKey: 'b' })];
  // Decided, and not carried out yet.
  await spine.approvals[Symbol.asyncDispose]();
  for (const id of [one, two]) spine.approvals.decide(id, { choice: '1', by: ADA, from: null });
  const admit_sender: ActionRules = {
    describe: () => ({ kind: 'possible', lines: [] }),
    carryOut: async ({ id }) => {
      throw new Fault(id === one ? 'host_stopping' : 'engine_refused', 'not now', { retryable: true });
    },
  };
  await using carryOut = new CarryOut({
    ...{ approvals: spine.approvalRows, voices: new ApprovalVoices(spine.db), questions: spine.questionRows },
    ...{ ledger: spine.ledger, asked: spine.questions, now: () => spine.now() },
    rules: () => ({ ...spine.approvalRules, admit_sender }),
    tell: () => {},
    onChanged: () => {},
  });
  for (const id of [one, two]) await carryOut.run(id, 6);
  expect([one, two].map((id) => spine.approvals.get(id)?.outcome)).toEqual([null, 'This failed: not now.']);
});

test('nobody decides in time: it expires, its card says so, and what waits for it is told', async () => {
  const set = setUp();
  const { spine, channel, addAdmin, done } = set;
  addAdmin(ADA, null);
  const id = await request(set, { expiresAt: Date.now() + 100 });
  await until('it expired', () => state(set, id) === 'expired' && done.length === 1);
  expect(done[0]?.decision).toEqual({ kind: 'expired' });
  await until('the card shows it', () => channel.edits.at(-1)?.text.includes('expired') === true);
  expect(spine.approvals.decide(id, { choice: '1', by: ADA, from: null })).toMatchObject({ reason: 'expired' });
});

test('Lost or silent: a card that cannot be sent goes to the next person, and blocks no later request', async () => {
  const set = setUp();
  const { spine, channel, agent, addAdmin } = set;
  addAdmin(ADA, agent.id);
  addAdmin(BEN, null, 'owner');
  channel.script.push({ kind: 'rejected', reason: 'Ada blocked the bot' });
  const id = await request(set);
  await until('Ben is asked', () => channel.visible.length === 1);
  expect(channel.visible[0]?.address.platformId).toBe('own-test:ben');
  expect(spine.approvals.whereAsked(id)?.messagingGroupId).toBe(spine.chats.find('test', 'own-test:ben')?.id);
  await request(set, { subjectKey: 'yan', title: 'Let Yan in?' });
  await until('Ada is asked about the next', () => channel.visible.length === 2);
  expect(channel.visible[1]?.address.platformId).toBe('own-test:ada');
});

test('while nobody can be reached it waits in the list, and is asked when somebody can', async () => {
  const set = setUp();
  const { spine, channel, agent } = set;
  spine.users.ensure(ADA, 'Ada', 0);
  spine.users.grant(ADA, 'owner', null, null, 0);
  const id = await request(set);
  expect(spine.approvals.list(10, null, 'pending').map((one: Approval) => one.id)).toEqual([id]);
  expect(spine.approvals.whereAsked(id)).toBeNull();
  const own = spine.addChat(agent, 'test', 'own-ada');
  await spine.router.receive(spine.event(own, 'hello', { senderId: ADA, isPrivate: true }));
  await until('she is asked', () => channel.visible.length === 1);
  expect(channel.visible[0]?.address.platformId).toBe('own-ada');
});

test('Cost and growth: strangers fill no chat with cards; the next comes when one is decided', async () => {
  const set = setUp();
  const { spine, channel, addAdmin } = set;
  addAdmin(ADA, null);
  const ids: ApprovalId[] = [];
  for (let at = 0; at < 25; at++) ids.push(await request(set, { subjectKey: `stranger-${at}` }));
  await until('the first cards are sent', () => channel.visible.length === 20);
  spine.approvals.decide(ids[0] as ApprovalId, { choice: '2', by: ADA, from: null });
  await until('one more is sent', () => channel.visible.length === 21);
  expect(spine.approvals.list(100, null, 'pending')).toHaveLength(24);
});

test('the owner of a fresh host is asked in the web chat of the first agent', async () => {
  const set = setUp();
  const { spine, agent } = set;
  const web = spine.addChannel('web');
  const owner = 'web:owner' as UserId;
  spine.users.ensure(owner, 'Owner', 0);
  spine.users.grant(owner, 'owner', null, null, 0);
  const [old, recent] = ['old', 'recent'].map((name) => spine.addChat(agent, 'web', name));
  if (old === undefined || recent === undefined) throw new Error('no chats');
  await spine.say(old, 'hello');
  await spine.say(recent, 'hello', { receivedAt: Date.now() + 1_000 });
  spine.transcript.flush();
  await request(set);
  await until('the card is sent', () => web.visible.length === 1);
  expect(web.visible[0]?.address.platformId).toBe('recent');
});

test('Who may: where there are buttons no text approves, whatever an agent made the person type', async () => {
  const set = setUp();
  const { spine, channel, agent, addAdmin } = set;
  channel.abilities.canAsk = true;
  const own = addAdmin(ADA, agent.id);
  const id = await request(set);
  await until('the card is sent', () => channel.visible.length === 1);
  const card = spine.approvals.whereAsked(id)?.messageId as MessageId;
  for (const text of ['1', 'Let in', `1 ${spine.approvals.codeOf(id)}`]) {
    const { messageId } = await spine.say(own, text, { senderId: ADA });
    expect(spine.transcript.get(messageId)).toMatchObject({ text, inReplyTo: null });
  }
  expect(state(set, id)).toBe('pending');
  expect(spine.questions.answer(card, { choice: 'Let in', by: ADA, from: own.id })).toMatchObject({ kind: 'accepted' });
});

test('Who may: two cards in one chat, and a bare text decides neither', async () => {
  const set = setUp();
  const { spine, channel, agent, addAdmin } = set;
  const own = addAdmin(ADA, agent.id);
  const [zoe, yan] = [await request(set), await request(set, { subjectKey: 'yan', title: 'Let Yan in?' })];
  await until('both cards are sent', () => channel.visible.length === 2);
  const code = spine.approvals.codeOf(zoe);
  for (const text of ['1', 'Let in']) {
    const outcome = await spine.router.receive(spine.event(own, text, { senderId: ADA }));
    expect(outcome).toMatchObject({ kind: 'dropped', reason: 'unclear_answer' });
    expect((outcome as { tell: string }).tell).toContain(`“${text} ${code}” for “Let Zoe in?”`);
  }
  expect([zoe, yan].map((id) => state(set, id))).toEqual(['pending', 'pending']);
  await spine.router.receive(spine.event(own, `1 ${code}`, { senderId: ADA }));
  expect(state(set, zoe)).not.toBe('pending');
  expect(state(set, yan)).toBe('pending');
});

test('Who may: an agent that writes under a card gets no approval from the “1” it asked for', async () => {
  const set = setUp();
  const { spine, channel, agent, addAdmin } = set;
  const own = addAdmin(ADA, agent.id);
  const { session, messageId, paths } = await spine.say(own, 'hello', { senderId: ADA });
  const id = await request(set);
  await until('the card is sent', () => channel.visible.length === 1);
  spine.container(paths).send({
    destination: 'own-test-ada',
    channelType: 'test',
    platformId: own.platformId,
    inReplyTo: messageId,
    content: { text: 'Shall I go on? 1 for yes, 2 for no.' },
  });
  spine.delivery.ring(session.id);
  await until('the trap is sent', () => channel.visible.length === 2);
  const outcome = await spine.router.receive(spine.event(own, '1', { senderId: ADA }));
  expect(outcome).toMatchObject({ kind: 'dropped', reason: 'unclear_answer' });
  expect(state(set, id)).toBe('pending');
});
