/**
 * Decisions that the host needs of an admin: asked in a chat, decided there or over the API, and carried out.
 *
 *   request → card in one chat → decide → carry out → the card shows who, when and what came of it
 *
 * I1. Who may decide is looked up at the decision, never when it was asked (I5 of the architecture).
 * I2. The decision, the end of its cards and the ledger's entry are one commit; the first decision holds.
 * I3. What was decided is carried out, if not now, then at the next start (`carry-out.ts`).
 * I4. A card that cannot be sent keeps no other waiting: it is withdrawn, and the next person is asked.
 */
import { type ApprovalId, type MessageId, type MessagingGroupId, makeId, type UserId } from '../../shared/ids.ts';
import { mayDecide } from '../access/answer.ts';
import { toDiskFault } from '../config/errors.ts';
import { failpoint } from '../observe/failpoint.ts';
import { approvalsLog } from '../observe/logger.ts';
import type { AnswerOutcome, GivenAnswer, Questions } from '../questions/apply.ts';
import { ExpiryTimer } from '../questions/expiry-timer.ts';
import { describeRefusal, planAnswer } from '../questions/plan.ts';
import type { Approval, ApprovalState } from '../store/approvals.ts';
import type { UserStore } from '../store/users.ts';
import type { ApprovalRequest } from './approval.ts';
import { type CardParts, Cards } from './cards.ts';
import { CarryOut, type CarryOutParts, recordApproval } from './carry-out.ts';
import { hashRequest } from './plan.ts';

/** Higher: forgotten cards can be approved long after. Lower: an admin's night passes and it must be asked again. */
const DEFAULT_EXPIRY_MS = 24 * 3_600_000;
/** A rejected subject is not asked about again for this long. Higher: a mistake lasts. Lower: who was turned away nags. */
const REJECTION_HOLDS_MS = 24 * 3_600_000;
/** Open approvals of all. Higher: strangers fill the table. Lower: a busy day's requests are turned away. */
const MAX_PENDING = 500;
/** Taken up in one go. */
const MAX_AT_ONCE = 200;
export interface ApprovalParts extends CardParts, CarryOutParts {
  /** Shows and ends cards. */
  asked: Pick<Questions, 'delivered' | 'showAgain'>;
}

export class Approvals implements Disposable {
  readonly #parts: ApprovalParts;
  readonly #cards: Cards;
  readonly #expiry: ExpiryTimer;
  readonly #carryOut: CarryOut;
  #isClosed = false;

  constructor(parts: ApprovalParts) {
    this.#parts = parts;
    this.#cards = new Cards(parts);
    this.#carryOut = new CarryOut(parts);
    this.#expiry = new ExpiryTimer({
      next: () => parts.approvals.nextExpiry(),
      expire: (now) => this.#expire(now),
      now: parts.now,
    });
  }

  /** After a start: cards are sent; resolves when what was decided before has been carried out, or tried once. */
  async start(): Promise<void> {
    const { approvals } = this.#parts;
    this.#cards.resume();
    this.#askUnasked('again');
    this.#expiry.start();
    await Promise.all(approvals.listUndone(MAX_AT_ONCE).map(({ id }) => this.#carryOut.run(id)));
  }

  /**
   * Asks an admin, once: while the same action and subject is pending, and for a day after it was rejected,
   * that approval's id is returned and nobody is asked. Null: too many wait already, and nothing was recorded.
   */
  request(request: ApprovalRequest): ApprovalId | null {
    const { approvals, questions, now } = this.#parts;
    const { action, subjectKey, payload, agentGroupId } = request;
    const at = now();
    const known =
      approvals.findPending(action, subjectKey) ?? approvals.findRejected(action, subjectKey, at - REJECTION_HOLDS_MS);
    if (known !== null) return known.id;
    if (approvals.countPending() >= MAX_PENDING) {
      approvalsLog.warn({ action, limit: MAX_PENDING }, 'too many approvals wait; one was not asked for');
      return null;
    }
    const id = makeId('approval', at);
    const requestHash = hashRequest(action, payload);
    const expiresAt = request.expiresAt ?? at + DEFAULT_EXPIRY_MS;
    const approving = new Set(request.approving);
    questions.transaction(() => {
      approvals.insert({
        id,
        action,
        subjectKey,
        requestHash,
        payload,
        agentGroupId,
        requesterSessionId: request.requesterSessionId,
        title: request.title,
        question: request.question,
        options: request.options.map((text) => ({ text, approves: approving.has(text) })),
        expiresAt,
        createdAt: at,
      });
      recordApproval(
        this.#parts,
        'requested',
        { id, action, subjectKey, requestHash, requesterSessionId: request.requesterSessionId },
        null,
      );
    });
    failpoint('approvals.requested');
    this.#expiry.note(expiresAt);
    const approval = approvals.get(id);
    if (approval !== null) this.#ask([approval], 'once');
    return id;
  }

  /** Whether this person may decide it, by the roles they have now. */
  mayDecide(id: ApprovalId, by: UserId): boolean {
    const { approvals, users } = this.#parts;
    const approval = approvals.get(id);
    return approval !== null && mayDecide(users.rolesOf(by), approval.agentGroupId);
  }

  /** What an admin chose. */
  decide(id: ApprovalId, given: GivenAnswer): AnswerOutcome {
    const { approvals, users, now } = this.#parts;
    const approval = approvals.get(id);
    const question = approval === null ? null : toQuestion(approval, users);
    const plan = planAnswer(
      {
        question,
        isHere: true,
        mayAnswer: this.mayDecide(id, given.by),
        choice: given.choice,
      },
      now(),
    );
    if (plan.kind === 'refuse' || approval === null) {
      const reason = plan.kind === 'refuse' ? plan.reason : 'unknown';
      return { kind: 'refused', reason, words: describeRefusal(reason, question) };
    }
    this.#commitDecision(approval, plan.option, given);
    failpoint('approvals.decided');
    void this.#carryOut.run(id);
    this.#askUnasked('once');
    return { kind: 'accepted', option: plan.option };
  }

  get(id: ApprovalId): Approval | null {
    return this.#parts.approvals.get(id);
  }

  /** Newest first, strictly before the one with this id. */
  list(limit: number, before: ApprovalId | null, state: ApprovalState | null): Approval[] {
    return this.#parts.approvals.list(limit, before, state);
  }

  /** I4: the delivery of a card came to its end. */
  cardDelivered(messageId: MessageId, state: 'delivered' | 'failed' | 'refused' | 'unknown'): void {
    this.#parts.asked.delivered(messageId, state);
    if (state === 'failed' || state === 'refused') this.#askUnasked('once');
  }

  /** Somebody can be reached who could not be before. */
  askAgain(): void {
    this.#askUnasked('once');
  }

  /** What became of it, for people; '' while it is pending or under way. */
  describeOutcome(id: ApprovalId): string {
    return this.#parts.approvals.get(id)?.outcome ?? '';
  }

  /** The chat that an open card of this approval stands in. */
  whereAsked(id: ApprovalId): { messageId: MessageId; messagingGroupId: MessagingGroupId } | null {
    return this.#parts.questions.listCards(id).find((card) => card.state !== 'withdrawn') ?? null;
  }

  /** I2 */
  #commitDecision(approval: Approval, option: string, given: GivenAnswer): void {
    const { approvals, questions, users, now } = this.#parts;
    const at = now();
    const approves = approval.options.find(({ text }) => text === option)?.approves === true;
    const state = approves ? 'approved' : 'rejected';
    const byName = users.get(given.by)?.displayName || given.byName || given.by;
    const answer = { answer: option, by: given.by, byName, clientId: given.clientId ?? null, at };
    const cards = questions.listCards(approval.id);
    questions.transaction(() => {
      if (!approvals.decide(approval.id, state, option, given.by, at)) throw new Error('a pending approval was not');
      for (const { messageId } of cards) questions.answer(messageId, answer);
      recordApproval(this.#parts, state, approval, given.by, { choice: option });
    });
    for (const { messageId } of cards) this.#parts.asked.showAgain(messageId);
  }

  #expire(now: number): void {
    const { approvals, questions, asked } = this.#parts;
    for (const approval of approvals.listExpired(now, MAX_AT_ONCE)) {
      const cards = questions.listCards(approval.id);
      questions.transaction(() => {
        if (!approvals.expire(approval.id)) return;
        for (const { messageId } of cards) questions.close(messageId, 'expired');
        recordApproval(this.#parts, 'expired', approval, null);
      });
      for (const { messageId } of cards) asked.showAgain(messageId);
      void this.#carryOut.run(approval.id);
    }
    this.#askUnasked('once');
  }

  /** All of them: one that nobody can be asked about stands before no other. */
  #askUnasked(mode: 'once' | 'again'): void {
    if (!this.#isClosed) this.#ask(this.#parts.approvals.listUnasked(MAX_PENDING), mode);
  }

  /** A full disk does not take the request back: the next occasion asks. */
  #ask(unasked: readonly Approval[], mode: 'once' | 'again'): void {
    if (this.#isClosed) return;
    try {
      for (const approval of unasked) this.#cards.ask(approval, mode);
    } catch (error) {
      const fault = toDiskFault(error);
      if (fault === null) throw error;
      approvalsLog.warn({ err: fault }, 'a card could not be made now');
    }
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#expiry[Symbol.dispose]();
    this.#carryOut[Symbol.dispose]();
  }
}

/** An approval as the question that it puts. */
function toQuestion(approval: Approval, users: UserStore) {
  const { state } = approval;
  return {
    approvalId: approval.id,
    state: state === 'pending' || state === 'expired' ? state : ('answered' as const),
    options: approval.options.map(({ text }) => text),
    expiresAt: approval.expiresAt,
    answer: approval.choice,
    answeredBy: approval.decidedBy,
    answeredByName: approval.decidedBy === null ? null : (users.get(approval.decidedBy)?.displayName ?? null),
  };
}
