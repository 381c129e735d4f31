import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { SendOutcome } from '../../../host/delivery/channel.ts';
import { findForgedSeq, parseRow, planAfterProbe, planAfterSend, planRecovery } from '../../../host/delivery/plan.ts';
import { makeId } from '../../../shared/ids.ts';

const session = makeId('session');
const row = {
  id: makeId('message'),
  seq: 1,
  inReplyTo: null,
  timestamp: 0,
  deliverAfter: null,
  kind: 'chat',
  destination: 'room',
  channelType: 'web',
  platformId: 'p',
  threadId: null,
  traceId: null,
  content: '{"text":"hi"}',
};

const outcomes: fc.Arbitrary<SendOutcome> = fc.oneof(
  fc.record({ kind: fc.constant('sent' as const), platformMessageId: fc.option(fc.string(), { nil: null }) }),
  fc.record({
    kind: fc.constant('retry' as const),
    reason: fc.string(),
    retryAfterMs: fc.option(fc.nat(1e6), { nil: null }),
  }),
  fc.record({ kind: fc.constant('uncertain' as const), reason: fc.string() }),
  fc.record({ kind: fc.constant('rejected' as const), reason: fc.string() }),
);
const classes = fc.constantFrom('native' as const, 'probe' as const, 'none' as const);

test('no sequence of answers sends again on class none after one that was lost', () => {
  fc.assert(
    fc.property(outcomes, fc.integer({ min: 1, max: 20 }), fc.nat(1e9), (outcome, attempts, now) => {
      const next = planAfterSend(outcome, attempts, 'none', now, 0.5);
      if (outcome.kind === 'uncertain') expect(next.kind).toBe('unknown');
      if (next.kind === 'retry') expect(next.mayBeSent).toBe(false);
    }),
  );
  expect(planRecovery({ state: 'sending' }, 'none')).toBe('unknown');
});

test('a retry is later than now, never earlier than the platform asked, and ends', () => {
  fc.assert(
    fc.property(
      outcomes,
      classes,
      fc.integer({ min: 1, max: 30 }),
      fc.nat(1e9),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (outcome, idempotency, attempts, now, random) => {
        const next = planAfterSend(outcome, attempts, idempotency, now, random);
        if (next.kind !== 'retry') return;
        expect(attempts).toBeLessThan(12);
        expect(next.at).toBeGreaterThan(now);
        if (outcome.kind === 'retry') expect(next.at).toBeGreaterThanOrEqual(now + (outcome.retryAfterMs ?? 0));
      },
    ),
  );
});

test('a probe decides: present is delivered, missing is sent, silence waits', () => {
  expect(planAfterProbe({ kind: 'present', platformMessageId: 'x' }, 1, 0, 0)).toEqual({
    kind: 'delivered',
    platformMessageId: 'x',
  });
  expect(planAfterProbe({ kind: 'missing' }, 1, 0, 0)).toEqual({ kind: 'send' });
  expect(planAfterProbe({ kind: 'cannot-tell' }, 1, 0, 0)).toMatchObject({ kind: 'retry', mayBeSent: true });
  expect(planAfterProbe({ kind: 'cannot-tell' }, 12, 0, 0)).toMatchObject({ kind: 'unknown' });
});

test('recovery: what was queued is sent, what was being sent is settled by class', () => {
  expect(planRecovery({ state: 'queued' }, 'none')).toBe('send');
  expect(planRecovery({ state: 'sending' }, 'native')).toBe('send');
  expect(planRecovery({ state: 'sending' }, 'probe')).toBe('probe');
});

test('no row throws, and a malformed one says why', () => {
  fc.assert(
    fc.property(
      fc.record({
        id: fc.oneof(fc.constant(row.id), fc.string()),
        seq: fc.integer(),
        inReplyTo: fc.option(fc.string(), { nil: null }),
        timestamp: fc.integer(),
        deliverAfter: fc.option(fc.double(), { nil: null }),
        kind: fc.oneof(fc.constantFrom('chat', 'edit', 'reaction', 'question', 'request'), fc.string()),
        destination: fc.option(fc.string(), { nil: null }),
        channelType: fc.option(fc.string(), { nil: null }),
        platformId: fc.option(fc.string(), { nil: null }),
        threadId: fc.option(fc.string(), { nil: null }),
        traceId: fc.option(fc.string(), { nil: null }),
        content: fc.option(fc.oneof(fc.json(), fc.string()), { nil: null }),
      }),
      (raw) => {
        const parsed = parseRow(session, raw, 0);
        if (parsed.kind === 'malformed') expect(parsed.problem).not.toBe('');
      },
    ),
    { numRuns: 2_000 },
  );
});

test('JSON nested 100,000 deep, too large or of the wrong shape is malformed', () => {
  const problem = (content: string) => {
    const parsed = parseRow(session, { ...row, content }, 0);
    return parsed.kind === 'malformed' ? parsed.problem : null;
  };
  expect(problem(`${'['.repeat(100_000)}${']'.repeat(100_000)}`)).toContain('nested deeper');
  expect(problem(JSON.stringify({ text: 'x'.repeat(600_000) }))).toContain('larger than');
  expect(problem(JSON.stringify({ text: 'x'.repeat(65_537) }))).toContain('text');
  expect(problem('{"text":1}')).toContain('text');
  expect(problem('{}')).toContain('text');
  expect(problem('{"text":"hi"}')).toBeNull();
});

test('a sequence number out of step is found', () => {
  const seqs = (...numbers: number[]) => numbers.map((seq) => ({ seq }));
  expect(findForgedSeq(seqs(1, 3, 5), 0, 0)).toBeNull();
  expect(findForgedSeq(seqs(7, 9), 5, 6)).toBeNull();
  expect(findForgedSeq(seqs(1, 2 ** 53 - 1), 0, 0)).toBe(2 ** 53 - 1);
  expect(findForgedSeq(seqs(1, 101), 0, 2)).toBe(101);
  expect(findForgedSeq(seqs(2), 0, 0)).toBe(2);
});
