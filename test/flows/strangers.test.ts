/** A stranger, an owner and a whole host: held, asked, let in, answered. */
import { request } from 'node:http';
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
  /** The owner of a fresh host is asked on its page, and clicks the answer there. */
  const decide = async (choice: string): Promise<void> => {
    const { approvals, questions, chats } = flow.host.stores;
    const card = await until('a card', () =>
      approvals
        .list(10, null, 'pending')
        .flatMap(({ id }) => questions.listCards(id))
        .at(0),
    );
    const chat = chats.get(card.messagingGroupId);
    if (chat === null) throw new Error('the card is nowhere');
    // Its page has buttons: what is written there is for the agent.
    const where = { channelType: chat.channelType, isPrivate: true, hostIsPlatform: true };
    await flow.host.receive(event(chat.platformId, OWNER, choice, where));
    expect(questions.get(card.messageId)?.state).toBe('pending');
    expect(await post(flow.host.paths.socket, `/api/v1/messages/${card.messageId}/answer`, { choice })).toBe(200);
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
  await until('both are carried out', () => flow.host.stores.approvals.list(10, null, 'applied').length === 2);
});

/** Over the owner's socket; the status of the answer. */
function post(socketPath: string, path: string, body: object): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' };
    const sent = request({ socketPath, path, method: 'POST', headers }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode ?? 0));
    });
    sent.once('error', reject).end(JSON.stringify(body));
  });
}
