import fc from 'fast-check';
import { expect, test } from 'vitest';
import { authoriseSend, type ClaimedRoute, type RouteFacts } from '../../../host/access/authorise.ts';

const text = fc.constantFrom('room', 'hall', 'web', 'telegram', 'c1', 'c2', '../x', '', 'ROOM');
const nullable = fc.option(text, { nil: null });
const claims: fc.Arbitrary<ClaimedRoute> = fc.record({
  destination: nullable,
  channelType: nullable,
  platformId: nullable,
  threadId: nullable,
});
const facts: fc.Arbitrary<RouteFacts> = fc.record({
  destination: fc.option(
    fc.record({ targetType: fc.constantFrom('channel' as const, 'agent' as const), targetId: text }),
    {
      nil: null,
    },
  ),
  chat: fc.option(fc.record({ id: text, channelType: text, platformId: text }), { nil: null }),
  threadIsOfChat: fc.boolean(),
});

test('nothing is allowed without a row, and nothing that disagrees with it', () => {
  fc.assert(
    fc.property(claims, facts, (claimed, known) => {
      if (authoriseSend(claimed, known).kind === 'refuse') return;
      expect(known.destination).toMatchObject({ targetType: 'channel', targetId: known.chat?.id });
      expect(claimed.channelType).toBe(known.chat?.channelType);
      expect(claimed.platformId).toBe(known.chat?.platformId);
      if (claimed.threadId !== null) expect(known.threadIsOfChat).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});

test('what agrees in everything is allowed', () => {
  const chat = { id: 'c1', channelType: 'web', platformId: 'p' };
  const claimed = { destination: 'room', channelType: 'web', platformId: 'p', threadId: null };
  expect(
    authoriseSend(claimed, { destination: { targetType: 'channel', targetId: 'c1' }, chat, threadIsOfChat: false }),
  ).toEqual({
    kind: 'allow',
  });
});
