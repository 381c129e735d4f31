/** `approvals` and `answer` against the real API. */
import { expect, test } from 'vitest';
import type { MessageId } from '../../../shared/ids.ts';
import { type ApiFixture, startApi } from '../../support/api-server.ts';
import { until } from '../../support/until.ts';
import { portolan } from './support/run.ts';

function request(api: ApiFixture, name: string): string {
  api.spine.approvalRules.admit_sender = {
    describe: () => ({ kind: 'possible', lines: [`${name} becomes a member`] }),
    carryOut: async () => ({ outcome: `${name} may talk.` }),
  };
  const requested = api.spine.approvals.requestApproval({
    action: 'admit_sender',
    payload: { user: name },
    subjectKey: name,
    agentGroupId: null,
    requester: { kind: 'host', sessionId: null },
    title: `Let ${name}\u001b[31m in?`,
    question: `${name} wrote to main.`,
    options: ['Let in', 'Turn away'],
    approving: ['Let in'],
  });
  if (requested.kind === 'refused') throw new Error(requested.why);
  return requested.id;
}

test('approvals are listed without control characters, decided by a part of the id and a number, and stay in --all', async () => {
  const api = await startApi();
  const run = (...words: string[]) => portolan(api.spine.home, words, { columns: 120 });
  expect((await run('approvals')).out).toContain('Nothing waits for an admin.');
  const id = request(api, 'Zoe');
  const listed = await run('approvals');
  expect(listed).toMatchObject({ code: 0, err: '' });
  expect(listed.out).toMatch(/pending .* Let Zoe.*in\? +1 Let in, 2 Turn away/);
  expect(listed.out).not.toContain('\u001b');
  const json = JSON.parse((await run('approvals', 'list', '--json')).out);
  expect(json.items).toMatchObject([{ id, payload: { user: 'Zoe' } }]);
  const decided = await run('approvals', 'decide', id.slice(-8), '1');
  expect(decided).toMatchObject({ code: 0, err: '' });
  expect(decided.out).toContain('“Let in” for Let Zoe');
  await until('it is carried out', () => api.spine.approvals.get(id as never)?.state === 'applied');
  expect((await run('approvals')).out).toContain('Nothing waits');
  expect((await run('approvals', '--all')).out).toMatch(/applied .*Zoe may talk\./);
  const again = await run('approvals', 'decide', id, 'Turn', 'away');
  expect(again.code).not.toBe(0);
  expect(again.err).toContain('Owner chose “Let in” already.');
  expect((await run('approvals', 'decide', 'zzzzzz', '1')).err).toContain('There is no approval "zzzzzz".');
});

test('a question is answered by a part of its message’s id, or as the last that waits', async () => {
  const api = await startApi();
  const { spine } = api;
  spine.addChannel('web');
  const session = api.openSession();
  const chat = spine.chats.get(session.messagingGroupId as NonNullable<typeof session.messagingGroupId>);
  if (chat === null) throw new Error('no chat');
  const { paths } = await spine.say(chat, 'hello', { senderId: api.parts.owner });
  const id = spine.container(paths).send({
    kind: 'question',
    destination: spine.destinations.listFor(api.agent.id)[0]?.localName ?? '',
    ...{ channelType: 'web', platformId: chat.platformId },
    content: { title: 'Colour', question: 'Which?', options: ['Deep blue', 'Red'] },
  }) as MessageId;
  spine.delivery.ring(session.id);
  await until('it is asked', () => spine.transcript.get(id)?.state === 'delivered');
  const none = await portolan(spine.home, ['answer', id, 'Green']);
  expect(none.err).toContain('That is none of the options: 1. Deep blue, 2. Red.');
  const last = await portolan(spine.home, ['answer', 'last', 'Green']);
  expect(last.err).toBe(none.err);
  const answered = await portolan(spine.home, ['answer', id.slice(-8), 'deep', 'blue']);
  expect(answered).toMatchObject({ code: 0, out: 'Answered: “Deep blue”.\n', err: '' });
});
