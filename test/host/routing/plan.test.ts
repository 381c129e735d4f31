import fc from 'fast-check';
import { expect, test } from 'vitest';
import { planRouting, type RoutingFacts } from '../../../host/routing/plan.ts';
import { planSessionKey } from '../../../host/sessions/session-key.ts';
import { UNKNOWN_SENDER_POLICIES, type UnknownSenderPolicy } from '../../../host/store/chats.ts';
import {
  ENGAGE_MODES,
  IGNORED_MESSAGE_POLICIES,
  SENDER_SCOPES,
  SESSION_MODES,
  type Wiring,
} from '../../../host/store/wirings.ts';
import { makeId } from '../../../shared/ids.ts';

const chat = makeId('messagingGroup');
const wirings: fc.Arbitrary<Wiring> = fc.record({
  id: fc.constant(makeId('wiring')),
  messagingGroupId: fc.constant(chat),
  agentGroupId: fc.constant(makeId('agentGroup')),
  engageMode: fc.constantFrom(...ENGAGE_MODES),
  engagePattern: fc.constant(null),
  senderScope: fc.constantFrom(...SENDER_SCOPES),
  ignoredMessagePolicy: fc.constantFrom(...IGNORED_MESSAGE_POLICIES),
  sessionMode: fc.constantFrom(...SESSION_MODES),
  priority: fc.integer(),
  createdAt: fc.nat(),
  revision: fc.nat(),
});
const facts: fc.Arbitrary<RoutingFacts> = fc.record({
  chat: fc.record({ id: fc.constant(chat), unknownSenderPolicy: fc.constantFrom(...UNKNOWN_SENDER_POLICIES) }),
  threadId: fc.option(fc.string(), { nil: null }),
  isMention: fc.boolean(),
  wirings: fc.array(
    fc.record({
      wiring: wirings,
      senderIsKnown: fc.boolean(),
      isTurnedAway: fc.boolean(),
      isWaiting: fc.boolean(),
      patternMatches: fc.boolean(),
      wasEngaged: fc.boolean(),
    }),
  ),
});

const TABLE: [mode: Wiring['engageMode'], mention: boolean, pattern: boolean, engaged: boolean, heard: boolean][] = [
  ['always', false, false, false, true],
  ['pattern', false, true, false, true],
  ['pattern', true, false, true, false],
  ['mention', true, false, false, true],
  ['mention', false, true, true, false],
  ['mention-sticky', false, false, true, true],
  ['mention-sticky', true, false, false, true],
  ['mention-sticky', false, true, false, false],
];

test.each(TABLE)(
  'engage mode %s with mention %s, pattern %s, engaged before %s: heard %s',
  (mode, isMention, patternMatches, wasEngaged, heard) => {
    const [wiring] = fc.sample(wirings, { numRuns: 1, seed: 1 });
    if (wiring === undefined) throw new Error('no sample');
    const [route] = planRouting({
      chat: { id: chat, unknownSenderPolicy: 'strict' },
      threadId: null,
      isMention,
      wirings: [
        {
          wiring: { ...wiring, engageMode: mode, senderScope: 'all', ignoredMessagePolicy: 'drop' },
          senderIsKnown: false,
          isTurnedAway: false,
          isWaiting: false,
          patternMatches,
          wasEngaged,
        },
      ],
    });
    expect(route?.kind).toBe(heard ? 'engage' : 'ignore');
  },
);

const POLICIES: [
  policy: UnknownSenderPolicy,
  mention: boolean,
  ignored: Wiring['ignoredMessagePolicy'],
  turnedAway: boolean,
  waiting: boolean,
  expected: string,
][] = [
  ['public', true, 'drop', false, false, 'engage'],
  ['public', false, 'accumulate', true, false, 'accumulate'],
  ['strict', true, 'drop', false, true, 'unknown_sender'],
  ['strict', false, 'accumulate', false, false, 'unknown_sender'],
  ['request_approval', true, 'drop', false, false, 'hold'],
  ['request_approval', true, 'drop', false, true, 'hold'],
  ['request_approval', true, 'accumulate', true, true, 'sender_turned_away'],
  ['request_approval', false, 'drop', false, true, 'not_addressed'],
  ['request_approval', false, 'accumulate', false, false, 'unknown_sender'],
  ['request_approval', false, 'accumulate', false, true, 'hold'],
  ['request_approval', false, 'accumulate', true, false, 'sender_turned_away'],
];

test.each(POLICIES)(
  'a stranger under %s with mention %s, unaddressed messages %s, turned away %s, others waiting %s: %s',
  (unknownSenderPolicy, isMention, ignoredMessagePolicy, isTurnedAway, isWaiting, expected) => {
    const [wiring] = fc.sample(wirings, { numRuns: 1, seed: 1 });
    if (wiring === undefined) throw new Error('no sample');
    const [route] = planRouting({
      chat: { id: chat, unknownSenderPolicy },
      threadId: null,
      isMention,
      wirings: [
        {
          wiring: { ...wiring, engageMode: 'mention', senderScope: 'known', ignoredMessagePolicy },
          senderIsKnown: false,
          isTurnedAway,
          isWaiting,
          patternMatches: false,
          wasEngaged: false,
        },
      ],
    });
    expect(route?.kind === 'ignore' ? route.reason : route?.kind).toBe(expected);
  },
);

test('one answer per wiring, in order; a stranger is heard only where policy lets them in', () => {
  fc.assert(
    fc.property(facts, (given) => {
      const routes = planRouting(given);
      expect(routes.map((route) => route.agentGroupId)).toEqual(given.wirings.map(({ wiring }) => wiring.agentGroupId));
      for (const [at, route] of routes.entries()) {
        const { wiring, senderIsKnown, isTurnedAway } = given.wirings[at] ?? {};
        if (wiring?.senderScope === 'all' || senderIsKnown) {
          expect(route.kind).not.toBe('hold');
          continue;
        }
        if (route.kind === 'engage' || route.kind === 'accumulate')
          expect(given.chat.unknownSenderPolicy).toBe('public');
        if (route.kind === 'hold') {
          expect(given.chat.unknownSenderPolicy).toBe('request_approval');
          expect(isTurnedAway).toBe(false);
        }
      }
    }),
  );
});

test('lost: a refusal for one wiring skips the others: what one wiring decides does not depend on the others: an agent that knows a sender lets nobody in to another', () => {
  fc.assert(
    fc.property(facts, (given) => {
      const alone = given.wirings.flatMap((wiring) => planRouting({ ...given, wirings: [wiring] }));
      expect(planRouting(given)).toEqual(alone);
    }),
  );
});

test('a session key never mixes agents or chats', () => {
  fc.assert(
    fc.property(wirings, fc.option(fc.string(), { nil: null }), (wiring, threadId) => {
      const key = planSessionKey(wiring, threadId);
      expect(key.agentGroupId).toBe(wiring.agentGroupId);
      expect(key.messagingGroupId).toBe(wiring.sessionMode === 'agent-shared' ? null : wiring.messagingGroupId);
      expect(key.threadId).toBe(wiring.sessionMode === 'per-thread' ? threadId : null);
    }),
  );
});
