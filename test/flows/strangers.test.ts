/** A stranger, an owner and a whole host: held, asked, let in, answered. */
import { expect, test } from 'vitest';
import { OWNER } from '../../host/first-run.ts';
import type { InboundEvent } from '../../host/routing/inbound.ts';
import type { UserId } from '../../shared/ids.ts';
import { stampNow } from '../../shared/trace.ts';
import { FlowHost } from '../support/flow-host.ts';
import { until } from '../support/until.ts';

const STRANGER = 'test:sam' as UserId;

function event(platformId: string, senderId: UserId, text: string, more: Partial<InboundEvent> = {}): InboundEvent {
  return {
    channelType: 'test',
    platformId,
    threadId: null,
    senderId,
    senderName: 'Sam',
    text,
    files: [],
    isMention: true,
    isPrivate: false,
    platformMessageId: null,
    replyToPlatformId: null,
    clientId: null,
    receivedAt: stampNow(),
    ...more,
  };
}

test('a stranger in a new group is asked about twice, over a restart of the host, and answered once', async () => {
  const flow = await new FlowHost({ driver: 'process' }).startForTest();
  /** The owner of a fresh host is asked on its page, and writes the answer there. */
  const decide = async (option: string): Promise<void> => {
    const { approvals, questions, chats } = flow.host.stores;
    const card = await until('a card', () =>
      approvals
        .list(10, null, 'pending')
        .flatMap(({ id }) => questions.listCards(id))
        .at(0),
    );
    const chat = chats.get(card.messagingGroupId);
    if (chat === null) throw new Error('the card is nowhere');
    const where = { channelType: chat.channelType, isPrivate: true, hostIsPlatform: true };
    await flow.host.receive(event(chat.platformId, OWNER, option, where));
  };
  expect(await flow.host.receive(event('club', STRANGER, 'are you there?'))).toMatchObject({ kind: 'held' });
  expect(await flow.host.receive(event('club', STRANGER, '1'))).toMatchObject({ kind: 'held', tell: null });
  await decide('1');
  await until('an admin is asked about the person', () =>
    flow.host.stores.approvals.list(10, null, 'pending').find(({ action }) => action === 'admit_sender'),
  );
  await flow.stop();
  await flow.start();
  expect(flow.host.stores.held.total.count).toBe(2);
  await decide('Let in');
  const answer = await flow.next('club', 0);
  expect(answer.text).toContain('are you there?');
  await until('nothing waits', () => flow.host.stores.held.total.count === 0);
  expect(flow.host.stores.users.isKnown(STRANGER, flow.agent.id)).toBe(true);
  expect(flow.host.stores.approvals.list(10, null, 'applied')).toHaveLength(2);
});
