/** A destination that is taken away: the very next attempt is refused, whatever the container believes. */
import { expect, it } from 'vitest';
import { Spine } from '../../support/spine.ts';
import { until } from '../../support/until.ts';

async function setUp() {
  const spine = new Spine();
  const channel = spine.addChannel('test');
  const agent = spine.addAgent();
  const home = spine.addChat(agent, 'test', 'home');
  const work = spine.addChat(agent, 'test', 'work');
  const { session, paths } = await spine.say(home, 'hello');
  const container = spine.container(paths);
  const send = (destination: string, text: string) => {
    const id = container.send({ destination, channelType: 'test', platformId: work.platformId, content: { text } });
    spine.delivery.ring(session.id);
    return id;
  };
  const stateOf = (id: string) => spine.transcript.get(id as never)?.state;
  const row = () => {
    const found = spine.destinations.findByTarget(agent.id, 'channel', work.id);
    if (found === null) throw new Error('no destination');
    return found;
  };
  return { spine, channel, agent, work, send, stateOf, row };
}

it('between two sends: the first arrives, the second is refused and recorded', async () => {
  const { spine, channel, send, stateOf, row } = await setUp();
  const first = send('work', 'one');
  await until('it arrives', () => stateOf(first) === 'delivered');
  spine.destinations.remove(row().id, row().revision);
  const second = send('work', 'two');
  await until('it is refused', () => stateOf(second) === 'refused');
  expect(channel.visible.map((sent) => sent.text)).toEqual(['one']);
  expect(spine.ledger.listRefusals(10)).toMatchObject([{ messageId: second }]);
});

it('between two attempts of one message: what waits for another try is not tried again', async () => {
  const { spine, channel, send, stateOf, row } = await setUp();
  channel.script.push({ kind: 'retry', reason: 'busy', retryAfterMs: null });
  const id = send('work', 'one');
  await until('the first try failed', () => channel.script.length === 0);
  spine.destinations.remove(row().id, row().revision);
  await until('it is refused', () => stateOf(id) === 'refused');
  expect(channel.visible).toEqual([]);
});

it('by a rename, nothing is taken: an answer under the old name arrives, until another destination has that name', async () => {
  const { spine, channel, agent, send, stateOf, row } = await setUp();
  spine.destinations.rename(row().id, row().revision, 'office', 1);
  const first = send('work', 'one');
  await until('it arrives', () => stateOf(first) === 'delivered');
  // The same name, another place: the row's routing is of the old one (wrong place).
  const secret = spine.chats.ensure({ channelType: 'test', platformId: 'secret', name: 'x', now: 1 });
  spine.destinations.add({
    agentGroupId: agent.id,
    localName: 'work',
    targetType: 'channel',
    targetId: secret.id,
    now: 2,
  });
  const second = send('work', 'two');
  await until('it is refused', () => stateOf(second) === 'refused');
  expect(channel.visible.map((sent) => sent.address.platformId)).toEqual(['work']);
});

it('with its agent: nothing that was written before leaves after', async () => {
  const { spine, channel, agent, send } = await setUp();
  spine.addAgent('other');
  spine.removals.remove(agent.id, 1, 'web:owner');
  const id = send('work', 'too late');
  await until('it is refused', () => spine.ledger.listRefusals(10).some((entry) => entry.messageId === id));
  expect(channel.visible.filter((sent) => sent.text === 'too late')).toEqual([]);
});
