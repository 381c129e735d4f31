import { expect, test } from 'vitest';
import type { RuntimePlan } from '../../../host/runtime/facts.ts';
import { DEFAULT_POLICY } from '../../../host/runtime/policy.ts';
import type { SessionFacts } from '../../../host/runtime/ports.ts';
import { describeState } from '../../../host/runtime/state.ts';
import { epochMs, makeId } from '../../../shared/ids.ts';

const DIED = 1_000_000;

function describe(
  plan: RuntimePlan,
  record: Partial<SessionFacts['record']> = {},
  image: SessionFacts['image'] = { kind: 'ready', image: 'any' },
) {
  const facts: SessionFacts = {
    sessionId: makeId('session'),
    agentGroupId: makeId('agentGroup'),
    record: {
      ...{ state: 'failed', containerId: null, epoch: 1, failures: 1, reason: 'crashed', sinceMs: epochMs(DIED) },
      ...record,
    },
    ...{ freshSinceMs: null, isAllFresh: false },
    ...{ hasDueWork: false, dueSinceMs: null, newestWorkMs: epochMs(DIED - 1_000), nextDueMs: null },
    ...{ quarantineReason: null, ended: false, configVersion: 1 },
    image,
  };
  return describeState(facts, { kind: 'absent' }, plan, '', DEFAULT_POLICY);
}

const due = (ms: number): RuntimePlan => ({ kind: 'wait', untilMs: epochMs(DIED + ms), why: 'due' });

test('between the death of a container and the next try a session waits, and says until when', () => {
  expect(describe(due(5_000))).toMatchObject({ kind: 'waiting', for: 'retry', untilMs: DIED + 5_000 });
});

test('a session that waits for something later, or for nothing, is idle', () => {
  expect(describe(due(3_600_000))).toEqual({ kind: 'idle' });
  expect(describe({ kind: 'rest' })).toEqual({ kind: 'idle' });
  expect(describe(due(5_000), { state: 'absent', reason: null, failures: 0 })).toEqual({ kind: 'idle' });
});

test('a session whose image is being built waits, and says for what', () => {
  const plan: RuntimePlan = { kind: 'wait', untilMs: epochMs(DIED + 30_000), why: 'image' };
  const image = { kind: 'waiting' as const, reason: 'Its image is being built.' };
  expect(describe(plan, {}, image)).toEqual({
    kind: 'waiting',
    for: 'image',
    reason: image.reason,
    untilMs: plan.untilMs,
  });
});

test('a session whose image cannot be built has failed, and says what to type', () => {
  const plan: RuntimePlan = { kind: 'wait', untilMs: epochMs(DIED + 30_000), why: 'image' };
  const image = { kind: 'failed' as const, reason: 'Its image could not be built. See `npx portolan builds main`.' };
  expect(describe(plan, { state: 'absent', reason: null, failures: 0 }, image)).toMatchObject({
    kind: 'failed',
    reason: image.reason,
  });
});
