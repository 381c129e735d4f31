/** What is tried when a server refuses a request as it is: pure. Each way once, the least loss first. */
import type { Failure } from './failures.ts';

export type Recovery = 'hide_media' | 'no_effort' | 'compact';

export interface Tried {
  recoveries: ReadonlySet<Recovery>;
  hasMedia: boolean;
  hasEffort: boolean;
}

/**
 * Servers do not say in a word that they have for it which part of a request they do not take. So pictures go
 * first, then the effort; what helps is kept, and nothing else is made of the refusal.
 */
export function planRecovery(
  failure: Failure,
  tried: Tried,
): { kind: Recovery } | { kind: 'give_up'; failure: Failure } {
  const isOpen = (recovery: Recovery) => !tried.recoveries.has(recovery);
  if (failure.kind === 'too_long' && isOpen('compact')) return { kind: 'compact' };
  if (failure.kind === 'rejected' && tried.hasMedia && isOpen('hide_media')) return { kind: 'hide_media' };
  if (failure.kind === 'rejected' && tried.hasEffort && isOpen('no_effort')) return { kind: 'no_effort' };
  if (failure.kind === 'final' || failure.kind === 'retryable') return { kind: 'give_up', failure };
  return { kind: 'give_up', failure: { kind: 'final', message: failure.message } };
}
