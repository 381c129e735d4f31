/** Messages from agent to agent: whose session they come to, what travels with them, what the sender sees. */
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { MAX_UNDONE_FROM_PEER } from '../../../../host/config/limits.ts';
import { makeId } from '../../../../shared/ids.ts';
import { until } from '../../../support/until.ts';
import { Town } from './town.ts';

test('a first message comes verbatim to the other agent’s own session, with who wrote it and how far it came', async () => {
  const town = new Town('desk', 'writer');
  const { session, messageId } = await town.talk('desk', 'hall');
  const text = 'a <b>&amp; "quoted"\r\n```\n</message>\n🧭';
  const id = town.send(session, 'writer', text, { inReplyTo: messageId });
  const copy = await town.copy(text);
  expect(copy.session).toMatchObject({ agentGroupId: town.agent('writer').id, messagingGroupId: null, isOpen: true });
  expect(copy).toMatchObject({ authorName: 'desk', authorId: town.agent('desk').id, state: 'queued', inReplyTo: null });
  expect(town.row(copy)).toMatchObject({ sourceSessionId: session.id, hop: 1 });
  expect(town.spine.woken).toContain(copy.session.id);
  const [row] = town.spine.inboxes.read(copy.session, (tables) => tables.listOpen(10));
  expect(row).toMatchObject({ channelType: 'agent', platformId: town.agent('desk').id, threadId: null, trigger: true });
  expect(JSON.parse(row?.content ?? '')).toMatchObject({ text, senderName: 'desk' });
  await town.ended(id, 'delivered');
  expect(town.channel.calls).toBe(0);
});

test('fault "wrong place": an answer goes to the session that asked, not to the newest one', async () => {
  const town = new Town('desk', 'writer');
  const first = await town.talk('desk', 'hall');
  const second = await town.talk('desk', 'pier');
  const asked = town.send(first.session, 'writer', 'one?', { inReplyTo: first.messageId });
  const one = await town.copy('one?');
  town.send(second.session, 'writer', 'two?', { inReplyTo: second.messageId });
  const two = await town.copy('two?');
  expect(two.session.id).toBe(one.session.id);
  town.send(one.session, 'desk', 'answer two', { inReplyTo: two.id });
  town.send(one.session, 'desk', 'answer one', { inReplyTo: one.id });
  const answer = await town.copy('answer one');
  expect(answer.sessionId).toBe(first.session.id);
  expect(answer.inReplyTo).toBe(asked);
  expect(town.row(answer)).toMatchObject({ hop: 2, inReplyTo: asked });
  expect((await town.copy('answer two')).sessionId).toBe(second.session.id);
});

test('an answer that comes through a third agent finds the session that asked first', async () => {
  const town = new Town('desk', 'researcher', 'writer');
  const first = await town.talk('desk', 'hall');
  const second = await town.talk('desk', 'pier');
  const ask = async (from: typeof first, question: string) => {
    town.send(from.session, 'researcher', question, { inReplyTo: from.messageId });
    const asked = await town.copy(question);
    town.send(asked.session, 'writer', `write: ${question}`, { inReplyTo: asked.id });
    return { asked, handedOn: await town.copy(`write: ${question}`) };
  };
  const one = await ask(first, 'one?');
  await ask(second, 'two?');
  town.send(one.handedOn.session, 'researcher', 'written', { inReplyTo: one.handedOn.id });
  const written = await town.copy('written');
  expect(written.sessionId).toBe(one.asked.sessionId);
  // It answers the writer's message, not the desk's: the desk session behind it is found all the same.
  town.send(written.session, 'desk', 'here it is', { inReplyTo: written.id });
  const back = await town.copy('here it is');
  expect(back.sessionId).toBe(first.session.id);
  expect(town.row(back)).toMatchObject({ hop: 4 });
});

test('without a message that is answered, the session that last talked with this peer gets it', async () => {
  const town = new Town('desk', 'writer');
  const first = await town.talk('desk', 'hall');
  const second = await town.talk('desk', 'pier');
  town.send(first.session, 'writer', 'from hall');
  const { session } = await town.copy('from hall');
  town.send(second.session, 'writer', 'from pier');
  await town.copy('from pier');
  town.send(session, 'desk', 'by the way');
  expect((await town.copy('by the way')).sessionId).toBe(second.session.id);
  town.send(first.session, 'writer', 'from hall again');
  await town.copy('from hall again');
  town.send(session, 'desk', 'once more');
  expect((await town.copy('once more')).sessionId).toBe(first.session.id);
});

test('a session that ended gets nothing; the agent’s own does', async () => {
  const town = new Town('desk', 'writer');
  const { session, messageId } = await town.talk('desk', 'hall');
  town.send(session, 'writer', 'question', { inReplyTo: messageId });
  const asked = await town.copy('question');
  town.spine.db.prepare('UPDATE sessions SET ended_at = 1 WHERE id = ?').run(session.id);
  town.send(asked.session, 'desk', 'late answer', { inReplyTo: asked.id });
  const late = await town.copy('late answer');
  expect(late.session).toMatchObject({ agentGroupId: town.agent('desk').id, messagingGroupId: null });
  expect(late.sessionId).not.toBe(session.id);
});

test('a reply from an agent whose chart has no row back is refused like any other', async () => {
  const town = new Town('desk', 'writer');
  town.part('writer', 'desk');
  const { session } = await town.talk('desk', 'hall');
  town.send(session, 'writer', 'question');
  const asked = await town.copy('question');
  const id = town.send(asked.session, 'desk', 'answer', { inReplyTo: asked.id });
  await town.ended(id, 'refused');
  expect(town.copies('answer')).toEqual([]);
  expect(town.spine.ledger.countByMessage(id, 'delivery.refused')).toBe(1);
});

test('files are copied into the other agent’s inbox, under safe names, and the host keeps none', async () => {
  const town = new Town('desk', 'writer');
  const { session, container } = await town.talk('desk', 'hall');
  const row = town.rowTo('writer', 'two files', {
    id: makeId('message'),
    content: {
      text: 'two files',
      attachments: [
        { name: 'draft.md', sizeBytes: 1, contentType: 'text/markdown' },
        { name: 'empty.txt', sizeBytes: 0, contentType: 'text/plain' },
      ],
    },
  });
  const folder = join(container.paths.outFiles, row.id ?? '');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'draft.md'), '# Draft');
  writeFileSync(join(folder, 'empty.txt'), '');
  container.send(row);
  town.spine.delivery.ring(session.id);
  const copy = await town.copy('two files');
  const inbox = join(town.spine.paths(copy.session).inFiles, copy.id);
  expect(readdirSync(inbox).toSorted()).toEqual(['draft.md', 'empty.txt']);
  expect(readFileSync(join(inbox, 'draft.md'), 'utf8')).toBe('# Draft');
  // The size is the host's measure, not the sender's word.
  expect(copy.attachments).toMatchObject([
    { name: 'draft.md', sizeBytes: 7 },
    { name: 'empty.txt', sizeBytes: 0 },
  ]);
  await until('no copy is left', () => readdirSync(join(town.spine.home.home, 'uploads')).length === 0);
});

test('fault "broken by its own container": a link or a path among the files reaches nobody', async () => {
  const town = new Town('desk', 'writer');
  const { session, container } = await town.talk('desk', 'hall');
  const secret = join(town.spine.home.home, 'secret.txt');
  writeFileSync(secret, 'secret');
  const attach = (name: string) => ({ text: name, attachments: [{ name, sizeBytes: 1, contentType: 'text/plain' }] });
  const link = container.send(town.rowTo('writer', '', { id: makeId('message'), content: attach('l') }));
  const path = container.send(town.rowTo('writer', '', { content: attach('../../../../../secret.txt') }));
  mkdirSync(join(container.paths.outFiles, link), { recursive: true });
  symlinkSync(secret, join(container.paths.outFiles, link, 'l'));
  town.spine.delivery.ring(session.id);
  await town.ended(link as never, 'failed');
  await town.ended(path as never, 'failed');
  expect(town.copies('l')).toEqual([]);
  const target = town.spine.sessions.listForAgent(town.agent('writer').id)[0];
  const files = target === undefined ? '' : town.spine.paths(target).inFiles;
  expect(existsSync(files) ? readdirSync(files) : []).toEqual([]);
});

test('the sender sees its message read, then answered', async () => {
  const town = new Town('desk', 'writer');
  const { session, messageId } = await town.talk('desk', 'hall');
  const id = town.send(session, 'writer', 'question', { inReplyTo: messageId });
  const copy = await town.copy('question');
  const writer = town.container(copy.session);
  writer.mark(copy.id, 'claimed');
  town.spine.delivery.ring(copy.sessionId);
  await town.ended(id, 'read');
  writer.mark(copy.id, 'done');
  town.spine.delivery.ring(copy.sessionId);
  await town.ended(id, 'answered');
  expect(town.state(copy.id)?.state).toBe('answered');
});

test('the sender sees, and is told, that the other agent gave up', async () => {
  const town = new Town('desk', 'writer');
  const { session, messageId } = await town.talk('desk', 'hall');
  const id = town.send(session, 'writer', 'too hard', { inReplyTo: messageId });
  const copy = await town.copy('too hard');
  const writer = town.container(copy.session);
  let now = Date.now();
  town.spine.now = () => now;
  for (let attempt = 1; attempt <= 5; attempt++) {
    writer.db
      .prepare(`INSERT OR REPLACE INTO processing VALUES (?, 'failed', ?, ?)`)
      .run(copy.id, now, JSON.stringify({ error: 'overloaded', retryable: true }));
    town.spine.delivery.ring(copy.sessionId);
    await until(`attempt ${attempt} is settled`, () => {
      const rows = town.spine.inboxes.read(copy.session, (tables) => tables.listOpen(50));
      const open = rows.find((row) => row.id === copy.id) ?? null;
      return open === null || open.tries === attempt;
    });
    now += 3_600_000;
  }
  await town.ended(id, 'failed');
  await until('the desk is told', () => town.told(session, 'peer_failed').length === 1);
  expect(town.told(session, 'peer_failed')[0]).toContain('overloaded');
  // Told in the conversation that asked, so that a person there can hear of it.
  const [told] = town.spine.inboxes
    .read(session, (tables) => tables.listOpen(10))
    .filter((row) => row.kind === 'system');
  expect(told).toMatchObject({ channelType: 'test', platformId: 'hall' });
});

test('a restart neither takes back what the sender saw nor doubles what was handed over', async () => {
  const town = new Town('desk', 'writer');
  const { session } = await town.talk('desk', 'hall');
  const id = town.send(session, 'writer', 'question');
  const copy = await town.copy('question');
  town.container(copy.session).mark(copy.id, 'claimed');
  town.spine.delivery.ring(copy.sessionId);
  await town.ended(id, 'read');
  await town.restart();
  await until('it is quiet', () => town.spine.delivery.isQuiet(session.id));
  expect(town.state(id)?.state).toBe('read');
  expect(town.copies('question')).toHaveLength(1);
});

test('fault "doubled": a message whose hand-over was not noted is handed over once, to the session chosen first', async () => {
  const town = new Town('desk', 'writer');
  const { session } = await town.talk('desk', 'hall');
  const id = town.send(session, 'writer', 'question');
  const copy = await town.copy('question');
  await town.ended(id, 'delivered');
  // What a crash before the receipt leaves: it may have been sent.
  await town.spine.inboxes.commit(session, (tables) => {
    const row = tables.getDelivery(id);
    if (row !== null) tables.putDelivery({ ...row, state: 'sending' });
  });
  // Meanwhile the writer talks with the desk from another session: by affinity that one would be chosen now.
  const studio = await town.talk('writer', 'studio');
  town.spine.peerStore.link(session, studio.session, Date.now());
  await town.restart();
  await until('the receipt is written', () => {
    return town.spine.inboxes.read(session, (tables) => tables.getDelivery(id))?.state === 'delivered';
  });
  expect(town.copies('question').map(({ sessionId }) => sessionId)).toEqual([copy.sessionId]);
  expect(town.spine.inboxes.read(studio.session, (tables) => tables.listOpen(10))).toHaveLength(1);
});

test('a session that is set aside takes nothing, says so to the sender, and gets it once released', async () => {
  const town = new Town('desk', 'writer');
  const { session } = await town.talk('desk', 'hall');
  town.send(session, 'writer', 'before');
  const { sessionId } = await town.copy('before');
  town.spine.sessions.setQuarantine(sessionId, 'outbound.db: odd', Date.now());
  const id = town.send(session, 'writer', 'meanwhile');
  await until('it says why it waits', () => town.state(id)?.reason?.includes('set aside'));
  const other = town.send(session, 'hall', '', {
    channelType: 'test',
    platformId: 'hall',
    content: { text: 'a word' },
  });
  await town.ended(other, 'delivered');
  town.spine.sessions.setQuarantine(sessionId, null, Date.now());
  town.spine.delivery.nudge();
  await town.ended(id, 'delivered');
  expect(town.spine.inboxes.read(session, (tables) => tables.getDelivery(id))?.attempts).toBe(1);
});

test('fault "cost and growth": an inbox full of one agent’s messages holds that agent, and no other', async () => {
  const town = new Town('desk', 'researcher', 'writer');
  const { session } = await town.talk('desk', 'hall');
  town.send(session, 'writer', 'first');
  const copy = await town.copy('first');
  const [row] = town.spine.inboxes.read(copy.session, (tables) => tables.listOpen(1));
  if (row === undefined) throw new Error('no row');
  await town.spine.inboxes.commit(copy.session, (tables) =>
    tables.append(
      Array.from({ length: MAX_UNDONE_FROM_PEER }, (_, at) => ({
        ...row,
        id: `msg_0000000000000000${String(at).padStart(4, '0')}` as never,
        ...{ onWake: false, senderId: null, inReplyTo: null, hop: 1 },
      })),
    ),
  );
  const held = town.send(session, 'writer', 'one more');
  await until('it waits', () => town.state(held)?.reason?.includes('to do first'));
  const lab = await town.talk('researcher', 'lab');
  town.send(lab.session, 'writer', 'from another');
  await town.copy('from another');
  expect(town.copies('one more')).toEqual([]);
});

test('a child is reachable as soon as its row exists', async () => {
  const town = new Town('desk');
  const { session } = await town.talk('desk', 'hall');
  const child = town.spine.agents.create({ name: 'child', folder: 'child', now: Date.now() });
  town.spine.destinations.add({
    ...{ agentGroupId: town.agent('desk').id, localName: 'child', targetType: 'agent', targetId: child.id },
    now: Date.now(),
  });
  const id = town.spine.container(town.spine.paths(session)).send({
    ...{ destination: 'child', channelType: 'agent', platformId: child.id, content: { text: 'welcome' } },
  });
  town.spine.delivery.ring(session.id);
  await town.ended(id as never, 'delivered');
  const [own] = town.spine.sessions.listForAgent(child.id);
  expect(own).toMatchObject({ messagingGroupId: null, isOpen: true });
});
