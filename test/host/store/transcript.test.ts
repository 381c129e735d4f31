import { expect, test } from 'vitest';
import { hostContainerUser } from '../../../host/sessions/folder.ts';
import { type MessageId, makeId } from '../../../shared/ids.ts';
import { Spine } from '../../support/spine.ts';
import { until } from '../../support/until.ts';

test('the last message of a session is the last that its chat shows, whoever wrote it', async () => {
  const spine = new Spine();
  spine.addChannel('test');
  const chat = spine.addChat(spine.addAgent(), 'test', 'room');
  const elsewhere = spine.addChat(spine.addAgent('other'), 'test', 'hall');
  const { session, messageId } = await spine.say(chat, 'hello');
  const other = await spine.say(elsewhere, 'far away');
  expect(spine.transcript.last(session)?.id).toBe(messageId);
  const id = makeId('message');
  spine.transcript.put({
    ...{ id, sessionId: other.session.id, messagingGroupId: chat.id, threadId: null, direction: 'out', kind: 'chat' },
    ...{ authorId: other.session.agentGroupId, authorName: 'other', destination: 'room', text: 'from next door' },
    ...{ attachments: [], inReplyTo: null, state: 'delivered', stateReason: null, clientId: null },
    ...{ traceId: makeId('trace'), stamps: {}, createdAt: 1 },
  });
  expect(spine.transcript.last(session)?.text).toBe('from next door');
});

test('a database that takes nothing for long refuses new work and reads no replies; what was told is kept, and it goes on', async () => {
  const spine = new Spine();
  const channel = spine.addChannel('test');
  const chat = spine.addChat(spine.addAgent(), 'test', 'room');
  const { channelType, platformId } = chat;
  const { session, paths } = await spine.say(chat, 'hello');
  const container = spine.container(paths);
  const reply = (text: string) => {
    const id = container.send({ destination: 'room', channelType, platformId, content: { text } }) as MessageId;
    spine.delivery.ring(session.id);
    return id;
  };
  const state = (id: MessageId) => spine.inboxes.read(session, (tables) => tables.getDelivery(id)?.state);
  const { transcript } = spine;
  transcript.flush();
  spine.db.pragma(`max_page_count = ${spine.db.pragma('page_count', { simple: true })}`);
  const tell = () => {
    const id = makeId('message');
    transcript.put({
      ...{ id, sessionId: session.id, messagingGroupId: chat.id, threadId: null, direction: 'out', kind: 'chat' },
      ...{ authorId: session.agentGroupId, authorName: 'anna', destination: 'room', text: 'x'.repeat(1_000) },
      ...{ attachments: [], inReplyTo: null, state: 'delivered', stateReason: null, clientId: null },
      ...{ traceId: makeId('trace'), stamps: {}, createdAt: 1 },
    });
    return id;
  };
  const first = Array.from({ length: 100 }, tell);
  expect(() => transcript.flush()).toThrow(expect.objectContaining({ code: 'SQLITE_FULL' }));
  const soon = await spine.say(chat, 'taken all the same');
  const early = reply('read all the same');
  await until('it is delivered', () => state(early) === 'delivered');
  expect(transcript.trouble).toBeNull();

  const rest = Array.from({ length: 4_000 }, tell);
  await expect(spine.say(chat, 'too late')).rejects.toMatchObject({ code: 'disk_full', retryable: true });
  const late = reply('read later');
  // What the host asked for when it was rung is read before this, and committed in the turn after it.
  const nothing = { afterSeq: 0, limit: 0, seqs: [], openIds: [], withState: false };
  await spine.reader.read({ ...nothing, out: paths.out, ownerUid: hostContainerUser(session).uid });
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(state(late)).toBeUndefined();

  spine.db.pragma('max_page_count = 1073741823');
  await until('there is room again', () => transcript.trouble === null);
  await until('it is delivered', () => state(late) === 'delivered');
  await spine.say(chat, 'taken again');
  for (const id of [...first, soon.messageId, early, ...rest, late]) expect(transcript.get(id)?.id).toBe(id);
  expect(channel.visible.map(({ text }) => text)).toEqual(['read all the same', 'read later']);
});
