/** What the ledger keeps of deliveries and of what comes in, through crashes, floods and forgeries. */
import { expect, test } from 'vitest';
import { makeDecisionRules } from '../../../host/routing/decisions.ts';
import { retellSession } from '../../../host/sessions/retell.ts';
import type { Approval } from '../../../host/store/approvals.ts';
import type { LedgerRecord } from '../../../host/store/ledger.ts';
import { LedgerSearch } from '../../../host/store/ledger-search.ts';
import { Transcript } from '../../../host/store/transcript.ts';
import type { MessageId, UserId } from '../../../shared/ids.ts';
import { Spine } from '../../support/spine.ts';
import { until } from '../../support/until.ts';

const KINDS_OF_DELIVERY = 'delivery.';

function setUp() {
  const spine = new Spine();
  const channel = spine.addChannel('test');
  const agent = spine.addAgent();
  const chat = spine.addChat(agent, 'test', 'room');
  const place = { destination: 'room', channelType: 'test', platformId: 'room' };
  const entries = (kind = KINDS_OF_DELIVERY): LedgerRecord[] =>
    new LedgerSearch(spine.db).find({ kind }, 500).items.reverse();
  return { spine, channel, agent, chat, place, entries };
}

/** What of the host's memory a crash takes: everything that was told and not committed. */
function crashed(spine: Spine): Transcript {
  spine.transcript.close = () => undefined;
  return new Transcript(spine.db);
}

test('a delivery and what is shown of it are one commit: an entry for each, whatever comes between', async () => {
  const { spine, place, chat, entries } = setUp();
  const { session, paths } = await spine.say(chat, 'hello');
  const ids = Array.from({ length: 5 }, (_, index) =>
    spine.container(paths).send({ ...place, content: { text: `${index}` } }),
  );
  spine.delivery.ring(session.id);
  await until('all are delivered', () =>
    ids.every((id) => spine.transcript.peek(id as MessageId)?.state === 'delivered'),
  );
  // Not one is shown as delivered without its entry.
  expect(entries().map(({ messageId }) => messageId)).toEqual(ids);
});

test('what ended in inbound.db and was not told before a crash is told once by the next start, and by no other', async () => {
  const { spine, place, chat, entries } = setUp();
  const { session, paths } = await spine.say(chat, 'hello');
  spine.transcript.flush();
  const container = spine.container(paths);
  const ids = [
    container.send({ ...place, content: { text: 'told' } }),
    container.send({ ...place, destination: 'nowhere', content: { text: 'refused' } }),
    container.send({ kind: 'reaction', ...place, content: { messageId: 'msg_00000000000000000000', emoji: '👍' } }),
  ];
  // Everything is told, and nothing of it reaches the disk.
  spine.transcript.flush = () => undefined;
  spine.delivery.ring(session.id);
  const state = (id: string) => spine.inboxes.read(session, (tables) => tables.getDelivery(id)?.state);
  await until('all have ended', () =>
    ids.every((id) => state(id) !== undefined && state(id) !== 'queued' && state(id) !== 'sending'),
  );
  await until('it is quiet', () => spine.delivery.isQuiet(session.id));
  expect(entries()).toEqual([]);
  for (let start = 1; start <= 3; start++) {
    const transcript = crashed(spine);
    retellSession(session, spine.inboxes, transcript, spine.chats);
    transcript.flush();
    transcript.close();
    expect(
      entries()
        .map(({ messageId, kind }) => [messageId, kind])
        .sort(),
    ).toEqual(ids.map((id) => [id, `delivery.${state(id)}`]).sort());
  }
  expect(entries().every(({ detail }) => detail.isRetold === true)).toBe(true);
  expect(spine.ledger.findBreak()).toBeNull();
});

test('a message that is told again after a crash is heard once', async () => {
  const { spine, chat, entries } = setUp();
  const { session } = await spine.say(chat, 'hello');
  spine.transcript.flush();
  retellSession(session, spine.inboxes, spine.transcript, spine.chats);
  spine.transcript.flush();
  expect(entries('message.heard')).toHaveLength(1);
  expect(entries('message.heard')[0]?.detail).toMatchObject({ by: 'always', sender: 'everybody' });
});

test('FAULTS: an edit, a reaction and a forged row each leave their entry, and none leaves its text', async () => {
  const { spine, channel, place, chat, entries } = setUp();
  const { session, paths, messageId } = await spine.say(chat, 'hello', { platformMessageId: 'p0' });
  const container = spine.container(paths);
  const first = container.send({ ...place, content: { text: 'secret one' } });
  spine.delivery.ring(session.id);
  await until('it is delivered', () => channel.visible.length === 1 && entries().length === 1);
  const edit = container.send({ kind: 'edit', ...place, content: { messageId: first, text: 'secret two' } });
  const reaction = container.send({ kind: 'reaction', ...place, content: { messageId, emoji: '👍' } });
  const forged = container.send({ ...place, platformId: 'elsewhere', content: { text: 'secret three' } });
  spine.delivery.ring(session.id);
  const last = (id: string) => spine.ledger.lastAbout(id, KINDS_OF_DELIVERY)?.kind;
  await until('all ended', () =>
    [edit, reaction, forged].every((id) => last(id) !== undefined && last(id) !== 'delivery.put_off'),
  );
  expect(entries().map(({ messageId: id, kind, detail }) => [id, kind, detail.what ?? null])).toEqual(
    expect.arrayContaining([
      [first, 'delivery.delivered', null],
      [edit, 'delivery.delivered', 'edit'],
      [forged, 'delivery.refused', null],
    ]),
  );
  expect(entries().find(({ messageId: id }) => id === reaction)).toBeDefined();
  expect(JSON.stringify(entries())).not.toContain('secret');
});

test('a flood of refused rows is one commit with what is shown of it, not one for each', async () => {
  const { spine, chat, entries } = setUp();
  const { session, paths } = await spine.say(chat, 'hello');
  spine.transcript.flush();
  const container = spine.container(paths);
  for (let count = 0; count < 50; count++)
    container.send({ destination: `no-${count}`, channelType: 'test', platformId: 'x', content: { text: 'x' } });
  let commits = 0;
  const flush = spine.transcript.flush.bind(spine.transcript);
  spine.transcript.flush = () => {
    const before = spine.ledger.head().position;
    flush();
    if (spine.ledger.head().position > before) commits++;
  };
  spine.delivery.ring(session.id);
  await until('all are refused', () => entries().length === 50);
  expect(commits).toBeLessThan(10);
});

test('FAULTS: strangers who write under ever new names do not make the ledger grow without end', async () => {
  const { spine, agent } = setUp();
  const hall = spine.addChat(agent, 'test', 'hall', { senderScope: 'known' });
  for (let number = 0; number < 300; number++) {
    for (let again = 0; again < 2; again++)
      await spine.router.receive(spine.event(hall, 'let me in', { senderId: `test:${number}` as UserId }));
  }
  const dropped = new LedgerSearch(spine.db).find({ kind: 'message.dropped' }, 1_000).items;
  expect(dropped.length).toBe(101);
  expect(dropped.at(-1)).toMatchObject({
    messageId: 'test:0',
    detail: { channelType: 'test', platformId: 'hall', reason: 'unknown_sender' },
  });
});

test('FAULTS: letting somebody in is recorded with the admin and the approval, once, however often it is carried out', async () => {
  const { spine, agent, entries } = setUp();
  const rules = makeDecisionRules(
    {
      ...{
        home: spine.home.home,
        agents: spine.agents,
        chats: spine.chats,
        wirings: spine.wirings,
        users: spine.users,
      },
      ...{ turnedAway: spine.turnedAway, now: () => 5_000, onWired: () => undefined },
    } as never,
    { settleSoon: () => undefined, expire: async () => undefined } as never,
  );
  const approval = {
    id: 'apr_00000000000000000001',
    payload: { agentGroupId: agent.id, senderId: 'test:zoe', senderName: 'Zoe' },
    subjectKey: `${agent.id} test:zoe`,
    decidedAt: 4_000,
  } as unknown as Approval;
  const decided = { kind: 'approved', choice: 'Let in', by: 'web:owner' as UserId } as const;
  await rules.admit_sender.carryOut(approval, decided);
  await rules.admit_sender.carryOut(approval, decided);
  expect(entries('member.')).toMatchObject([
    { messageId: 'test:zoe', actor: 'web:owner', detail: { agent: agent.id, approval: approval.id } },
  ]);
  const other = {
    ...approval,
    payload: { agentGroupId: agent.id, senderId: 'test:yan', senderName: 'Yan' },
    subjectKey: `${agent.id} test:yan`,
  };
  const refused = { kind: 'rejected', choice: 'Turn away', by: 'web:owner' as UserId } as const;
  await rules.admit_sender.carryOut(other as Approval, refused);
  await rules.admit_sender.carryOut(other as Approval, refused);
  expect(entries('stranger.')).toMatchObject([{ messageId: `${agent.id} test:yan`, actor: 'web:owner' }]);
});

test('FAULTS: a wiring made anywhere has its destination, and both say whose doing they are', () => {
  const { spine, entries } = setUp();
  const [wiring] = entries('wiring.');
  const [destination] = entries('destination.');
  expect(wiring).toMatchObject({ kind: 'wiring.created', detail: { engageMode: 'always', senderScope: 'all' } });
  expect(destination).toMatchObject({
    kind: 'destination.created',
    detail: { name: 'room', type: 'channel', wiring: wiring?.messageId },
  });
  spine.wirings.remove(wiring?.messageId as never, 1, { by: 'web:owner', at: 9 });
  expect(entries('wiring.').at(-1)).toMatchObject({ kind: 'wiring.removed', actor: 'web:owner', at: 9 });
});

test('a change that does not happen is not recorded', () => {
  const { spine, entries } = setUp();
  const before = spine.ledger.head().position;
  const [wiring] = entries('wiring.');
  const cause = { by: 'web:owner', at: 9 };
  expect(spine.wirings.remove(wiring?.messageId as never, 7, cause)).toBe(false);
  const [row] = spine.destinations.listFor((wiring?.detail.agent ?? '') as never);
  expect(spine.destinations.rename(row?.id ?? '', 7, 'hall', 9, 'web:owner')).toBeNull();
  expect(spine.destinations.remove(row?.id ?? '', 7, cause)).toBe(false);
  expect(spine.ledger.head().position).toBe(before);
});
