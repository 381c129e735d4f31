/** What people are shown of a session. Pure. */
import { LONGEST_RETRY_MS } from '../../shared/limits.ts';
import { assertNever } from '../config/errors.ts';
import type { PlannedContainer, RuntimePlan } from './facts.ts';
import type { RuntimePolicy } from './policy.ts';
import type { SessionFacts, SessionState } from './ports.ts';
import { describeStored } from './reasons.ts';

export function describeState(
  facts: SessionFacts,
  container: PlannedContainer,
  plan: RuntimePlan,
  engineReason: string,
  policy: RuntimePolicy,
): SessionState {
  if (facts.quarantineReason !== null) return { kind: 'quarantined', reason: facts.quarantineReason };
  const { record } = facts;
  if (record.state === 'starting' || record.state === 'stopping') {
    if (plan.kind !== 'wait' || plan.why !== 'engine') return { kind: record.state };
  }
  if (plan.kind === 'wait' && plan.why === 'engine') {
    return {
      kind: 'waiting',
      for: 'docker',
      reason: engineReason || 'The container engine has not answered yet.',
      untilMs: plan.untilMs,
    };
  }
  switch (container.kind) {
    case 'running':
    case 'paused':
      return { kind: container.kind };
    case 'exited':
      return { kind: 'stopping' };
    case 'unknown':
    case 'absent':
      break;
    default:
      return assertNever(container);
  }
  if (plan.kind === 'wait' && plan.why === 'room') {
    return { kind: 'waiting', for: 'room', reason: 'All places for agents are taken.', untilMs: plan.untilMs };
  }
  if (plan.kind === 'wait' && plan.why === 'image' && facts.image.kind !== 'ready') {
    const { kind, reason } = facts.image;
    if (kind === 'failed') return { kind: 'failed', reason, failures: record.failures };
    return { kind: 'waiting', for: 'image', reason, untilMs: plan.untilMs };
  }
  if (record.state !== 'failed') return { kind: 'idle' };
  const reason = describeStored(record.reason);
  if (plan.kind === 'wait' && plan.why === 'retry' && record.failures < policy.maxFailures) {
    return { kind: 'waiting', for: 'retry', reason, untilMs: plan.untilMs };
  }
  // Its messages were handed back and wait for their next try.
  if (plan.kind === 'wait' && plan.why === 'due' && record.failures < policy.maxFailures) {
    // What waits longer after a failed run waits for something else, as a task does.
    if (plan.untilMs - record.sinceMs <= LONGEST_RETRY_MS) {
      return { kind: 'waiting', for: 'retry', reason, untilMs: plan.untilMs };
    }
  }
  // Its last run failed, but nothing waits: there is nothing to worry people with.
  if (!facts.hasDueWork && record.failures < policy.maxFailures) return { kind: 'idle' };
  return { kind: 'failed', reason, failures: record.failures };
}
