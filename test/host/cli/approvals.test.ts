/** `approvals` and `answer` against the real API. */
import { expect, test } from 'vitest';
import type { ApprovalId, MessageId } from '../../../shared/ids.ts';
import { type ApiFixture, startApi } from '../../support/api-server.ts';
import { until } from '../../support/until.ts';
import { portolan } from './support/run.ts';

function request(api: ApiFixture, name: string): ApprovalId {
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
  const run = (...words: string[]) => portolan(api.spine.home, words, { columns: 160 });
  expect((await run('approvals')).out).toContain('Nothing waits for an admin.');
  const id = request(api, 'Zoe');
  const code = api.spine.approvals.codeOf(id) ?? '';
  const listed = await run('approvals');
  expect(listed).toMatchObject({ code: 0, err: '' });
  expect(listed.out).toMatch(
    new RegExp(`${code} +pending .* Let Zoe.*in\\? +Zoe becomes a member +1 Let in, 2 Turn away`),
  );
  expect(listed.out).not.toContain('\u001b');
  const json = JSON.parse((await run('approvals', 'list', '--json')).out);
  expect(json.items).toMatchObject([{ id, code, payload: { user: 'Zoe' }, consequence: ['Zoe becomes a member'] }]);
  const decided = await run('approvals', 'decide', id.slice(-8), '1');
  expect(decided).toMatchObject({ code: 0, err: '' });
  expect(decided.out).toContain('Let in: Let Zoe');
  await until('it is carried out', () => api.spine.approvals.get(id as never)?.state === 'applied');
  expect((await run('approvals')).out).toContain('Nothing waits');
  expect((await run('approvals', '--all')).out).toMatch(/applied .*Zoe may talk\./);
  const again = await run('approvals', 'decide', id, 'Turn', 'away');
  expect(again.code).not.toBe(0);
  expect(again.err).toContain('Owner chose “Let in” already.');
  expect((await run('approvals', 'decide', 'zzzzzz', '1')).err).toContain('There is no approval "zzzzzz".');
});

test('an approval is shown whole with its history, and decided by its code with a reason', async () => {
  const api = await startApi();
  const run = (...words: string[]) => portolan(api.spine.home, words, { columns: 120 });
  const id = request(api, 'Zoe');
  const code = api.spine.approvals.codeOf(id) ?? '';
  const shown = await run('approvals', 'show', code.toLowerCase());
  expect(shown).toMatchObject({ code: 0, err: '' });
  for (const words of ['If approved:\n- Zoe becomes a member', '"user": "Zoe"', `portolan approvals reject ${code}`]) {
    expect(shown.out).toContain(words);
  }
  const rejected = await run('approvals', 'reject', code, '--because', 'we do not know her');
  expect(rejected).toMatchObject({ code: 0, err: '' });
  expect(rejected.out).toMatch(/^Turn away: Let Zoe.* It is rejected\./);
  const over = await run('approvals', 'show', id, '--json');
  expect(JSON.parse(over.out)).toMatchObject({
    ...{ state: 'rejected', note: 'we do not know her', votes: [{ name: 'Owner', choice: 'Turn away' }] },
    history: [
      { kind: 'approval.requested', by: null },
      { kind: 'approval.rejected', by: { name: 'Owner' }, detail: { note: 'we do not know her' } },
      {},
    ].slice(0, JSON.parse(over.out).history.length),
  });
  expect((await run('approvals', 'approve', code)).err).toContain('Owner chose “Turn away” already.');
});

test('owners say how many must approve, and hear when too few people can', async () => {
  const api = await startApi();
  const run = (...words: string[]) => portolan(api.spine.home, words, { columns: 120 });
  expect((await run('approvals', 'policy')).out).toMatch(/install_packages +1 +24h +30m/);
  const set = await run(
    'approvals',
    'policy',
    'admit_sender',
    '--approvals',
    '2',
    '--expires',
    '2d',
    '--ask-next',
    '90m',
  );
  expect(set).toMatchObject({ code: 0, err: '' });
  expect(set.out).toMatch(/admit_sender +2 +2d +90m/);
  expect(set.out).toContain(
    '! admit_sender: For an agent without admins of its own: only 1 person may decide this now: it cannot be approved until 1 more can.',
  );
  const json = JSON.parse((await run('approvals', 'policy', 'admit_sender', '--json')).out);
  expect(json).toMatchObject({ action: 'admit_sender', quorum: 2, expiresAfterMs: 2 * 86_400_000, revision: 1 });
  request(api, 'Zoe');
  const [waiting] = api.spine.approvals.list(1, null, 'pending');
  const first = await run('approvals', 'approve', waiting?.code ?? '');
  expect(first.out).toContain('1 of 2 approved.');
  expect((await run('approvals')).out).toContain('pending 1/2');
  expect((await run('approvals', 'approve', waiting?.code ?? '')).err).toContain('You approved');
  for (const [words, told] of [
    [['policy', 'fly'], 'There is no action "fly".'],
    [['policy', 'admit_sender', '--approvals', '6'], '--approvals does not take "6".'],
    [['policy', 'admit_sender', '--expires', 'soon'], '--expires does not take "soon".'],
    [['policy', 'admit_sender', '--expires', '1s'], 'expiresAfterMs'],
  ] as const) {
    const refused = await run('approvals', ...words);
    expect(refused.code).not.toBe(0);
    expect(refused.err).toContain(told);
  }
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
