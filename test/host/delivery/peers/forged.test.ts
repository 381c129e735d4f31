/** A container that says anything about where its rows go: nothing gets through, and each try is on record. */
import { expect, test } from 'vitest';
import { copyIdOf } from '../../../../host/sessions/peer-copy.ts';
import type { Session } from '../../../../host/store/sessions.ts';
import type { MessageId } from '../../../../shared/ids.ts';
import { makeId } from '../../../../shared/ids.ts';
import type { OutRow } from '../../../support/scripted-container.ts';
import { until } from '../../../support/until.ts';
import { Town } from './town.ts';

interface Recorded {
  actor: string | null;
  session_id: string | null;
  detail: string;
}

function recorded(town: Town, id: string): Recorded[] {
  return town.spine.db
    .prepare<[string], Recorded>(`SELECT * FROM ledger WHERE message_id = ? AND kind = 'delivery.refused'`)
    .all(id);
}

/** Sends rows that must all be refused, then an honest one; returns the reasons by row. */
async function refuseAll(town: Town, session: Session, rows: readonly OutRow[]): Promise<string[]> {
  const container = town.container(session);
  const ids = rows.map((row) => container.send(row));
  town.spine.delivery.ring(session.id);
  await until('each is on record', () => ids.every((id) => recorded(town, id).length === 1));
  return ids.map((id) => {
    const [entry] = recorded(town, id);
    expect(entry).toMatchObject({ actor: session.agentGroupId, session_id: session.id });
    return String(JSON.parse(entry?.detail ?? '{}').reason);
  });
}

test('fault "wrong place": no forged routing field gets a message anywhere, and each is recorded with who, where and why', async () => {
  const town = new Town('desk', 'writer', 'stranger');
  town.part('desk', 'stranger');
  const { session } = await town.talk('desk', 'hall');
  const secret = await town.talk('stranger', 'vault');
  const writer = town.agent('writer').id;
  const stranger = town.agent('stranger').id;
  const to = (more: OutRow): OutRow => town.rowTo('writer', 'forged', more);
  const forged: [OutRow, string][] = [
    [to({ platformId: stranger }), 'routing is not that of'],
    [to({ destination: 'stranger', platformId: stranger }), 'no destination "stranger"'],
    [to({ destination: stranger, platformId: stranger }), 'no destination'],
    [to({ destination: null }), 'names no destination'],
    [to({ destination: 'WRITER' }), 'names no destination'],
    [to({ channelType: 'test', platformId: 'vault' }), 'routing is not that of'],
    [to({ channelType: 'test' }), 'routing is not that of'],
    [to({ channelType: null }), 'routing is not that of'],
    [to({ destination: 'hall', channelType: 'agent', platformId: writer }), 'routing is not that of'],
    [to({ threadId: 'thread-of-hall' }), 'thread does not belong'],
    [to({ threadId: secret.session.id }), 'thread does not belong'],
    [to({ kind: 'question', content: { title: 'q', question: 'q?', options: ['a'] } }), 'plain messages alone'],
    [to({ kind: 'edit', content: { messageId: secret.messageId, text: 'changed' } }), 'plain messages alone'],
    [to({ kind: 'reaction', content: { messageId: secret.messageId, emoji: '👍' } }), 'plain messages alone'],
    [to({ inReplyTo: secret.messageId }), 'not in this conversation'],
    [to({ inReplyTo: makeId('message') }), 'not in this conversation'],
  ];
  const reasons = await refuseAll(
    town,
    session,
    forged.map(([row]) => row),
  );
  for (const [at, [, reason]] of forged.entries()) expect(reasons[at]).toContain(reason);
  await until('it is quiet', () => town.spine.delivery.isQuiet(session.id));
  expect(town.copies('forged')).toEqual([]);
  expect(town.channel.calls).toBe(0);
  expect(town.spine.sessions.listForAgent(stranger)).toHaveLength(1);
  // Once for the same name and reason, however often it tries.
  const told = () => town.told(session, 'delivery_refused').filter((text) => text.includes('not that of "writer"'));
  await until('the agent is told', () => told().length === 1);
  await refuseAll(town, session, [forged[0]?.[0] ?? {}, forged[6]?.[0] ?? {}]);
  await until('it is quiet', () => town.spine.delivery.isQuiet(session.id));
  expect(told()).toHaveLength(1);
  expect(town.spine.ledger.findBreak()).toBeNull();
});

test('a name whose target changed a moment ago does not lead to the old one, nor to the new one under the old routing', async () => {
  const town = new Town('desk', 'writer', 'stranger');
  town.part('desk', 'stranger');
  const { session } = await town.talk('desk', 'hall');
  const earlier = town.rowTo('writer', 'meant for the writer');
  town.part('desk', 'writer');
  const { id: strangerId } = town.agent('stranger');
  const row = {
    agentGroupId: session.agentGroupId,
    localName: 'writer',
    targetType: 'agent',
    targetId: strangerId,
  } as const;
  town.spine.destinations.add({ ...row, now: Date.now() });
  const [reason] = await refuseAll(town, session, [earlier]);
  expect(reason).toContain('routing is not that of "writer"');
  expect(town.copies('meant for the writer')).toEqual([]);
});

test('a destination that is removed holds for the very next attempt of a message that waits', async () => {
  const town = new Town('desk', 'writer');
  const { session } = await town.talk('desk', 'hall');
  town.send(session, 'writer', 'first');
  const { sessionId } = await town.copy('first');
  town.spine.sessions.setQuarantine(sessionId, 'odd', Date.now());
  const id = town.send(session, 'writer', 'waits');
  await until('it waits', () => town.state(id)?.reason?.includes('set aside'));
  town.part('desk', 'writer');
  // It still has to wait, and is refused all the same.
  town.spine.delivery.nudge();
  await town.ended(id, 'refused');
  expect(town.copies('waits')).toEqual([]);
});

test('an agent does not write to itself, nor to one that is archived', async () => {
  const town = new Town('desk', 'writer');
  town.acquaint('desk', 'desk');
  const { session } = await town.talk('desk', 'hall');
  town.spine.db.prepare('UPDATE agent_groups SET archived_at = 1 WHERE id = ?').run(town.agent('writer').id);
  const reasons = await refuseAll(town, session, [town.rowTo('desk', 'me'), town.rowTo('writer', 'you')]);
  expect(reasons[0]).toContain('does not write to itself');
  expect(reasons[1]).toContain('no longer exists');
  expect(town.copies('me')).toEqual([]);
  expect(town.copies('you')).toEqual([]);
});

test('an agent that takes the id of a copy beforehand gets its message refused, and nothing of others changed', async () => {
  const town = new Town('desk', 'writer');
  const { session } = await town.talk('desk', 'hall');
  const id = makeId('message') as MessageId;
  const taken = copyIdOf(session.id, id);
  const container = town.container(session);
  container.send({
    id: taken,
    destination: 'hall',
    channelType: 'test',
    platformId: 'hall',
    content: { text: 'mine' },
  });
  town.spine.delivery.ring(session.id);
  await town.ended(taken, 'delivered');
  container.send(town.rowTo('writer', 'forged', { id }));
  town.spine.delivery.ring(session.id);
  await town.ended(id, 'refused');
  expect(town.state(id)?.reason).toContain('used before');
  expect(town.copies('forged')).toEqual([]);
});

test('a copy’s id is nobody else’s: a container that uses it has its own row refused', async () => {
  const town = new Town('desk', 'writer');
  const { session } = await town.talk('desk', 'hall');
  const id = town.send(session, 'writer', 'question');
  const copy = await town.copy('question');
  const writer = town.container(copy.session);
  writer.send(town.rowTo('desk', 'forged', { id: copy.id }));
  town.spine.delivery.ring(copy.sessionId);
  await until('it is refused', () => town.told(copy.session, 'delivery_refused').length === 1);
  expect(town.copies('forged')).toEqual([]);
  expect(town.spine.transcript.get(copy.id)).toMatchObject({ direction: 'in', text: 'question' });
  expect(town.state(id)?.state).toBe('delivered');
});
