import { expect, test } from 'vitest';
import { makeId } from '../../../shared/ids.ts';
import { Spine } from '../../support/spine.ts';

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
