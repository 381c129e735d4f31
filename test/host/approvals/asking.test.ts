/** Who is asked, how many must approve, and how long. */
import { expect, test } from 'vitest';
import { makeId, type UserId } from '../../../shared/ids.ts';
import { until } from '../../support/until.ts';
import { ADA, BEN, CLEO, type Court, openCourt } from './court.ts';

const DAN = 'test:dan' as UserId;

function change(
  court: Court,
  by: UserId,
  patch: { quorum?: number; expiresAfterMs?: number; askNextAfterMs?: number },
) {
  return court.spine.approvals.policies.change('install_packages', patch, null, { userId: by, isMachine: false });
}

test('two of three admins approve: the card shows who did, and nothing happens before the second', async () => {
  const court = await openCourt();
  for (const id of [ADA, BEN, CLEO]) court.addAdmin(id);
  court.setPolicy({ quorum: 2 });
  const approval = court.ask();
  // As many as must approve are asked at once.
  await until('two are asked', () => court.asked(approval).length === 2);
  expect(court.asked(approval)).toEqual(['ada', 'ben']);
  await court.cardShows(approval, BEN, '0 of 2 approved. One rejection rejects.');
  expect(court.decide(approval, ADA)).toMatchObject({ kind: 'accepted', words: expect.stringContaining('1 of 2') });
  await court.cardShows(approval, BEN, '1 of 2 approved: Ada.');
  expect(court.decide(approval, ADA)).toMatchObject({ kind: 'refused', reason: 'already_voted' });
  expect(court.get(approval.id).state).toBe('pending');
  expect(court.done).toEqual([]);
  expect(court.decide(approval, CLEO)).toMatchObject({ kind: 'accepted', words: expect.stringContaining('Approved') });
  await court.over(approval);
  await court.cardShows(approval, ADA, 'Ada, Cleo chose “Approve”');
  expect(court.card(approval, ADA)).not.toContain('of 2 approved');
  expect(court.events(approval)).toEqual(['requested', 'voted', 'approved', 'applied']);
  expect(court.done).toHaveLength(1);
});

test('Who may: a vote counts only while its person may decide, and linked identities are one person', async () => {
  const court = await openCourt();
  for (const id of [ADA, BEN, CLEO, DAN]) court.addAdmin(id);
  court.setPolicy({ quorum: 2 });
  const approval = court.ask();
  await until('two are asked', () => court.asked(approval).length === 2);
  court.link(ADA, BEN);
  expect(court.decide(approval, ADA)).toMatchObject({ kind: 'accepted' });
  expect(court.decide(approval, BEN)).toMatchObject({ reason: 'already_voted' });
  court.revoke(ADA);
  court.revoke(BEN);
  expect(court.decide(approval, CLEO)).toMatchObject({ words: expect.stringContaining('1 of 2') });
  await court.cardShows(approval, ADA, '1 of 2 approved: Cleo.');
  expect(court.get(approval.id).state).toBe('pending');
  expect(court.decide(approval, DAN)).toMatchObject({ words: expect.stringContaining('Approved') });
});

test('one rejection rejects, whoever approved before', async () => {
  const court = await openCourt();
  for (const id of [ADA, BEN]) court.addAdmin(id);
  court.setPolicy({ quorum: 2 });
  const approval = court.ask();
  await until('both are asked', () => court.asked(approval).length === 2);
  court.decide(approval, ADA);
  expect(court.decide(approval, BEN, 'reject', 'use  figlet\n**now**')).toMatchObject({ kind: 'accepted' });
  await court.over(approval);
  expect(court.get(approval.id)).toMatchObject({ state: 'rejected', decisionNote: 'use  figlet **now**' });
  await court.cardShows(approval, ADA, 'Ben chose “Reject”');
  expect(court.card(approval, ADA)).toContain('because “use figlet ·now·”');
});

test('a number of approvals that cannot be reached is said on the card and when it is set', async () => {
  const court = await openCourt();
  court.addAdmin(ADA, null, 'owner');
  const set = change(court, ADA, { quorum: 3 });
  expect(set).toMatchObject({
    kind: 'changed',
    policy: { quorum: 3, warning: expect.stringContaining('of its own: only 1 person') },
  });
  const approval = court.ask();
  await court.cardShows(approval, ADA, 'Only 1 person may decide this now: it cannot be approved until 2 more can.');
});

test('only owners change how approvals are decided; more people count for what waits too, and it is recorded', async () => {
  const court = await openCourt();
  court.addAdmin(ADA);
  court.addAdmin(BEN, null, 'owner');
  const approval = court.ask();
  expect(change(court, ADA, { quorum: 1 })).toMatchObject({ kind: 'refused', reason: 'not_allowed' });
  for (const patch of [{ quorum: 0 }, { quorum: 6 }, { expiresAfterMs: 1 }, { askNextAfterMs: 8 * 86_400_000 }]) {
    expect(change(court, BEN, patch)).toMatchObject({ kind: 'refused', reason: 'out_of_range' });
  }
  expect(change(court, BEN, { quorum: 2 })).toMatchObject({ kind: 'changed' });
  expect(court.spine.approvals.policies.change('install_packages', {}, 0, { userId: BEN, isMachine: false })).toEqual({
    kind: 'stale',
  });
  await until('both are asked', () => court.asked(approval).length === 2);
  await court.cardShows(approval, ADA, '0 of 2 approved');
  expect(court.decide(approval, ADA)).toMatchObject({ words: expect.stringContaining('1 of 2') });
  // Fewer count for what is asked from now on.
  expect(change(court, BEN, { quorum: 1 })).toMatchObject({ kind: 'changed' });
  expect(court.get(approval.id).quorum).toBe(2);
  const entries = court.spine.ledger.listAbout('install_packages', 10);
  expect(entries.map(({ kind, actor, detail }) => [kind, actor, detail.quorum])).toEqual([
    ['approval.policy', BEN, 2],
    ['approval.policy', BEN, 1],
  ]);
});

test('the next person is asked when nobody answers: admins of the agent, global admins, owners; earlier cards stay', async () => {
  const court = await openCourt();
  court.addAdmin(CLEO, null, 'owner');
  court.addAdmin(BEN);
  court.addAdmin(ADA, court.agent.id);
  court.setPolicy({ askNext: 60 });
  const approval = court.ask();
  await until('Ada is asked', () => court.asked(approval).length === 1);
  expect(court.asked(approval)).toEqual(['ada']);
  await until('Ben is asked too', () => court.asked(approval).length === 2);
  expect(court.asked(approval)).toEqual(['ada', 'ben']);
  await until('Cleo is asked too', () => court.asked(approval).length === 3);
  await until('nobody is left', () => court.get(approval.id).askNextAt === null);
  expect(court.channel.visible).toHaveLength(3);
  expect(court.decide(approval, ADA)).toMatchObject({ kind: 'accepted' });
  for (const id of [ADA, BEN, CLEO]) await court.cardShows(approval, id, 'Ada chose “Approve”');
});

test('somebody with two identities is asked once', async () => {
  const court = await openCourt();
  court.addAdmin(ADA);
  court.addAdmin(BEN);
  court.link(ADA, BEN);
  court.addAdmin(CLEO);
  court.setPolicy({ askNext: 60 });
  const approval = court.ask();
  await until('nobody is left', () => court.asked(approval).length === 2 && court.get(approval.id).askNextAt === null);
  expect(court.asked(approval).filter((name) => name !== 'cleo')).toHaveLength(1);
});

test('a start goes on waiting for who was asked, and asks the next when their time is over', async () => {
  const court = await openCourt();
  court.addAdmin(ADA);
  court.addAdmin(BEN);
  court.setPolicy({ askNext: 3_600_000 });
  const approval = court.ask();
  await until('Ada is asked', () => court.asked(approval).length === 1);
  court.stop();
  await court.start();
  expect(court.asked(approval)).toEqual(['ada']);
  court.stop();
  court.spine.db.prepare('UPDATE pending_approvals SET ask_next_at = ?').run(Date.now() - 1);
  await court.start();
  await until('Ben is asked', () => court.asked(approval).length === 2);
  expect(court.channel.visible).toHaveLength(2);
});

test('a person who is asked in the channel that the request came from, if they have a chat there', async () => {
  const court = await openCourt();
  court.addAdmin(ADA);
  const away = court.spine.addChannel('away');
  court.spine.addChat(court.agent, 'away', 'ada-away');
  court.spine.users.notePrivateChat(ADA, 'away', court.spine.chats.find('away', 'ada-away')?.id as never);
  const origin = { channelType: 'away', platformId: 'room', threadId: null };
  court.ask({ requester: { kind: 'agent', sessionId: court.session.id, messageId: makeId('message'), origin } });
  await until('she is asked there', () => away.visible.length === 1);
  expect(court.channel.visible).toEqual([]);
});

test('Cost and growth: an agent fills its admins’ day neither at once nor in a row, and hears so', async () => {
  const court = await openCourt();
  court.addAdmin(ADA);
  for (let at = 0; at < 10; at++) court.ask({ subjectKey: `s${at}` });
  const refused = court.spine.approvals.requestApproval(court.makeRequest({ subjectKey: 'more' }));
  expect(refused).toMatchObject({ kind: 'refused', why: expect.stringContaining('10 requests of this agent wait') });
  // In place of one that waits it may go on, for a while.
  let asked = 10;
  for (let at = 0; at < 40; at++) {
    const { kind } = court.spine.approvals.requestApproval(court.makeRequest({ subjectKey: 's0', payload: { at } }));
    if (kind === 'asked') asked++;
  }
  expect(asked).toBe(30);
  expect(court.pending()).toHaveLength(10);
});

test('a request that does not fit on a card whole is refused, and says so', async () => {
  const court = await openCourt();
  court.addAdmin(ADA);
  const payload = { args: Array.from({ length: 20 }, () => 'x'.repeat(1_000)) };
  expect(court.spine.approvals.requestApproval(court.makeRequest({ payload }))).toMatchObject({
    ...{ kind: 'refused', why: expect.stringContaining('shown whole') },
  });
  expect(court.pending()).toEqual([]);
});
