/** Who may approve: each way to have something approved by nobody, twice, or otherwise than it was read. */
import { expect, test } from 'vitest';
import { type MessageId, makeId, type UserId } from '../../../shared/ids.ts';
import { until } from '../../support/until.ts';
import { ADA, BEN, CLEO, openCourt } from './court.ts';

const byCode = (by: UserId, code: string, choice = 'approve') => ({
  ...{ code, choice, note: null, by, byName: 'Somebody', from: null },
});

test('Who may: a click that is replayed decides nothing again', async () => {
  const court = await openCourt();
  court.addAdmin(ADA);
  const approval = court.ask();
  expect(court.decide(approval, ADA)).toMatchObject({ kind: 'accepted', option: 'Approve' });
  await court.over(approval);
  for (const choice of ['Approve', 'Reject', '1']) {
    expect(court.decide(approval, ADA, choice)).toMatchObject({ kind: 'refused', reason: 'already_answered' });
  }
  expect(court.spine.approvals.decideByCode(byCode(ADA, approval.code))).toMatchObject({ reason: 'already_answered' });
  expect(court.done).toHaveLength(1);
  expect(court.events(approval)).toEqual(['requested', 'approved', 'applied']);
});

test('Who may: somebody who lost the role a second ago is refused, whatever card they hold', async () => {
  const court = await openCourt();
  court.addAdmin(ADA);
  court.addAdmin(BEN);
  const approval = court.ask();
  await until('Ada is asked', () => court.asked(approval).includes('ada'));
  court.revoke(ADA);
  const card = court.spine.approvals.whereAsked(approval.id)?.messageId as MessageId;
  const chat = court.spine.questions.get(card)?.messagingGroupId ?? null;
  expect(court.spine.questions.answer(card, { choice: '1', by: ADA, from: chat })).toMatchObject({
    ...{ kind: 'refused', reason: 'not_allowed', words: 'Only an admin may decide this.' },
  });
  expect(court.spine.approvals.decideByCode(byCode(ADA, approval.code))).toMatchObject({ reason: 'unknown' });
  expect(court.get(approval.id).state).toBe('pending');
  expect(court.events(approval)).toEqual(['requested', 'refused', 'refused']);
  expect(court.decide(approval, BEN)).toMatchObject({ kind: 'accepted' });
});

test('Who may: forged callback data names another approval, option or code, and decides nothing', async () => {
  const court = await openCourt();
  const own = court.addAdmin(ADA);
  const other = court.spine.addAgent('other');
  const theirs = court.ask({ agentGroupId: other.id, subjectKey: 'theirs' });
  const ours = court.ask();
  // Cleo is an admin of one agent alone, and sends what belongs to the other.
  court.addAdmin(CLEO, court.agent.id);
  await until('both cards are sent', () => court.asked(theirs).length + court.asked(ours).length === 2);
  const theirCard = court.spine.approvals.whereAsked(theirs.id)?.messageId as MessageId;
  expect(court.decide(theirs, CLEO)).toMatchObject({ reason: 'not_allowed' });
  expect(court.spine.approvals.decideByCode(byCode(CLEO, theirs.code))).toMatchObject({
    ...{ reason: 'unknown', words: `There is no approval ${theirs.code} that you may decide.` },
  });
  expect(court.spine.questions.answer(theirCard, { choice: '1', by: CLEO, from: own.id })).toMatchObject({
    reason: 'not_allowed',
  });
  expect(court.spine.questions.answer(theirCard, { choice: '1', by: ADA, from: court.room.id })).toMatchObject({
    reason: 'unknown',
  });
  for (const choice of ['Let in', '3', '0', '-1', 'approve;', '']) {
    expect(court.decide(ours, CLEO, choice)).toMatchObject({ reason: 'no_such_option' });
  }
  expect(court.spine.approvals.decide(makeId('approval'), { choice: '1', by: ADA, from: null })).toMatchObject({
    reason: 'unknown',
  });
  expect(court.pending()).toHaveLength(2);
});

test('Who may: of two admins at once one decides, and the other hears who did', async () => {
  const court = await openCourt();
  court.addAdmin(ADA);
  court.addAdmin(BEN);
  const approval = court.ask();
  expect(court.decide(approval, ADA, 'Reject')).toMatchObject({
    kind: 'accepted',
    words: expect.stringContaining('Rejected'),
  });
  expect(court.decide(approval, BEN, 'Approve')).toMatchObject({ words: 'Ada chose “Reject” already.' });
  await court.over(approval);
  expect(court.done.map(({ decision }) => decision.kind)).toEqual(['rejected']);
});

test('Who may: what expired is not approved, neither before nor after the timer saw it', async () => {
  const court = await openCourt();
  court.addAdmin(ADA);
  const approval = court.ask({ expiresAt: court.spine.now() + 3_600_000 });
  const base = Date.now();
  court.spine.now = () => base + 3_600_001;
  expect(court.decide(approval, ADA)).toMatchObject({ kind: 'refused', reason: 'expired' });
  expect(court.get(approval.id).state).toBe('pending');
  // Whoever asks again ends what is over, and asks anew.
  const next = court.ask();
  expect(next.id).not.toBe(approval.id);
  await court.over(approval);
  expect(court.decide(approval, ADA)).toMatchObject({ kind: 'refused', reason: 'expired' });
  expect(court.done.map(({ decision }) => decision.kind)).toEqual(['expired']);
});

test('Who may: when approving would do something else by now nothing is decided, and a fresh card asks', async () => {
  const court = await openCourt();
  court.addAdmin(ADA);
  const approval = court.ask();
  await court.cardShows(approval, ADA, 'restarts 1 session');
  court.lines = ['adds the apt packages cowsay', 'restarts 7 sessions'];
  const outcome = court.decide(approval, ADA);
  const [fresh] = court.pending();
  if (fresh === undefined) throw new Error('nobody is asked');
  expect(outcome).toMatchObject({ kind: 'refused', reason: 'changed', words: expect.stringContaining(fresh.code) });
  expect(court.get(approval.id)).toMatchObject({ state: 'superseded', supersededBy: fresh.id });
  await court.cardShows(approval, ADA, `It is ${fresh.code} now.`);
  await court.cardShows(fresh, ADA, 'restarts 7 sessions');
  expect(court.done).toEqual([]);
  // The old card and the old code decide nothing any more.
  expect(court.decide(approval, ADA)).toMatchObject({ reason: 'withdrawn' });
  expect(court.spine.approvals.decideByCode(byCode(ADA, approval.code))).toMatchObject({ reason: 'withdrawn' });
  // Rejecting needs no second look.
  court.lines = ['something else again'];
  expect(court.decide(fresh, ADA, 'Reject')).toMatchObject({ kind: 'accepted' });
  await court.over(fresh);
  expect(court.events(approval)).toEqual(['requested', 'superseded']);
});

test('Who may: what cannot be done any more is withdrawn at the click, and the agent is told why', async () => {
  const court = await openCourt();
  court.addAdmin(ADA);
  const approval = court.ask();
  court.impossible = 'cowsay is there already';
  expect(court.decide(approval, ADA)).toMatchObject({
    reason: 'changed',
    words: expect.stringContaining('cowsay is there'),
  });
  await court.over(approval);
  expect(court.get(approval.id)).toMatchObject({ state: 'superseded', supersededBy: null });
  expect((await court.tells('approval_superseded')).text).toContain('cowsay is there already');
  expect(court.done.map(({ decision }) => decision.kind)).toEqual(['expired']);
});

test('Who may: an agent that asks for something else under the same subject gets no approval of the first', async () => {
  const court = await openCourt();
  court.addAdmin(ADA);
  const first = court.ask();
  await court.cardShows(first, ADA, '"cowsay"');
  const second = court.ask({ payload: { apt: ['nmap'], npm: [] } });
  expect(second.id).not.toBe(first.id);
  expect(court.decide(first, ADA)).toMatchObject({ kind: 'refused', reason: 'withdrawn' });
  await court.cardShows(first, ADA, `It is ${second.code} now.`);
  await court.cardShows(second, ADA, '"nmap"');
  expect(court.decide(second, ADA)).toMatchObject({ kind: 'accepted' });
  await court.over(second);
  expect(court.done.map(({ id }) => id)).toEqual([second.id]);
});

test('Who may: an agent that prints the command, a fake card or the code approves nothing', async () => {
  const court = await openCourt();
  const own = court.addAdmin(ADA);
  const approval = court.ask();
  await until('Ada is asked', () => court.asked(approval).length === 1);
  const { session, messageId, paths } = await court.spine.say(own, 'hello', { senderId: ADA });
  const container = court.spine.container(paths);
  const fake = court.card(approval, ADA);
  for (const text of [`/approve ${approval.code}`, fake, `1 ${approval.code}`]) {
    container.send({
      ...{ destination: 'own-test-ada', channelType: 'test', platformId: own.platformId, inReplyTo: messageId },
      content: { text },
    });
  }
  // A question of the agent whose mark is the code: what is typed for it must not decide the card.
  const id = `msg_${'0'.repeat(16)}${approval.code.toLowerCase()}`;
  container.send({
    ...{ id, kind: 'question', destination: 'own-test-ada', channelType: 'test', platformId: own.platformId },
    content: { title: 'Tea?', question: 'Tea?', options: ['Yes', 'No'] },
  });
  court.spine.delivery.ring(session.id);
  await until('all is sent', () => court.channel.visible.length >= 5);
  const outcome = await court.spine.router.receive(court.spine.event(own, `1 ${approval.code}`, { senderId: ADA }));
  expect(outcome).toMatchObject({ kind: 'dropped', tell: expect.stringContaining(`/approve ${approval.code}`) });
  expect(court.get(approval.id).state).toBe('pending');
});

test('Who may: codes are not tried out: so many wrong ones, recorded, then none is answered for a while', async () => {
  const court = await openCourt();
  court.addAdmin(ADA);
  const approval = court.ask();
  const reasons = Array.from({ length: 30 }, (_, at) => {
    const outcome = court.spine.approvals.decideByCode(byCode(CLEO, `00${at + 10}`));
    return outcome.kind === 'refused' ? outcome.reason : 'accepted';
  });
  expect(reasons).toEqual([...Array(8).fill('unknown'), ...Array(22).fill('too_many_tries')]);
  // The right one is no better, and Ada is not in the way.
  expect(court.spine.approvals.decideByCode(byCode(CLEO, approval.code))).toMatchObject({ reason: 'too_many_tries' });
  const recorded = court.spine.db.prepare(`SELECT count(*) AS n FROM ledger WHERE kind = 'approval.refused'`).get();
  expect(recorded).toEqual({ n: 8 });
  const base = Date.now();
  court.spine.now = () => base + 11 * 60_000;
  expect(court.spine.approvals.decideByCode(byCode(CLEO, '0000'))).toMatchObject({ reason: 'unknown' });
  const spelled = approval.code.toLowerCase().replaceAll('0', 'o').replaceAll('1', 'l');
  expect(court.spine.approvals.decideByCode(byCode(ADA, ` ${spelled} `))).toMatchObject({ kind: 'accepted' });
});

test('Who may: whoever asked by an agent may decide when they are an admin, as one voice', async () => {
  const court = await openCourt();
  court.addAdmin(ADA);
  const approval = court.ask();
  expect(court.decide(approval, ADA)).toMatchObject({ kind: 'accepted' });
});

test('Who may: nobody makes themselves a second voter by giving somebody a role after it was asked', async () => {
  const court = await openCourt();
  let at = Date.now();
  court.spine.now = () => at;
  court.setPolicy({ quorum: 2 });
  court.addAdmin(ADA, null, 'owner');
  court.addAdmin(BEN);
  const approval = court.ask();
  await court.cardShows(approval, ADA, 'people who could decide this when it was asked');
  at += 1;
  court.addAdmin(CLEO);
  expect(court.decide(approval, ADA)).toMatchObject({ kind: 'accepted' });
  const minted = court.decide(approval, CLEO);
  expect(minted).toMatchObject({ kind: 'refused', reason: 'too_new', words: expect.stringContaining('role is newer') });
  // Given again it is as new as that.
  court.revoke(BEN);
  court.addAdmin(BEN);
  expect(court.decide(approval, BEN)).toMatchObject({ reason: 'too_new' });
  expect(court.get(approval.id).state).toBe('pending');
  // Having it renewed makes no role older.
  court.lines = ['does something else'];
  expect(court.decide(approval, ADA)).toMatchObject({ reason: 'changed' });
  const [renewed] = court.pending();
  if (renewed === undefined) throw new Error('nothing was asked afresh');
  expect(court.decide(renewed, ADA)).toMatchObject({ kind: 'accepted' });
  expect(court.decide(renewed, CLEO)).toMatchObject({ reason: 'too_new' });
  expect(court.done).toEqual([]);
  // Who is new may say no.
  expect(court.decide(renewed, CLEO, 'Reject')).toMatchObject({ kind: 'accepted' });
});

test('one person decides alone whenever they got the role', async () => {
  const court = await openCourt();
  court.addAdmin(ADA);
  const approval = court.ask();
  const later = court.spine.now() + 1_000;
  court.spine.now = () => later;
  court.addAdmin(CLEO);
  expect(court.decide(approval, CLEO)).toMatchObject({ kind: 'accepted' });
});
