/** What admins should know is said once, in a chat of theirs, to the first who can be reached. */
import { expect, test } from 'vitest';
import { makeAdminTeller } from '../../host/tell-admins.ts';
import type { UserId } from '../../shared/ids.ts';
import { Spine } from '../support/spine.ts';
import { until } from '../support/until.ts';

function setUp() {
  const spine = new Spine();
  const channel = spine.addChannel('test');
  const agent = spine.addAgent();
  const addPerson = async (name: string, of: typeof agent.id | null, role: 'owner' | 'admin', type = 'test') => {
    const id = `${type}:${name}` as UserId;
    spine.users.ensure(id, name, 0);
    spine.users.grant(id, role, of, null, spine.now());
    const chat = spine.addChat(agent, type, `own-${name}`);
    spine.users.notePrivateChat(id, type, chat.id);
    await spine.say(chat, 'hello', { senderId: id });
  };
  const tell = makeAdminTeller({
    ...{ users: spine.users, chats: spine.chats, sessions: spine.sessions },
    isConnected: (type) => spine.channels.has(type),
    tell: (ref, about, key, text) => spine.notices.tell(ref, about, key, text),
    now: spine.now,
  });
  return { spine, channel, agent, addPerson, tell };
}

test('an admin of the agent is told before its owner, and once however often it is said', async () => {
  const { channel, agent, addPerson, tell } = setUp();
  await addPerson('owner', null, 'owner');
  await addPerson('ada', agent.id, 'admin');
  tell(agent, 'mcp files', 'It did not come up.');
  tell(agent, 'mcp files', 'It did not come up.');
  tell(agent, 'mcp other', 'Nor did this.');
  await until('both are sent', () => channel.visible.length === 2);
  expect(channel.visible.map(({ text, address }) => [address.platformId, text])).toEqual([
    ['own-ada', 'It did not come up.'],
    ['own-ada', 'Nor did this.'],
  ]);
});

test('who cannot be reached now is passed over; without anybody nothing breaks', async () => {
  const { channel, agent, addPerson, tell } = setUp();
  tell(agent, 'early', 'Nobody hears this.');
  await addPerson('ada', agent.id, 'admin', 'away');
  await addPerson('owner', null, 'owner');
  tell(agent, 'late', 'The owner hears this.');
  await until('it is sent', () => channel.visible.length === 1);
  expect(channel.visible[0]?.address.platformId).toBe('own-owner');
});
