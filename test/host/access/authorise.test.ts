import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  authoriseSend,
  type ClaimedRoute,
  describeRefusal,
  type RefusalReason,
  type RouteFacts,
} from '../../../host/access/authorise.ts';
import { OUTBOUND_KINDS } from '../../../shared/messages.ts';

const text = fc.constantFrom('room', 'hall', 'web', 'telegram', 'agent', 'c1', 'c2', 'a1', 'a2', '../x', '', 'ROOM');
const nullable = fc.option(text, { nil: null });
const claims: fc.Arbitrary<ClaimedRoute> = fc.record({
  kind: fc.constantFrom(...OUTBOUND_KINDS),
  destination: nullable,
  channelType: nullable,
  platformId: nullable,
  threadId: nullable,
});
const facts: fc.Arbitrary<RouteFacts> = fc.record({
  agentGroupId: text,
  destination: fc.option(
    fc.record({ targetType: fc.constantFrom('channel' as const, 'agent' as const), targetId: text }),
    {
      nil: null,
    },
  ),
  chat: fc.option(fc.record({ id: text, channelType: text, platformId: text }), { nil: null }),
  threadIsOfChat: fc.boolean(),
  agent: fc.option(fc.record({ id: text }), { nil: null }),
});

test('nothing is allowed without a row, and nothing that disagrees with it', () => {
  fc.assert(
    fc.property(claims, facts, (claimed, known) => {
      if (authoriseSend(claimed, known).kind === 'refuse') return;
      if (known.destination?.targetType === 'agent') {
        expect(claimed).toMatchObject({ kind: 'chat', channelType: 'agent', threadId: null });
        expect(claimed.platformId).toBe(known.destination.targetId);
        expect(known.agent?.id).toBe(known.destination.targetId);
        expect(known.agentGroupId).not.toBe(known.destination.targetId);
        return;
      }
      expect(known.destination).toMatchObject({ targetType: 'channel', targetId: known.chat?.id });
      expect(claimed.channelType).toBe(known.chat?.channelType);
      expect(claimed.platformId).toBe(known.chat?.platformId);
      if (claimed.threadId !== null) expect(known.threadIsOfChat).toBe(true);
    }),
    { numRuns: 5_000 },
  );
});

test('what agrees in everything is allowed', () => {
  const chat = { id: 'c1', channelType: 'web', platformId: 'p' };
  const claimed = { kind: 'chat', destination: 'room', channelType: 'web', platformId: 'p', threadId: null } as const;
  expect(
    authoriseSend(claimed, {
      agentGroupId: 'a1',
      destination: { targetType: 'channel', targetId: 'c1' },
      chat,
      threadIsOfChat: false,
      agent: null,
    }),
  ).toEqual({ kind: 'allow', rule: 'chat' });
});

const TO_WRITER: ClaimedRoute = {
  kind: 'chat',
  destination: 'writer',
  channelType: 'agent',
  platformId: 'a2',
  threadId: null,
};
const WRITER_IS_THERE: RouteFacts = {
  agentGroupId: 'a1',
  destination: { targetType: 'agent', targetId: 'a2' },
  chat: null,
  threadIsOfChat: false,
  agent: { id: 'a2' },
};

test('a plain message to an agent of the chart is allowed', () => {
  expect(authoriseSend(TO_WRITER, WRITER_IS_THERE)).toEqual({ kind: 'allow', rule: 'agent' });
});

test.each<[string, Partial<ClaimedRoute>, Partial<RouteFacts>, RefusalReason]>([
  ['whose name is not in the chart', {}, { destination: null }, 'unknown_destination'],
  ['that is archived', {}, { agent: null }, 'agent_is_gone'],
  ['whose routing names another agent', { platformId: 'a3' }, {}, 'routing_disagrees'],
  ['whose routing names a chat', { channelType: 'web' }, {}, 'routing_disagrees'],
  ['through the thread of a chat', { threadId: 't1' }, { threadIsOfChat: true }, 'thread_of_another_chat'],
  ['that is itself', {}, { agentGroupId: 'a2' }, 'own_agent'],
  ['as a question', { kind: 'question' }, {}, 'chat_only'],
  ['as an edit', { kind: 'edit' }, {}, 'chat_only'],
  ['as a reaction', { kind: 'reaction' }, {}, 'chat_only'],
])('a message to an agent %s is refused', (_what, claimed, known, reason) => {
  expect(authoriseSend({ ...TO_WRITER, ...claimed }, { ...WRITER_IS_THERE, ...known })).toEqual({
    kind: 'refuse',
    reason,
  });
  expect(describeRefusal(reason, 'writer')).not.toBe('');
});
