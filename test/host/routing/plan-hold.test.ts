import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  MAX_HELD,
  MAX_HELD_BYTES,
  MAX_HELD_BYTES_PER_SENDER,
  MAX_HELD_PER_SENDER,
  MAX_UNWIRED_CHATS,
  MAX_WAITING_CHATS,
  MAX_WAITING_SENDERS,
} from '../../../host/routing/limits.ts';
import { type HoldFacts, planHold, planUnwired, type UnwiredFacts } from '../../../host/routing/plan-hold.ts';

const HOLD: HoldFacts = {
  gate: 'sender',
  isWaiting: false,
  waitingGates: 0,
  ofSender: { count: 0, bytes: 0 },
  total: { count: 0, bytes: 0 },
  sizeBytes: 100,
};

test.each<[why: string, facts: Partial<HoldFacts>, expected: string]>([
  ['the first of a stranger', {}, 'hold'],
  ['the last that fits', { isWaiting: true, ofSender: { count: MAX_HELD_PER_SENDER - 1, bytes: 0 } }, 'hold'],
  ['one too many', { isWaiting: true, ofSender: { count: MAX_HELD_PER_SENDER, bytes: 0 } }, 'held_full'],
  ['too many bytes', { isWaiting: true, ofSender: { count: 1, bytes: MAX_HELD_BYTES_PER_SENDER - 99 } }, 'held_full'],
  ['a full host', { total: { count: MAX_HELD, bytes: 0 } }, 'held_full'],
  ['a full disk allowance', { total: { count: 1, bytes: MAX_HELD_BYTES } }, 'held_full'],
  ['one stranger too many', { waitingGates: MAX_WAITING_SENDERS }, 'too_many_strangers'],
  ['one of the strangers that wait', { isWaiting: true, waitingGates: MAX_WAITING_SENDERS }, 'hold'],
  ['one chat too many', { gate: 'chat', waitingGates: MAX_WAITING_CHATS }, 'too_many_strangers'],
])('%s: %s', (_why, facts, expected) => {
  const plan = planHold({ ...HOLD, ...facts });
  expect(plan.kind === 'drop' ? plan.reason : plan.kind).toBe(expected);
});

test('whatever strangers do, what waits stays within its bounds', () => {
  const message = fc.record({ sender: fc.nat(40), sizeBytes: fc.integer({ min: 1, max: MAX_HELD_BYTES_PER_SENDER }) });
  fc.assert(
    fc.property(fc.array(message, { maxLength: 400 }), (messages) => {
      const held: { sender: number; sizeBytes: number }[] = [];
      const amount = (of: typeof held) => ({
        count: of.length,
        bytes: of.reduce((sum, one) => sum + one.sizeBytes, 0),
      });
      for (const { sender, sizeBytes } of messages) {
        const own = held.filter((one) => one.sender === sender);
        const plan = planHold({
          gate: 'sender',
          isWaiting: own.length > 0,
          waitingGates: new Set(held.map((one) => one.sender)).size,
          ofSender: amount(own),
          total: amount(held),
          sizeBytes,
        });
        if (plan.kind === 'hold') held.push({ sender, sizeBytes });
      }
      expect(amount(held).bytes).toBeLessThanOrEqual(MAX_HELD_BYTES);
      expect(new Set(held.map((one) => one.sender)).size).toBeLessThanOrEqual(MAX_WAITING_SENDERS);
      for (const { sender } of held) {
        const own = amount(held.filter((one) => one.sender === sender));
        expect(own.count).toBeLessThanOrEqual(MAX_HELD_PER_SENDER);
        expect(own.bytes).toBeLessThanOrEqual(MAX_HELD_BYTES_PER_SENDER);
      }
    }),
    { numRuns: 50 },
  );
});

const UNWIRED: UnwiredFacts = {
  isAddressed: true,
  isKnownChat: false,
  isTurnedAway: false,
  unwiredChats: 0,
  agents: 1,
};

test.each<[why: string, facts: Partial<UnwiredFacts>, expected: string]>([
  ['a mention in a new chat', {}, 'hold'],
  ['chatter that mentions nobody', { isAddressed: false }, 'unwired'],
  ['a chat that the owner said no to', { isKnownChat: true, isTurnedAway: true }, 'unwired'],
  ['a host without agents', { agents: 0 }, 'unwired'],
  ['one unwired chat too many', { unwiredChats: MAX_UNWIRED_CHATS }, 'too_many_strangers'],
  ['a known chat among too many', { isKnownChat: true, unwiredChats: MAX_UNWIRED_CHATS }, 'hold'],
])('%s: %s', (_why, facts, expected) => {
  const plan = planUnwired({ ...UNWIRED, ...facts });
  expect(plan.kind === 'drop' ? plan.reason : plan.kind).toBe(expected);
});
