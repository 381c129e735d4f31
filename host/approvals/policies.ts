/** What owners set for each action: how many people must approve, how long it waits, when the next one is asked. */
import type { UserId } from '../../shared/ids.ts';
import { isOwner } from '../access/answer.ts';
import type { ApprovalPolicy, ApprovalPolicyStore } from '../store/approval-policies.ts';
import type { Approval, ApprovalStore } from '../store/approvals.ts';
import type { Ledger } from '../store/ledger.ts';
import type { QuestionStore } from '../store/questions.ts';
import type { UserStore } from '../store/users.ts';
import { APPROVAL_ACTIONS, type ApprovalAction } from './approval.ts';
import { describeLack } from './card-text.ts';
import { listDeciders } from './plan.ts';

/** Higher: forgotten cards can be approved long after. Lower: an admin's night passes and it must be asked again. */
export const DEFAULT_EXPIRY_MS = 24 * 3_600_000;
/** Higher: a request waits for somebody who sleeps. Lower: everybody is rung for what the first would have decided. */
export const DEFAULT_ASK_NEXT_MS = 30 * 60_000;
/** Bounds of both times. Shorter: nobody can read the card. Longer: what is approved was asked by another day's need. */
export const MIN_POLICY_MS = 60_000;
export const MAX_POLICY_MS = 7 * 24 * 3_600_000;
/** More: nothing is ever approved. */
export const MAX_QUORUM = 5;

/** A policy with its defaults filled in. */
export interface EffectivePolicy {
  action: ApprovalAction;
  quorum: number;
  expiresAfterMs: number;
  askNextAfterMs: number;
  revision: number;
  /** Why approvals of this action cannot come about now, in words; null when enough people may decide those of all agents. */
  warning: string | null;
}

export interface PolicyPatch {
  quorum?: number | undefined;
  expiresAfterMs?: number | undefined;
  askNextAfterMs?: number | undefined;
}

/** Whoever can open the host's socket owns the machine. */
export interface PolicyChanger {
  userId: UserId;
  isMachine: boolean;
}

export type PolicyChange =
  | { kind: 'changed'; policy: EffectivePolicy }
  | { kind: 'refused'; reason: 'not_allowed' | 'out_of_range'; words: string }
  /** Somebody else changed it meanwhile. */
  | { kind: 'stale' };

export interface PolicyParts {
  policies: ApprovalPolicyStore;
  approvals: ApprovalStore;
  questions: QuestionStore;
  users: UserStore;
  ledger: Ledger;
  /** The cards of these say something else now. */
  onRaised: (ids: readonly Approval['id'][]) => void;
  now: () => number;
}

export class Policies {
  readonly #parts: PolicyParts;

  constructor(parts: PolicyParts) {
    this.#parts = parts;
  }

  list(): EffectivePolicy[] {
    return APPROVAL_ACTIONS.map((action) => this.get(action));
  }

  get(action: ApprovalAction): EffectivePolicy {
    const { quorum, expiresAfterMs, askNextAfterMs, revision } = this.#parts.policies.get(action);
    const deciders = listDeciders({ holders: this.#parts.users.listRoleHolders(null), agentGroupId: null }).length;
    return {
      action,
      quorum,
      expiresAfterMs: expiresAfterMs ?? DEFAULT_EXPIRY_MS,
      askNextAfterMs: askNextAfterMs ?? DEFAULT_ASK_NEXT_MS,
      revision,
      warning: describeLackEverywhere(quorum, deciders),
    };
  }

  /**
   * Owners alone. A higher quorum counts at once, also for what waits; a lower one, and other times, for what is
   * asked from now on. `revision` null: whatever stands is changed.
   */
  change(action: ApprovalAction, patch: PolicyPatch, revision: number | null, by: PolicyChanger): PolicyChange {
    const { policies, approvals, questions, users, ledger, onRaised, now } = this.#parts;
    if (!by.isMachine && !isOwner(users.rolesOf(by.userId))) {
      return { kind: 'refused', reason: 'not_allowed', words: 'Only an owner may change how approvals are decided.' };
    }
    const words = findFlaw(patch);
    if (words !== null) return { kind: 'refused', reason: 'out_of_range', words };
    const raised = questions.transaction(() => {
      const known = policies.get(action);
      const next: ApprovalPolicy = {
        quorum: patch.quorum ?? known.quorum,
        expiresAfterMs: patch.expiresAfterMs ?? known.expiresAfterMs,
        askNextAfterMs: patch.askNextAfterMs ?? known.askNextAfterMs,
        revision: revision ?? known.revision,
      };
      if (!policies.put(action, next)) return null;
      const { quorum, expiresAfterMs, askNextAfterMs } = next;
      const detail = { action, quorum, expiresAfterMs, askNextAfterMs, quorumBefore: known.quorum };
      ledger.append({ kind: 'approval.policy', sessionId: null, messageId: action, actor: by.userId, detail }, now());
      return approvals.raiseQuorum(action, quorum);
    });
    if (raised === null) return { kind: 'stale' };
    onRaised(raised);
    return { kind: 'changed', policy: this.get(action) };
  }
}

function findFlaw({ quorum, expiresAfterMs, askNextAfterMs }: PolicyPatch): string | null {
  if (quorum !== undefined && !(Number.isInteger(quorum) && quorum >= 1 && quorum <= MAX_QUORUM)) {
    return `A number of approvals is 1 to ${MAX_QUORUM}.`;
  }
  const isTime = (ms: number | undefined) =>
    ms === undefined || (Number.isInteger(ms) && ms >= MIN_POLICY_MS && ms <= MAX_POLICY_MS);
  return isTime(expiresAfterMs) && isTime(askNextAfterMs) ? null : 'A time is from 1 minute to 7 days.';
}

/** Admins of one agent decide about that one: more of them may be enough there. */
function describeLackEverywhere(quorum: number, deciders: number): string | null {
  const lack = describeLack(quorum, deciders);
  return lack === null
    ? null
    : `For an agent without admins of its own: ${lack.charAt(0).toLowerCase()}${lack.slice(1)}`;
}
