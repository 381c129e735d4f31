/**
 * What typing a code of `/link` does. Pure.
 *
 *   A: /link             → code 1                     shown in A
 *   B: /link code 1      → code 2, who A is           shown in B     (code 1 is used up)
 *   A: /link code 2      → who B is                   shown in A
 *   A: /link code 2 yes  → A and B are one person                    (code 2 is used up)
 *
 * I1. No single text that somebody is talked into typing joins anything: code 1 proves that B saw A's screen,
 *     code 2 that A saw B's, and `yes` that A read who B is.
 * I2. Code 2 works for A's identity alone. Who else types it has seen it: it ends.
 */
import { planJoin } from '../access/people.ts';
import type { IdentityCode } from '../store/identity-codes.ts';
import type { Person } from '../store/persons.ts';

export interface CodeFacts {
  /** Null when no such code works now. */
  code: IdentityCode | null;
  /** Who types it; null: nobody whom the host has a row of. */
  typist: Person | null;
  typistId: string;
  /** Who must be joined with: whom the code was shown to. */
  other: Person | null;
  isPrivate: boolean;
  saysYes: boolean;
}

export type CodePlan =
  /** Others read along: the code ends. */
  | { kind: 'burn'; reason: 'in_a_group' | 'not_theirs' }
  | { kind: 'refuse'; reason: 'wrong' | 'own_code' | 'other_chat' | 'both_linked' | 'too_many_identities' }
  | { kind: 'already' }
  | { kind: 'show_second' }
  | { kind: 'show_both' }
  | { kind: 'join' };

export function planCode(facts: CodeFacts): CodePlan {
  const { code, other, typistId, isPrivate } = facts;
  if (!isPrivate) return { kind: 'burn', reason: 'in_a_group' };
  if (code === null || other === null) return { kind: 'refuse', reason: 'wrong' };
  if (code.kind === 'link')
    return code.userId === typistId ? refuse('own_code') : planPair(facts, other, 'show_second');
  if (code.userId === typistId) return refuse('other_chat');
  // I2
  if (code.forUserId !== typistId) return { kind: 'burn', reason: 'not_theirs' };
  return planPair(facts, other, facts.saysYes ? 'join' : 'show_both');
}

function planPair(
  { typist, typistId }: CodeFacts,
  other: Person,
  kind: 'show_second' | 'show_both' | 'join',
): CodePlan {
  const joining = planJoin(
    { personId: typist?.personId ?? typistId, identities: typist?.identities.length ?? 1 },
    { personId: other.personId, identities: other.identities.length },
  );
  if (joining.kind === 'already') return { kind: 'already' };
  if (joining.kind === 'change') return { kind };
  return refuse(joining.reason === 'both_linked' ? 'both_linked' : 'too_many_identities');
}

function refuse(reason: Extract<CodePlan, { kind: 'refuse' }>['reason']): CodePlan {
  return { kind: 'refuse', reason };
}
