/** One answer in several rows. */
import { expect, test } from 'vitest';
import type { MessageId } from '../../../shared/ids.ts';
import { Spine } from '../../support/spine.ts';
import { until } from '../../support/until.ts';

const CHUNKS = ['one', 'two', 'three', 'four', 'five'];

// With class none the platform shows whatever it is sent: a chunk that is sent again is seen twice.
test.each(['none', 'native'] as const)(
  'doubled: with class %s, chunk 3 of 5 fails and is sent again alone, and each is seen once and in order',
  async (idempotency) => {
    const spine = new Spine();
    const channel = spine.addChannel('test', idempotency);
    const chat = spine.addChat(spine.addAgent(), 'test', 'room');
    const { session, messageId, paths } = await spine.say(chat, 'tell me all');
    const send = channel.send.bind(channel);
    const tried: string[] = [];
    channel.send = (message, signal) => {
      if (message.text === 'three' && !tried.includes('three')) {
        channel.script.push({ kind: 'retry', reason: 'too fast', retryAfterMs: null });
      }
      tried.push(message.text);
      return send(message, signal);
    };
    const container = spine.container(paths);
    const ids = CHUNKS.map((text) =>
      container.send({
        ...{ destination: 'room', channelType: 'test', platformId: 'room' },
        ...{ inReplyTo: messageId, content: { text } },
      }),
    ) as MessageId[];
    spine.delivery.ring(session.id);
    const row = (id: MessageId) => spine.inboxes.read(session, (tables) => tables.getDelivery(id));
    await until('all are delivered', () => ids.every((id) => row(id)?.state === 'delivered'));
    expect(channel.visible.map(({ text }) => text)).toEqual(CHUNKS);
    expect(tried).toEqual(['one', 'two', 'three', 'three', 'four', 'five']);
    expect(ids.map((id) => row(id)?.attempts)).toEqual([1, 1, 2, 1, 1]);
  },
);
