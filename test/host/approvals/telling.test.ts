/** What the agents that asked hear: the outcome, once, whatever crashes. */
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { makeId } from '../../../shared/ids.ts';
import { until } from '../../support/until.ts';
import { ADA, openCourt } from './court.ts';

test('the agent that asked is told the outcome where it was asked, with the reason, and woken', async () => {
  const court = await openCourt();
  court.addAdmin(ADA);
  const messageId = makeId('message');
  const origin = { channelType: 'test', platformId: 'room', threadId: 't-1' };
  const approval = court.ask({ requester: { kind: 'agent', sessionId: court.session.id, messageId, origin } });
  court.decide(approval, ADA, 'Approve', 'cows are fine');
  const told = await court.tells('approval_applied');
  expect(told.text).toBe(
    `Your request ${approval.code} (main asks for packages) was approved by Ada and done. ` +
      'The reason given: “cows are fine”. Installed: cowsay.',
  );
  const row = court.spine.inboxes.read(court.session, (tables) =>
    tables.listOpen(50).find(({ kind }) => kind === 'system'),
  );
  expect(row).toMatchObject({ channelType: 'test', platformId: 'room', threadId: 't-1', trigger: true });
  expect(court.spine.woken).toContain(court.session.id);
});

test.each([
  ['rejected', 'approval_rejected', 'Do not ask for it again'],
  ['expired', 'approval_expired', 'decided by nobody in time'],
  ['failed', 'approval_failed', 'could not be done'],
] as const)('an approval that is %s is told as %s', async (how, event, words) => {
  const court = await openCourt();
  court.addAdmin(ADA);
  if (how === 'failed') {
    court.spine.approvalRules.install_packages = {
      ...court.rules,
      carryOut: async () => {
        throw new Error('a bug');
      },
    };
  }
  const approval = court.ask(how === 'expired' ? { expiresAt: court.spine.now() + 60 } : {});
  if (how !== 'expired') court.decide(approval, ADA, how === 'rejected' ? 'reject' : 'approve');
  expect((await court.tells(event)).text).toContain(words);
});

test('told once, whatever crashes between the end, the telling and its note', async () => {
  const court = await openCourt();
  court.addAdmin(ADA);
  const approval = court.ask();
  court.decide(approval, ADA);
  await court.tells('approval_applied');
  for (let at = 0; at < 3; at++) {
    court.stop();
    // The crash came before the note.
    court.spine.db.prepare('UPDATE approval_askers SET is_told = 0').run();
    await court.start();
    await until(
      'it is noted',
      () => court.spine.db.prepare('SELECT 1 FROM approval_askers WHERE is_told = 0').get() === undefined,
    );
  }
  expect(court.told()).toHaveLength(1);
  expect(court.done).toHaveLength(1);
});

test('a crash after the decision and before its end is mended at the next start, and then told', async () => {
  const court = await openCourt();
  court.addAdmin(ADA);
  const approval = court.ask();
  court.stop();
  court.spine.approvals.decide(approval.id, { choice: 'approve', by: ADA, from: null });
  expect(court.done).toEqual([]);
  await court.start();
  await court.tells('approval_applied');
  expect(court.done).toHaveLength(1);
});

test('an outcome for the fresh container is committed before the container is replaced', async () => {
  const court = await openCourt();
  court.addAdmin(ADA);
  const seen: number[] = [];
  court.more = { isForFresh: true, after: () => void seen.push(court.told().length) };
  const approval = court.ask();
  court.decide(approval, ADA);
  await until('the container is replaced', () => seen.length === 1);
  expect(seen).toEqual([1]);
  const inbound = new Database(court.spine.paths(court.session).inboundDb, { readonly: true });
  expect(inbound.prepare(`SELECT on_wake, trigger FROM messages_in WHERE kind = 'system'`).all()).toEqual([
    { on_wake: 1, trigger: 1 },
  ]);
  inbound.close();
  expect(court.get(approval.id).isForFresh).toBe(true);
});

test('every conversation that asked for the same is told, and each row asks once', async () => {
  const court = await openCourt();
  court.addAdmin(ADA);
  const { session } = await court.spine.say(court.spine.addChat(court.agent, 'test', 'second'), 'hello');
  const request = court.makeRequest();
  const approval = court.ask(request);
  expect(court.ask(request).id).toBe(approval.id);
  const other = { kind: 'agent' as const, sessionId: session.id, messageId: makeId('message'), origin: null };
  expect(court.spine.approvals.requestApproval({ ...request, requester: other })).toMatchObject({ kind: 'known' });
  court.decide(approval, ADA);
  await court.tells('approval_applied');
  await court.tells('approval_applied', session);
  // Told again by a delivery that was cut off: what it asked for then.
  expect(court.spine.approvals.requestApproval(request)).toEqual({
    kind: 'known',
    id: approval.id,
    code: approval.code,
  });
  expect(court.pending()).toEqual([]);
});

test('what waits ends at once when the agent that asked is removed, and asks nobody any more', async () => {
  const court = await openCourt();
  court.addAdmin(ADA);
  court.spine.addAgent('other');
  const approval = court.ask();
  await court.cardShows(approval, ADA, 'Open until');
  const removal = court.spine.removals.remove(court.agent.id, court.agent.revision, 'test:ada');
  expect(removal.kind).toBe('removed');
  expect(court.get(approval.id)).toMatchObject({ state: 'superseded', decisionNote: 'the agent “main” was removed' });
  await court.cardShows(approval, ADA, 'Withdrawn: the agent “main” was removed.');
  expect(court.decide(approval, ADA)).toMatchObject({ reason: 'withdrawn' });
  await court.over(approval);
  expect(court.done.map(({ decision }) => decision.kind)).toEqual(['expired']);
});

test('a request that is asked in a transaction that falls is asked of nobody', async () => {
  const court = await openCourt();
  court.addAdmin(ADA);
  const fall = () =>
    court.spine.commit(() => {
      court.ask();
      throw new Error('the disk is full');
    });
  expect(fall).toThrow('the disk is full');
  expect(court.pending()).toEqual([]);
  court.ask({ subjectKey: 'other' });
  await until('the next is asked', () => court.channel.visible.length === 1);
});
