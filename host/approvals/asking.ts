/**
 * Requests for a decision, from the host and from agents: recorded once, committed before anybody sees them.
 *
 * I1. May be called inside the caller's transaction: people are asked in a turn of its own, once that stands.
 * I2. A row of an agent that asks is answered the same however often it is asked.
 * I3. Of one action and subject one is pending; another content takes its place, and both say so.
 */
import { makeId } from '../../shared/ids.ts';
import { failpoint } from '../observe/failpoint.ts';
import { approvalsLog } from '../observe/logger.ts';
import type { ApprovalPolicyStore } from '../store/approval-policies.ts';
import type { Approval, ApprovalStore } from '../store/approvals.ts';
import type { Ledger } from '../store/ledger.ts';
import type { QuestionStore } from '../store/questions.ts';
import type { ApprovalRequest, ApprovalTable, Description, Requested } from './approval.ts';
import { type CardFactParts, makeCardText } from './card-facts.ts';
import type { Ends } from './ends.ts';
import { hashRequest } from './plan.ts';
import { ASKED_WINDOW_MS, planRequest, REJECTION_HOLDS_MS, type RequestFacts } from './plan-request.ts';
import { DEFAULT_EXPIRY_MS } from './policies.ts';
import { recordApproval } from './record.ts';
import { toLine } from './show.ts';

const DEFAULT_OPTIONS: readonly string[] = ['Approve', 'Reject'];
/** Words of the host, cut in case they hold more of others than they should. */
const MAX_TITLE = 200;
const MAX_REASON = 1_000;

export interface AskingParts extends CardFactParts {
  approvals: ApprovalStore;
  questions: QuestionStore;
  policies: ApprovalPolicyStore;
  ledger: Ledger;
  rules: () => ApprovalTable;
  ends: Pick<Ends, 'supersede' | 'expire'>;
  /** It is recorded: ask people, once that is committed. */
  onAsked: (id: Approval['id']) => void;
  now: () => number;
}

type Drafted = Omit<Parameters<ApprovalStore['insert']>[0], 'id' | 'createdAt'>;

export class Asking {
  readonly #parts: AskingParts;

  constructor(parts: AskingParts) {
    this.#parts = parts;
  }

  request(request: ApprovalRequest): Requested {
    const { approvals, questions } = this.#parts;
    const at = this.#parts.now();
    const pending = approvals.findPending(request.action, request.subjectKey);
    if (pending !== null && pending.expiresAt <= at) this.#parts.ends.expire(pending);
    const description = this.#parts.rules()[request.action].describe(request.payload);
    const draft = this.#draft(request, description, at);
    const plan = planRequest(this.#lookUp(request, draft, description, at));
    switch (plan.kind) {
      case 'refuse':
        approvalsLog.info({ action: request.action }, 'a request was not put to anybody');
        return { kind: 'refused', why: plan.why };
      case 'known':
        return { kind: 'known', id: plan.known.id, code: plan.known.code };
      case 'join':
        questions.transaction(() => this.#join(plan.known.id, request));
        return { kind: 'known', id: plan.known.id, code: plan.known.code };
      case 'ask': {
        const made = questions.transaction(() => this.#record(draft, request, plan.supersedes, at));
        failpoint('approvals.requested');
        this.#parts.onAsked(made.id);
        return { kind: 'asked', ...made };
      }
    }
  }

  /** Puts an end to it, and asks for the same once more, as it would be carried out today; asked when it first was: who counts is settled by that. */
  renew(old: Approval, lines: readonly string[]): { id: Approval['id']; code: string } {
    const { approvals, voices, questions, ends, onAsked } = this.#parts;
    const at = this.#parts.now();
    const id = makeId('approval', at);
    const renewed = questions.transaction(() => {
      const consequence = lines.map(toLine);
      const insert = () => ({ id, code: approvals.insert({ ...old, id, consequence, createdAt: old.createdAt }) });
      const made = ends.supersede(old, 'approving it would do something else by now', insert);
      voices.copyAskers(old.id, id);
      recordApproval(this.#parts, 'requested', { ...old, id }, null, { code: made.code, renews: old.id });
      return made;
    });
    onAsked(id);
    return renewed;
  }

  #draft(request: ApprovalRequest, description: Description, at: number): Drafted {
    const { action, subjectKey, payload, agentGroupId, requester } = request;
    const policy = this.#parts.policies.get(action);
    const options = request.options ?? DEFAULT_OPTIONS;
    const approving = new Set(request.approving ?? options.slice(0, 1));
    const latest = policy.expiresAfterMs === null ? Number.POSITIVE_INFINITY : at + policy.expiresAfterMs;
    const isAgent = requester.kind === 'agent';
    return {
      action,
      subjectKey,
      requestHash: hashRequest(action, payload),
      payload,
      consequence: description.kind === 'possible' ? description.lines.map(toLine) : [],
      agentGroupId,
      requesterSessionId: requester.sessionId,
      requesterMessageId: isAgent ? requester.messageId : null,
      title: toLine(request.title).slice(0, MAX_TITLE),
      question: request.question,
      reason: isAgent ? (request.reason?.slice(0, MAX_REASON) ?? null) : null,
      options: options.map((text) => ({ text, approves: approving.has(text) })),
      quorum: policy.quorum,
      // An owner's shorter time counts; a longer one where nothing else bounds it.
      expiresAt:
        request.expiresAt === undefined
          ? at + (policy.expiresAfterMs ?? DEFAULT_EXPIRY_MS)
          : Math.min(request.expiresAt, latest),
    };
  }

  #lookUp(request: ApprovalRequest, draft: Drafted, description: Description, at: number): RequestFacts {
    const { approvals, voices, sessions, users } = this.#parts;
    const { action, subjectKey, requester } = request;
    const repeated = requester.kind === 'agent' ? voices.findAskedBy(requester.sessionId, requester.messageId) : null;
    const rejected = approvals.findRejected(action, subjectKey, at - REJECTION_HOLDS_MS);
    const by = rejected?.decidedBy ?? null;
    const agent = requester.kind === 'agent' ? sessions.get(requester.sessionId)?.agentGroupId : undefined;
    const origin = requester.kind === 'agent' ? requester.origin : null;
    return {
      requestHash: draft.requestHash,
      repeated: repeated === null ? null : approvals.get(repeated),
      impossible: description.kind === 'impossible' ? description.why : null,
      pending: approvals.findPending(action, subjectKey),
      rejected:
        rejected === null
          ? null
          : { byName: by === null ? '' : users.get(by)?.displayName || by, note: rejected.decisionNote },
      pendingLike: approvals.countPending(agent === undefined ? 'host' : 'agents'),
      ofAgent: agent === undefined ? null : approvals.countOf(agent, at - ASKED_WINDOW_MS),
      cardLength: makeCardText(this.#parts, draft, origin, []).length,
    };
  }

  #record(draft: Drafted, request: ApprovalRequest, supersedes: Approval['id'] | null, at: number) {
    const { approvals, ends } = this.#parts;
    const id = makeId('approval', at);
    const old = supersedes === null ? null : approvals.get(supersedes);
    const insert = () => ({ id, code: approvals.insert({ ...draft, id, createdAt: at }) });
    const { code } = old === null ? insert() : ends.supersede(old, 'something else was asked for instead', insert);
    this.#join(id, request);
    recordApproval(this.#parts, 'requested', { ...draft, id }, null, { code, quorum: draft.quorum });
    return { id, code };
  }

  #join(id: Approval['id'], { requester }: ApprovalRequest): void {
    if (requester.kind === 'agent') this.#parts.voices.addAsker(id, requester);
  }
}
