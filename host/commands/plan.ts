/**
 * Who may give which command, by what holds now. Pure.
 *
 * I1. Who may not learns nothing but that: the answer is the same whether what they named exists or not.
 * I2. In a group a stranger hears nothing at all, and neither does the group; only proofs are looked at there, so
 *     that a code which was shown to others is spent.
 */
import type { Role } from '../access/answer.ts';
import { assertNever } from '../config/errors.ts';

/**
 * Who may: `heard`: whoever may talk to an agent here; `chat`: whose own chat it is, or in a group an admin of the
 * agent; `admin`: of some agent, or of all.
 */
export type Who = 'anyone' | 'known' | 'heard' | 'chat' | 'admin';

export interface Rule {
  name: string;
  who: Who;
  where: 'private' | 'anywhere';
  /** What follows it proves who somebody is. */
  isProof: boolean;
}

export interface PlanFacts {
  rule: Rule;
  roles: readonly Role[];
  /** A role of any sort, or known to an agent that this chat or the person's right names. */
  isKnown: boolean;
  /** An agent of this chat hears this person. */
  isHeard: boolean;
  isPrivate: boolean;
}

export type CommandPlan =
  | { kind: 'run' }
  /** `isRefusal`: for want of a right, which is recorded; not for the wrong place. */
  | { kind: 'refuse'; words: string; isRefusal: boolean }
  | { kind: 'silent' };

export function planCommand(facts: PlanFacts): CommandPlan {
  const { rule, isPrivate } = facts;
  if (isStranger(facts) && !isPrivate && !rule.isProof) return { kind: 'silent' };
  const lacks = findLack(facts);
  if (lacks !== null) return { kind: 'refuse', words: lacks, isRefusal: true };
  if (rule.where === 'private' && !isPrivate) {
    const words = `/${rule.name} is not answered where others read along: write it to me in a private chat.`;
    return { kind: 'refuse', words, isRefusal: false };
  }
  return { kind: 'run' };
}

/** Somebody whom nobody here knows or hears. */
export function isStranger({ isKnown, isHeard }: Pick<PlanFacts, 'isKnown' | 'isHeard'>): boolean {
  return !isKnown && !isHeard;
}

/** Why this person may not, in words for them; null when they may. */
function findLack(facts: PlanFacts): string | null {
  const { rule, roles, isKnown, isHeard, isPrivate } = facts;
  switch (rule.who) {
    case 'anyone':
      return null;
    case 'known':
      return isKnown ? null : `/${rule.name} is for people whom an agent here knows. /whoami shows who you are to me.`;
    case 'heard':
      return isHeard || isKnown ? null : `/${rule.name} is for people whom an agent here hears.`;
    case 'chat':
      if (isPrivate ? isHeard || isKnown : roles.length > 0) return null;
      return isPrivate
        ? `/${rule.name} is for people whom an agent here knows. /whoami shows who you are to me.`
        : `In a group only an admin may use /${rule.name}.`;
    case 'admin':
      return roles.length > 0 ? null : `Only an admin may use /${rule.name}.`;
    default:
      return assertNever(rule.who);
  }
}

function isGlobal({ role, agentGroupId }: Role): boolean {
  return role === 'owner' || (role === 'admin' && agentGroupId === null);
}

/** Whether these roles administer this agent. */
export function isAdminOf(roles: readonly Role[], agentGroupId: string): boolean {
  return roles.some((role) => isGlobal(role) || (role.role === 'admin' && role.agentGroupId === agentGroupId));
}
