/** Questions and approvals over the API: what a page and a script see, and what each refusal says. */
import { expect, test } from 'vitest';
import type { Session } from '../../../host/store/sessions.ts';
import { type ApprovalId, type MessageId, makeId, type UserId } from '../../../shared/ids.ts';
import { type ApiFixture, OWNER, startApi } from '../../support/api-server.ts';
import { openEvents } from '../../support/event-reader.ts';
import { until } from '../../support/until.ts';

const CONTENT = { title: 'Colour', question: 'Which colour?', options: ['Blue', 'Red'] };

async function ask(api: ApiFixture, timeoutS?: number): Promise<{ session: Session; id: MessageId }> {
  const { spine } = api;
  const channel = spine.addChannel('web');
  channel.abilities.canAsk = true;
  const session = api.openSession('Colours');
  const chat = spine.chats.get(session.messagingGroupId as NonNullable<Session['messagingGroupId']>);
  if (chat === null) throw new Error('no chat');
  const { paths } = await spine.say(chat, 'hello', { senderId: OWNER });
  const destination = spine.destinations.listFor(api.agent.id)[0]?.localName ?? '';
  const route = { destination, channelType: 'web', platformId: chat.platformId };
  const content = timeoutS === undefined ? CONTENT : { ...CONTENT, timeoutS };
  const id = spine.container(paths).send({ ...route, kind: 'question', content }) as MessageId;
  spine.delivery.ring(session.id);
  await until('it is delivered', () => spine.transcript.get(id)?.state === 'delivered');
  return { session, id };
}

test('a question shows its options, is answered once, and then shows who, what and when, in the events too', async () => {
  const api = await startApi();
  const { session, id } = await ask(api);
  const open = (await api.call(`/messages/${id}`)).json;
  expect(open).toMatchObject({
    kind: 'chat',
    question: { ...CONTENT, state: 'pending', answer: null, answeredBy: null, approvalId: null, outcome: null },
  });
  expect(open.question.expiresAt).toBeGreaterThan(Date.now() + 23 * 3_600_000);
  const events = await openEvents(api, `?session=${session.id}`);
  const answered = await api.call(`/messages/${id}/answer`, { method: 'POST', json: { choice: 'red' } });
  expect(answered.status).toBe(200);
  expect(answered.json.question).toMatchObject({ state: 'answered', answer: 'Red', answeredBy: 'Owner' });
  expect(answered.json.question.answeredAt).toBeLessThanOrEqual(Date.now());
  const event = await until('the end is told', () =>
    events.events.find(
      ({ data }) => data.id === id && typeof data.question === 'object' && data.question?.state === 'answered',
    ),
  );
  expect(event.data.revision).toBeGreaterThan(open.revision);
  const again = await api.call(`/messages/${id}/answer`, { method: 'POST', json: { choice: 'Blue' } });
  expect(again.status).toBe(409);
  expect(again.json.error).toMatchObject({ code: 'already_answered', message: 'Owner chose “Red” already.' });
});

test('what is no answer is refused with what was expected', async () => {
  const api = await startApi();
  const { session, id } = await ask(api, 3_600);
  const post = (path: string, json: unknown) => api.call(path, { method: 'POST', json });
  const none = await post(`/messages/${id}/answer`, { choice: 'Green' });
  expect(none.status).toBe(400);
  expect(none.json.error).toMatchObject({
    code: 'no_such_option',
    message: 'That is none of the options: 1. Blue, 2. Red.',
  });
  for (const body of [
    {},
    { choice: '' },
    { choice: 1 },
    { choice: 'Blue', by: 'web:other' },
    { choice: 'x'.repeat(500) },
  ]) {
    expect((await post(`/messages/${id}/answer`, body)).status).toBe(400);
  }
  expect((await post(`/messages/${makeId('message')}/answer`, { choice: '1' })).status).toBe(404);
  expect(
    (await api.call(`/messages/${id}/answer`, { method: 'POST', json: { choice: '1' }, as: 'nobody' })).status,
  ).toBe(401);
  // A message that asks nothing.
  const said = (await post(`/sessions/${session.id}/messages`, { text: 'hello again' })).json;
  expect(said.question).toBeNull();
  expect((await post(`/messages/${said.id}/answer`, { choice: '1' })).status).toBe(404);
  const base = Date.now();
  api.spine.now = () => base + 3_601_000;
  const late = await post(`/messages/${id}/answer`, { choice: 'Blue' });
  expect(late.status).toBe(410);
  expect(late.json.error.code).toBe('expired');
});

test('a person who signed in and may nothing is refused', async () => {
  const api = await startApi();
  const { id } = await ask(api);
  const guest = 'web:guest' as UserId;
  api.spine.users.ensure(guest, 'Guest', 0);
  const cookie = `${api.cookieName}=${api.logins.create('cookie', guest, Date.now()).token}`;
  const call = {
    method: 'POST',
    as: 'nobody' as const,
    headers: { cookie, origin: api.origin },
    json: { choice: '1' },
  };
  // What they may not see is not there.
  expect((await api.call(`/messages/${id}/answer`, call)).status).toBe(404);
  useRules(api);
  const approval = request(api);
  expect((await api.call(`/approvals/${approval}/decide`, call)).status).toBe(404);
});

test('a number posted in the chat is the answer, and stands in the conversation under its client id', async () => {
  const api = await startApi();
  const { session, id } = await ask(api);
  const post = () =>
    api.call(`/sessions/${session.id}/messages`, { method: 'POST', json: { text: '1', clientId: 'client-0001' } });
  const first = await post();
  expect(first.status).toBe(201);
  expect(first.json).toMatchObject({ text: '1', direction: 'in', inReplyTo: id, sessionId: session.id });
  const second = await post();
  expect(second.status).toBe(200);
  expect(second.json.id).toBe(first.json.id);
  expect(api.spine.questions.get(id)).toMatchObject({ state: 'answered', answer: 'Blue' });
});

const REQUEST = {
  action: 'admit_sender',
  payload: { user: 'test:zoe' },
  subjectKey: 'zoe',
  agentGroupId: null,
  requester: { kind: 'host', sessionId: null },
  title: 'Let Zoe in?',
  question: 'Zoe wrote to main.',
  options: ['Let in', 'Turn away'],
  approving: ['Let in'],
} as const;

function useRules({ spine }: ApiFixture): void {
  spine.approvalRules.admit_sender = {
    describe: () => ({ kind: 'possible', lines: ['Zoe becomes a member of main'] }),
    carryOut: async () => ({ outcome: 'Zoe may talk.' }),
  };
}

function request({ spine }: ApiFixture): ApprovalId {
  const requested = spine.approvals.requestApproval(REQUEST);
  if (requested.kind === 'refused') throw new Error(requested.why);
  return requested.id;
}

test('approvals are listed with all that is approved, and decided once', async () => {
  const api = await startApi();
  const { spine } = api;
  useRules(api);
  spine.addChannel('web');
  const session = api.openSession();
  const id = request(api);
  const listed = (await api.call('/approvals?state=pending')).json;
  expect(listed.items).toHaveLength(1);
  expect(listed.items[0]).toMatchObject({
    id,
    action: 'admit_sender',
    payload: { user: 'test:zoe' },
    options: [
      { text: 'Let in', approves: true },
      { text: 'Turn away', approves: false },
    ],
    state: 'pending',
    asked: { chatId: session.messagingGroupId },
  });
  const cardId = listed.items[0].asked.messageId;
  expect((await api.call(`/messages/${cardId}`)).json.question).toMatchObject({ approvalId: id, state: 'pending' });
  const decided = await api.call(`/approvals/${id}/decide`, { method: 'POST', json: { choice: '1' } });
  expect(decided.status).toBe(200);
  expect(decided.json).toMatchObject({ choice: 'Let in', decidedBy: { id: OWNER, name: 'Owner' } });
  await until('it is carried out', async () => (await api.call(`/approvals/${id}`)).json.state === 'applied');
  await until('the card says so', async () => {
    const { question } = (await api.call(`/messages/${cardId}`)).json;
    return question.state === 'answered' && question.outcome === 'Zoe may talk.';
  });
  const again = await api.call(`/approvals/${id}/decide`, { method: 'POST', json: { choice: '2' } });
  expect(again.status).toBe(409);
  expect((await api.call('/approvals?state=pending')).json.items).toEqual([]);
  expect((await api.call('/approvals')).json.items).toHaveLength(1);
  expect((await api.call(`/approvals/${makeId('approval')}`)).status).toBe(404);
  expect((await api.call('/approvals?state=odd')).status).toBe(400);
});

test('an approval reaches open pages as it is asked, decided with a reason and carried out; a code finds it', async () => {
  const api = await startApi();
  useRules(api);
  const events = await openEvents(api);
  await events.next('ready');
  const id = request(api);
  const asked = await events.next('approval');
  expect(asked.data).toMatchObject({ id, state: 'pending', consequence: ['Zoe becomes a member of main'], votes: [] });
  const { code } = asked.data;
  const found = (await api.call(`/approvals?code=${code?.toLowerCase()}`)).json.items;
  expect(found.map((one: { id: string }) => one.id)).toEqual([id]);
  expect((await api.call('/approvals?code=0000')).json.items).toEqual([]);
  const json = { choice: 'approve', note: 'she is new in the team' };
  expect((await api.call(`/approvals/${id}/decide`, { method: 'POST', json })).status).toBe(200);
  const over = await until('it is carried out', () =>
    events.events.find(({ event, data }) => event === 'approval' && data.state === 'applied'),
  );
  expect(over.data).toMatchObject({ note: 'she is new in the team', outcome: 'Zoe may talk.', votes: [{ id: OWNER }] });
  const { history } = (await api.call(`/approvals/${id}`)).json;
  expect(history.map((entry: { kind: string }) => entry.kind)).toEqual([
    ...['approval.requested', 'approval.approved', 'approval.applied'],
  ]);
});
