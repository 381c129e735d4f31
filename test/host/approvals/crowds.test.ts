/** Many at once, and a long past: nobody's requests stand in the way of another's, and what is over costs nothing. */
import { expect, it } from 'vitest';
import { ApprovalStore } from '../../../host/store/approvals.ts';
import { makeId } from '../../../shared/ids.ts';
import { ADA, Court } from './court.ts';

/** What the host asks because of a stranger. */
function askAboutStranger(court: Court, number: number) {
  return court.spine.approvals.requestApproval({
    ...court.makeRequest({ subjectKey: `stranger ${number}`, payload: { number } }),
    requester: { kind: 'host', sessionId: null },
  });
}

it('an agent’s request is shown to an admin whose chat is full of strangers', async () => {
  const court = await new Court().open();
  court.addAdmin(ADA);
  const strangers = Array.from({ length: 20 }, (_, number) => askAboutStranger(court, number));
  expect(strangers.every(({ kind }) => kind === 'asked')).toBe(true);
  const request = court.ask();
  await court.cardShows(request, ADA, 'cowsay');
});

it('an agent may ask when as many strangers wait as may, and the other way round', async () => {
  const court = await new Court().open();
  for (let number = 0; number < 500; number++) askAboutStranger(court, number);
  expect(askAboutStranger(court, 500)).toMatchObject({ kind: 'refused', why: expect.stringContaining('500') });
  expect(court.ask().state).toBe('pending');
});

it('a code that stood on a card lately names nothing else: a message that comes late decides nothing', async () => {
  const court = await new Court().open();
  court.addAdmin(ADA);
  const first = court.ask();
  court.decide(first, ADA, 'Reject');
  const codes = [first.code, first.code, '7K2Q'];
  const rows = new ApprovalStore(court.spine.db, () => codes.shift() ?? 'none');
  const id = makeId('approval');
  expect(rows.insert({ ...first, id, subjectKey: 'another', requesterMessageId: makeId('message') })).toBe('7K2Q');
});

it('when no code is free of the past, one that is free now is taken', async () => {
  const court = await new Court().open();
  court.addAdmin(ADA);
  const first = court.ask();
  court.decide(first, ADA, 'Reject');
  const rows = new ApprovalStore(court.spine.db, () => first.code);
  const id = makeId('approval');
  expect(rows.insert({ ...first, id, subjectKey: 'another', requesterMessageId: makeId('message') })).toBe(first.code);
});

it('what waits is found, counted and asked for at the same cost however much is over', async () => {
  const court = await new Court().open();
  const { id } = court.ask();
  court.spine.db
    .prepare(
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
       INSERT INTO pending_approvals (id, code, action, subject_key, request_hash, payload, consequence, agent_group_id,
         requester_session_id, requester_message_id, title, question, options, quorum, state, expires_at, created_at)
       SELECT substr(id, 1, 20) || printf('%06d', i), 'OLDS', action, 'old' || i, request_hash, payload, consequence,
         agent_group_id, requester_session_id, 'msg' || i, title, question, options, 1, 'expired', 1, 1
       FROM pending_approvals, n WHERE id = ?`,
    )
    .run(id);
  const { approvals, visible } = { approvals: court.spine.approvalRows, visible: court.spine.visible };
  const scope = { ids: [], adminOf: [court.agent.id], memberOf: [] };
  // Of the processor: what passes on the wall is the machine's.
  const before = process.cpuUsage();
  for (let at = 0; at < 50; at++) {
    expect(approvals.list(50, null, 'pending').map((one) => one.id)).toEqual([id]);
    expect(visible.listApprovals(scope, 50, null, 'pending')).toEqual([id]);
    expect(approvals.countOf(court.agent.id, 1_000)).toEqual({ pending: 1, asked: 1 });
    expect(approvals.listPendingOf(court.agent.id)).toHaveLength(1);
  }
  // Past all that is over it takes ten times as long, and more.
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1_000).toBeLessThan(200);
});
