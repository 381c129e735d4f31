import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MAX_HOP, MAX_UNDONE_FROM_PEER, PAIR_MESSAGES, PAIR_WINDOW_MS } from '../../../../host/config/limits.ts';
import { PairRate } from '../../../../host/delivery/peers/pair-rate.ts';
import {
  type Asker,
  type Passage,
  type PassageFacts,
  planPassage,
  planTarget,
} from '../../../../host/delivery/peers/plan.ts';
import { type AgentGroupId, makeId, type SessionId } from '../../../../shared/ids.ts';

const NOW = 1_000_000;
const [DESK, WRITER] = [makeId('agentGroup'), makeId('agentGroup')];

const CLEAR: PassageFacts = {
  sender: 'desk',
  target: 'writer',
  pause: null,
  takenAt: NOW,
  base: null,
  recent: [],
  quarantineReason: null,
  undone: 0,
  hasDiskRoom: true,
};
const full = Array.from({ length: PAIR_MESSAGES }, (_, at) => NOW - 12_000 + at);
const paused = { state: 'paused', decidedAt: null, decidedBy: null } as const;
const resumed = { state: 'resumed', decidedAt: NOW - 5, decidedBy: 'web:owner' } as const;
const ended = { state: 'ended', decidedAt: NOW - 5, decidedBy: 'web:owner' } as const;

test.each<[string, Partial<PassageFacts>, Partial<Passage>]>([
  ['that starts something', {}, { kind: 'pass', hop: 1 }],
  ['in answer to a person', { base: { hop: 0, timestamp: 1 } }, { kind: 'pass', hop: 1 }],
  ['in answer to an agent', { base: { hop: 3, timestamp: 1 } }, { kind: 'pass', hop: 4 }],
  ['at the cap', { base: { hop: MAX_HOP - 1, timestamp: 1 } }, { kind: 'pass', hop: MAX_HOP }],
  [
    'past the cap',
    { base: { hop: MAX_HOP, timestamp: 1 } },
    { kind: 'pause', reason: 'hop', question: 'desk and writer handed a message on 20 times: paused. Resume?' },
  ],
  [
    'past the cap that came in before a person resumed',
    { base: { hop: MAX_HOP, timestamp: NOW - 6 }, pause: resumed },
    { kind: 'pass', hop: 1 },
  ],
  [
    'past the cap that came in after a person resumed',
    { base: { hop: MAX_HOP, timestamp: NOW - 4 }, pause: resumed },
    { kind: 'pause', reason: 'hop' },
  ],
  [
    'that is one too many',
    { recent: full },
    { kind: 'pause', reason: 'rate', question: 'desk and writer exchanged 40 messages in 12 s: paused. Resume?' },
  ],
  ['just under the rate', { recent: full.slice(1) }, { kind: 'pass' }],
  ['of a pair that is paused', { pause: paused }, { kind: 'hold' }],
  [
    'of a pair that is paused, however often handed on',
    { pause: paused, base: { hop: 99, timestamp: 1 } },
    { kind: 'hold' },
  ],
  ['that waited when a person stopped the pair', { pause: ended, takenAt: NOW - 6 }, { kind: 'refuse' }],
  ['that came after a person stopped the pair', { pause: ended, takenAt: NOW - 4 }, { kind: 'pass' }],
  ['to a session that is set aside', { quarantineReason: 'outbound.db' }, { kind: 'hold' }],
  ['to a session that has enough of the sender', { undone: MAX_UNDONE_FROM_PEER }, { kind: 'hold' }],
  ['to a session that has nearly enough', { undone: MAX_UNDONE_FROM_PEER - 1 }, { kind: 'pass' }],
  ['on a full disk', { hasDiskRoom: false }, { kind: 'hold' }],
])('a message %s', (_what, facts, passage) => {
  expect(planPassage({ ...CLEAR, ...facts }, NOW)).toMatchObject(passage);
});

const agents = [DESK, WRITER, makeId('agentGroup')];
const askers = fc.array(
  fc.record<Asker>({
    sessionId: fc.integer({ min: 0, max: 9 }).map((at) => `ses_${at}` as SessionId),
    agentGroupId: fc.constantFrom(...agents),
    messageId: fc.constant(null),
  }),
  { maxLength: 5 },
);

test('an answer goes to the nearest session of the target that asked, and to no other agent’s', () => {
  const linked = fc.option(fc.constant('ses_l' as SessionId), { nil: null });
  fc.assert(
    fc.property(askers, linked, fc.constantFrom(...agents), (asked, last, target) => {
      const plan = planTarget({ target, askers: asked, linked: last });
      const first = asked.find(({ agentGroupId }) => agentGroupId === target);
      if (first !== undefined) expect(plan).toMatchObject({ kind: 'asker', sessionId: first.sessionId });
      else expect(plan).toEqual(last === null ? { kind: 'default' } : { kind: 'linked', sessionId: last });
    }),
  );
});

test('nothing passes a pause, the cap or the rate, and a hop never falls without a person', () => {
  const facts: fc.Arbitrary<PassageFacts> = fc.record({
    sender: fc.constant('desk'),
    target: fc.constant('writer'),
    pause: fc.option(fc.constantFrom(paused, resumed, ended), { nil: null }),
    takenAt: fc.integer({ min: NOW - 10, max: NOW }),
    base: fc.option(
      fc.record({ hop: fc.integer({ min: 0, max: 25 }), timestamp: fc.integer({ min: NOW - 10, max: NOW }) }),
      { nil: null },
    ),
    recent: fc.array(fc.integer({ min: NOW - PAIR_WINDOW_MS, max: NOW }), { maxLength: 50 }),
    quarantineReason: fc.option(fc.constant('corrupt'), { nil: null }),
    undone: fc.integer({ min: 0, max: 300 }),
    hasDiskRoom: fc.boolean(),
  });
  fc.assert(
    fc.property(facts, (known) => {
      const passage = planPassage(known, NOW);
      if (passage.kind !== 'pass') return;
      expect(known.pause?.state).not.toBe('paused');
      expect(passage.hop).toBeLessThanOrEqual(MAX_HOP);
      expect(known.recent.length).toBeLessThan(PAIR_MESSAGES);
      expect(known.quarantineReason).toBeNull();
      if (known.pause?.state !== 'resumed') expect(passage.hop).toBe((known.base?.hop ?? 0) + 1);
    }),
    { numRuns: 3_000 },
  );
});

test('a pair’s messages count in both directions, within a minute, and not for others', () => {
  const rate = new PairRate();
  const other = agents[2] as AgentGroupId;
  rate.note(DESK, WRITER, NOW);
  rate.note(WRITER, DESK, NOW + 1);
  const takeBack = rate.note(DESK, WRITER, NOW + 2);
  expect(rate.recent(WRITER, DESK, NOW + 2)).toEqual([NOW, NOW + 1, NOW + 2]);
  takeBack();
  expect(rate.recent(DESK, WRITER, NOW + 2)).toEqual([NOW, NOW + 1]);
  expect(rate.recent(DESK, other, NOW + 2)).toEqual([]);
  expect(rate.recent(DESK, WRITER, NOW + PAIR_WINDOW_MS)).toEqual([NOW + 1]);
  rate.clear(WRITER, DESK);
  expect(rate.recent(DESK, WRITER, NOW + 2)).toEqual([]);
});

test('an agent’s name brings no markup and no link into the card of a pause', () => {
  const sender = 'desk** [approve](evil.example)';
  expect(planPassage({ ...CLEAR, sender, recent: full }, NOW)).toMatchObject({
    question: `desk approve evil. example and writer exchanged ${PAIR_MESSAGES} messages in 12 s: paused. Resume?`,
  });
});
