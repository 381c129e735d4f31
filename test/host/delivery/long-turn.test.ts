import { expect, test } from 'vitest';
import { describeLongTurn, describeTaken, LONG_TURN_MS, planNote } from '../../../host/delivery/long-turn.ts';

test.each([
  ['just claimed', { claimedAt: 1_000, lastWordAt: null }, 1_000, { kind: 'wait', ms: LONG_TURN_MS }],
  ['a moment before', { claimedAt: 0, lastWordAt: null }, LONG_TURN_MS - 1, { kind: 'wait', ms: 1 }],
  ['in silence', { claimedAt: 0, lastWordAt: null }, LONG_TURN_MS, { kind: 'tell' }],
  ['after a word', { claimedAt: 0, lastWordAt: 30_000 }, LONG_TURN_MS, { kind: 'wait', ms: 30_000 }],
  ['silent since the word', { claimedAt: 0, lastWordAt: 30_000 }, LONG_TURN_MS + 30_000, { kind: 'tell' }],
  ['seen late, after a restart', { claimedAt: 0, lastWordAt: null }, 10 * LONG_TURN_MS, { kind: 'tell' }],
] as const)('the notice of a turn: %s', (_when, facts, now, plan) => {
  expect(planNote(facts, now)).toEqual(plan);
});

test('times are those of the people’s zone, durations have two parts', () => {
  const at = Date.UTC(2026, 0, 1, 12, 3);
  expect(describeLongTurn(at, 'Asia/Kathmandu')).toContain('since 17:48.');
  expect(describeTaken(123_000, 'done')).toBe('That took 2 min 3 s.');
  expect(describeTaken(3_720_000, 'failed')).toBe('That ended without success after 1 h 2 min.');
  expect(describeTaken(0, 'done')).toBe('That took 0 s.');
});
