/**
 * Every change of what an agent may reach outside, whoever makes it.
 *
 * I1. The rule, and the ledger's entry, are one commit; then the gateway is told, and it holds at once, without a
 *     restart. What nothing allows any more is closed.
 * I2. An approval makes one rule, however often it is carried out: the rule is named after it.
 * I3. What lies on this machine or network an owner gives, by hand; no approval that an agent asked for does (plan.ts).
 */
import { type AccessRuleId, type AgentGroupId, type ApprovalId, deriveId, makeId } from '../../../shared/ids.ts';
import type { AccessRule, AccessRuleStore } from '../../store/access-rules.ts';
import type { AgentGroup, AgentStore } from '../../store/agents.ts';
import type { Ledger } from '../../store/ledger.ts';
import {
  type AccessFacts,
  type AccessPlan,
  type AccessWish,
  describeWish,
  type NamedService,
  planAccess,
} from './plan.ts';

export interface AccessParts {
  agents: Pick<AgentStore, 'get'>;
  accessRules: AccessRuleStore;
  ledger: Pick<Ledger, 'append'>;
  /** Runs `work` in one transaction of the central database. */
  commit: <T>(work: () => T) => T;
  /** Null: there is none of that name. */
  findService: (name: string) => NamedService | null;
  /** What this agent may reach has changed. */
  onAccessChanged: (id: AgentGroupId) => void;
  now: () => number;
}

export interface AccessAuthor {
  by: string;
  /** Null: a person, by hand. */
  approvalId: ApprovalId | null;
  reason: string | null;
}

export type AccessOutcome =
  | { kind: 'allowed'; rule: AccessRule }
  | { kind: 'nothing' | 'refuse'; why: string }
  | { kind: 'gone' };

export class AccessRules {
  readonly #parts: AccessParts;

  constructor(parts: AccessParts) {
    this.#parts = parts;
  }

  /** Oldest first. */
  list(id: AgentGroupId): AccessRule[] {
    return this.#parts.accessRules.listFor(id);
  }

  /** What allowing it would do now; null: there is no such agent. */
  plan(id: AgentGroupId, wish: AccessWish, isPrivate = false): AccessPlan | null {
    const agent = this.#parts.agents.get(id);
    return agent === null ? null : planAccess(this.#factsOf(agent, wish), wish, isPrivate);
  }

  /** I1, I2 */
  allow(id: AgentGroupId, wish: AccessWish, isPrivate: boolean, author: AccessAuthor): AccessOutcome {
    const { accessRules, commit, onAccessChanged } = this.#parts;
    const outcome = commit((): AccessOutcome => {
      const ruleId = author.approvalId === null ? makeId('accessRule', this.#parts.now()) : ruleOf(author.approvalId);
      const known = accessRules.get(ruleId);
      if (known !== null) return { kind: 'allowed', rule: known };
      const plan = this.plan(id, wish, isPrivate);
      if (plan === null) return { kind: 'gone' };
      if (plan.kind !== 'add') return plan;
      return { kind: 'allowed', rule: this.#insert(ruleId, id, wish, isPrivate, author) };
    });
    if (outcome.kind === 'allowed') onAccessChanged(id);
    return outcome;
  }

  /** Null: the agent has no such rule. */
  remove(id: AgentGroupId, ruleId: AccessRuleId, by: string): AccessRule | null {
    const { accessRules, commit, onAccessChanged } = this.#parts;
    const removed = commit(() => {
      const rule = accessRules.get(ruleId);
      if (rule === null || rule.agentGroupId !== id) return null;
      this.#drop(rule, by);
      return rule;
    });
    if (removed !== null) onAccessChanged(id);
    return removed;
  }

  #insert(
    ruleId: AccessRuleId,
    agentGroupId: AgentGroupId,
    wish: AccessWish,
    isPrivate: boolean,
    { by, approvalId, reason }: AccessAuthor,
  ): AccessRule {
    const { accessRules, ledger, now } = this.#parts;
    const { host, service, port, methods, pathPrefix } = wish;
    const wanted: AccessRule = {
      ...{ id: ruleId, agentGroupId, host, service, port, methods, pathPrefix, isPrivate, reason, approvalId },
      ...{ createdBy: by, createdAt: now() },
    };
    const standing = accessRules.add(wanted);
    if (!standing.isNew) {
      // The same, but not private: the plan would have said so otherwise.
      this.#drop(standing.rule, by);
      accessRules.add(wanted);
    }
    const detail = { agent: agentGroupId, what: describeWish(wish), isPrivate, approval: approvalId };
    ledger.append({ kind: 'access.allowed', sessionId: null, messageId: ruleId, actor: by, detail }, now());
    return wanted;
  }

  #drop(rule: AccessRule, by: string): void {
    const { accessRules, ledger, now } = this.#parts;
    accessRules.remove(rule.id);
    const detail = { agent: rule.agentGroupId, what: describeWish(rule) };
    ledger.append({ kind: 'access.removed', sessionId: null, messageId: rule.id, actor: by, detail }, now());
  }

  #factsOf(agent: AgentGroup, { service }: AccessWish): AccessFacts {
    const { accessRules, findService } = this.#parts;
    return {
      agentName: agent.name,
      rules: accessRules.listFor(agent.id),
      service: service === null ? null : findService(service),
    };
  }
}

/** I2 */
export function ruleOf(approvalId: ApprovalId): AccessRuleId {
  return deriveId('accessRule', approvalId);
}
