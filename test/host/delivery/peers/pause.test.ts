/** Agents that exchange too much wait for a person, and cost nothing meanwhile. */
import { expect, test } from 'vitest';
import { MAX_HOP, MAX_WAITING_FOR_PEER, PAIR_MESSAGES } from '../../../../host/config/limits.ts';
import type { Session } from '../../../../host/store/sessions.ts';
import type { MessageId, UserId } from '../../../../shared/ids.ts';
import { until } from '../../../support/until.ts';
import { Town } from './town.ts';

/** Two sessions that hand one matter to and fro until it has come as far as it may. */
async function handOn(town: Town): Promise<{ desk: Session; writer: Session; last: MessageId }> {
  const { session: desk, messageId } = await town.talk('desk', 'hall');
  let from = desk;
  let answered: MessageId = messageId;
  let other = 'writer';
  let writer = desk;
  for (let hop = 1; hop <= MAX_HOP; hop++) {
    town.send(from, other, `hop ${hop}`, { inReplyTo: answered });
    const copy = await town.copy(`hop ${hop}`);
    expect(town.row(copy)?.hop).toBe(hop);
    if (hop === 1) writer = copy.session;
    from = copy.session;
    answered = copy.id;
    other = other === 'writer' ? 'desk' : 'writer';
  }
  return { desk, writer, last: answered };
}

/** Fills the pair's minute from one side; the last one is too much. */
async function flood(town: Town, more = 0): Promise<{ session: Session; ids: MessageId[]; held: MessageId[] }> {
  const { session } = await town.talk('desk', 'hall');
  const ids = Array.from({ length: PAIR_MESSAGES + 1 + more }, (_, at) => town.send(session, 'writer', `n${at}`));
  const held = ids.slice(PAIR_MESSAGES);
  await until('the pair is paused', () => town.pause('desk', 'writer')?.state === 'paused');
  await until('they wait', () => held.every((id) => town.state(id)?.state === 'queued'));
  await until('it says why', () => town.state(held[0] as MessageId)?.reason?.includes('is paused'));
  return { session, ids, held };
}

function copiesOf(town: Town): string[] {
  return town.spine.sessions
    .listForAgent(town.agent('writer').id)
    .flatMap((session) => town.spine.inboxes.read(session, (tables) => tables.listOpen(500)))
    .filter((row) => row.kind === 'chat')
    .map((row) => JSON.parse(row.content).text);
}

test('a matter that was handed on too often waits, an admin is asked in so many words, and Resume sends it once', async () => {
  const town = new Town('desk', 'writer');
  const { desk, writer, last } = await handOn(town);
  // Twenty times to and fro: the desk has the last word, and one more is too much.
  const id = town.send(desk, 'writer', 'hop 21', { inReplyTo: last });
  await until('an admin is asked', () => town.questions().length === 1);
  expect(town.questions()).toEqual(['desk and writer handed a message on 20 times: paused. Resume?']);
  await until('both are told', () => [desk, writer].every((one) => town.told(one, 'peers_paused').length === 1));
  const behind = town.send(desk, 'writer', 'hop 22', { inReplyTo: last });
  await until('it says why', () => town.state(id)?.reason?.includes('is paused'));
  expect(town.copies('hop 21')).toEqual([]);
  await town.decide('Resume');
  await town.ended(id, 'delivered');
  await town.ended(behind, 'delivered');
  expect(town.row(await town.copy('hop 21'))?.hop).toBe(1);
  expect(town.copies('hop 21')).toHaveLength(1);
  for (const one of [desk, writer]) expect(town.told(one, 'peers_paused')).toHaveLength(1);
  expect(town.spine.ledger.findBreak()).toBeNull();
});

test('leaving out what is answered does not count anew', async () => {
  const town = new Town('desk', 'writer');
  const { desk, last } = await handOn(town);
  // Its own mark that the work is done does not help either.
  town.container(desk).mark(last, 'done');
  const id = town.send(desk, 'writer', 'all new');
  await until('it waits', () => town.state(id)?.reason?.includes('is paused'));
  expect(town.pause('desk', 'writer')?.reason).toBe('hop');
});

test('too many messages in a minute are held in order, not failed, and Resume delivers each once', async () => {
  const town = new Town('desk', 'writer');
  const { session, ids, held } = await flood(town, 4);
  const [question] = town.questions();
  expect(question).toMatch(/^desk and writer exchanged 40 messages in \d+ s: paused\. Resume\?$/);
  expect(copiesOf(town)).toHaveLength(PAIR_MESSAGES);
  for (const id of held) {
    expect(town.spine.inboxes.read(session, (tables) => tables.getDelivery(id))).toMatchObject({
      ...{ state: 'queued', attempts: 0, nextAttemptAt: null },
    });
  }
  await town.decide('Resume');
  for (const id of ids) await town.ended(id, 'delivered');
  expect(copiesOf(town)).toEqual(ids.map((_, at) => `n${at}`));
  expect(town.told(session, 'peers_paused')).toHaveLength(1);
});

test('an admin answers in a chat without buttons, with the number and the mark, and what was held is delivered', async () => {
  const town = new Town('desk', 'writer');
  const { spine } = town;
  const ada = { senderId: 'test:ada' as UserId, senderName: 'Ada', isPrivate: true };
  spine.users.ensure(ada.senderId, ada.senderName, spine.now());
  spine.users.grant(ada.senderId, 'admin', null, null, spine.now());
  const chat = spine.addChat(town.agent('desk'), 'test', 'ada');
  await spine.say(chat, 'hello', ada);
  const { ids } = await flood(town, 2);
  const card = await until('the card is in her chat', () =>
    town.channel.visible.find(({ address, text }) => address.platformId === 'ada' && text.includes('paused. Resume?')),
  );
  const [approval] = spine.approvals.list(10, null, 'pending');
  if (approval === undefined) throw new Error('no admin was asked');
  const mark = approval.code;
  expect(card.text).toContain(`“1 ${mark}”`);
  // A number alone could be meant for the agent.
  await spine.router.receive(spine.event(chat, '1', ada));
  expect(spine.approvals.get(approval.id)?.outcome).toBeNull();
  await spine.router.receive(spine.event(chat, `1 ${mark}`, ada));
  for (const id of ids) await town.ended(id, 'delivered');
  expect(copiesOf(town)).toEqual(ids.map((_, at) => `n${at}`));
  expect(spine.approvals.get(approval.id)).toMatchObject({ decidedBy: ada.senderId });
  expect(town.pause('desk', 'writer')?.state).not.toBe('paused');
});

test('both directions count together, and the other direction is held too', async () => {
  const town = new Town('desk', 'writer');
  const { session } = await flood(town);
  const [writer] = town.spine.sessions.listForAgent(town.agent('writer').id);
  if (writer === undefined) throw new Error('no writer');
  const back = town.send(writer, 'desk', 'and back');
  await until('it waits', () => town.state(back)?.reason?.includes('is paused'));
  expect(town.questions()).toHaveLength(1);
  expect(town.told(session, 'peers_paused')).toHaveLength(1);
});

test('Stop refuses what was held, tells both agents once, and does not stand in the way of what comes later', async () => {
  const town = new Town('desk', 'writer');
  const { session, held } = await flood(town, 2);
  await town.decide('Stop');
  for (const id of held) {
    await town.ended(id, 'refused');
    expect(town.state(id)?.reason).toContain('an admin stopped the exchange with writer');
    expect(town.spine.ledger.countByMessage(id, 'delivery.refused')).toBe(1);
  }
  await until('the desk is told', () => town.told(session, 'delivery_refused').length === 1);
  const [writer] = town.spine.sessions.listForAgent(town.agent('writer').id);
  if (writer === undefined) throw new Error('no writer');
  await until('the writer is told', () => town.told(writer, 'peers_ended').length === 1);
  expect(copiesOf(town)).toHaveLength(PAIR_MESSAGES);
  town.spine.now = () => Date.now() + 120_000;
  const later = town.send(session, 'writer', 'another day');
  await town.ended(later, 'delivered');
});

test('a pause outlives the host: nothing is told or asked twice, and Resume still delivers in order', async () => {
  const town = new Town('desk', 'writer');
  const { session, ids, held } = await flood(town, 2);
  await until('an admin is asked', () => town.questions().length === 1);
  await town.restart();
  const more = town.send(session, 'writer', 'after the restart');
  const rows = () => town.spine.inboxes.read(session, (tables) => tables.getDelivery(more));
  await until('it is taken', () => rows()?.state === 'queued');
  expect(copiesOf(town)).toHaveLength(PAIR_MESSAGES);
  expect(town.questions()).toHaveLength(1);
  expect(town.told(session, 'peers_paused')).toHaveLength(1);
  await town.decide('Resume');
  for (const id of [...held, more]) await town.ended(id, 'delivered');
  expect(copiesOf(town)).toEqual([...ids.map((_, at) => `n${at}`), 'after the restart']);
});

test('a crash between the pause and its telling: the next start tells both and asks', async () => {
  const town = new Town('desk', 'writer');
  const { session } = await town.talk('desk', 'hall');
  const why = { reason: 'rate', question: 'desk and writer exchanged 40 messages in 3 s: paused. Resume?' } as const;
  const to = { agentGroupId: town.agent('writer').id, sessionId: null };
  town.spine.peerStore.pause(session, to, why, Date.now(), () => undefined);
  for (let start = 0; start < 2; start++) {
    await town.restart();
    await until('an admin is asked', () => town.questions().length === 1);
    await until('the desk is told', () => town.told(session, 'peers_paused').length === 1);
  }
  expect(town.questions()).toEqual([why.question]);
});

test('what waits for one agent holds up neither the person’s chat nor another agent, and is bounded', async () => {
  const town = new Town('desk', 'writer', 'researcher');
  const { session } = await flood(town);
  const container = town.container(session);
  const ids = Array.from({ length: MAX_WAITING_FOR_PEER + 10 }, () => container.send(town.rowTo('writer', 'more')));
  container.send({ destination: 'hall', channelType: 'test', platformId: 'hall', content: { text: 'a word' } });
  const other = town.send(session, 'researcher', 'a question');
  await until('the person hears', () => town.channel.visible.some(({ text }) => text === 'a word'));
  await town.ended(other, 'delivered');
  const states = () => ids.map((id) => town.state(id as MessageId)?.state);
  await until('the rest is refused', () => states().filter((state) => state === 'refused').length === 11);
  expect(states().filter((state) => state === 'queued')).toHaveLength(MAX_WAITING_FOR_PEER - 1);
});
