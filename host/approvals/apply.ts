/**
 * Decisions that the host needs of an admin: asked in chats, decided there, by code or over the API, and carried out.
 *
 *   request → cards → votes → decided → carried out → the cards show who, when and what came of it,
 *                                                     and the agents that asked are told
 *
 * I1. Who may decide is looked up at the decision, never when it was asked (I5 of the architecture).
 * I2. Every step, the end of its cards and the ledger's entry are one commit; the first decision holds.
 * I3. What was decided is carried out, if not now, then at the next start (`carry-out.ts`).
 * I4. A card that cannot be sent keeps no other waiting: it is withdrawn, and the next person is asked.
 * I5. One timer serves all that expires and all who are asked next; nothing is looked at before its time.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { AgentGroupId, ApprovalId, MessageId, MessagingGroupId, UserId } from '../../shared/ids.ts';
import { toDiskFault } from '../config/errors.ts';
import { approvalsLog } from '../observe/logger.ts';
import type { AnswerOutcome, GivenAnswer, Questions } from '../questions/apply.ts';
import { ExpiryTimer } from '../questions/expiry-timer.ts';
import type { ApprovalPolicyStore } from '../store/approval-policies.ts';
import type { Vote } from '../store/approval-voices.ts';
import type { Approval, ApprovalState } from '../store/approvals.ts';
import type { Ledger } from '../store/ledger.ts';
import type { Question } from '../store/questions.ts';
import type { ApprovalRequest, ApprovalTable, Requested } from './approval.ts';
import { Asking } from './asking.ts';
import { findAsker } from './card-facts.ts';
import type { CardFacts } from './card-text.ts';
import { type CardParts, Cards } from './cards.ts';
import { CarryOut } from './carry-out.ts';
import { type CodedDecision, Deciding } from './deciding.ts';
import { Ends } from './ends.ts';
import { MAX_PENDING } from './plan-request.ts';
import { DEFAULT_ASK_NEXT_MS, Policies } from './policies.ts';
import { Telling, type TellingParts } from './telling.ts';

/** Taken up in one go. */
const MAX_AT_ONCE = 200;

export interface ApprovalParts extends CardParts, Pick<TellingParts, 'inboxes' | 'onWorkChanged'> {
  policies: ApprovalPolicyStore;
  ledger: Ledger;
  /** Shows and ends cards. */
  asked: Pick<Questions, 'delivered' | 'showAgain'>;
  /** What the host knows of each action. Asked when it is needed: the parts that do it are built later. */
  rules: () => ApprovalTable;
  /** What people see of an approval has changed. */
  onChanged: (id: ApprovalId) => void;
}

/** What was decided before may hold up a start for so long. Higher: a build keeps people waiting. Lower: they are heard before it holds. */
const START_PATIENCE_MS = 2_000;

export class Approvals implements AsyncDisposable {
  readonly policies: Policies;
  readonly #parts: ApprovalParts;
  readonly #cards: Cards;
  readonly #ends: Ends;
  readonly #asking: Asking;
  readonly #deciding: Deciding;
  readonly #timer: ExpiryTimer;
  readonly #carryOut: CarryOut;
  readonly #telling: Telling;
  #isClosed = false;

  constructor(parts: ApprovalParts) {
    this.#parts = parts;
    this.#cards = new Cards(parts);
    this.#telling = new Telling(parts);
    this.#carryOut = new CarryOut({ ...parts, tell: (id, after) => this.#telling.tell(id, after) });
    this.#ends = new Ends({ ...parts, cards: this.#cards, onEnded: (id) => this.#follow(id) });
    this.#asking = new Asking({ ...parts, ends: this.#ends, onAsked: (id) => this.#askSoon(id) });
    this.#deciding = new Deciding({
      ...parts,
      ...{ cards: this.#cards, ends: this.#ends, asking: this.#asking },
      onDecided: (id) => this.#follow(id),
    });
    this.policies = new Policies({ ...parts, onRaised: (ids) => this.#refresh(ids) });
    this.#timer = new ExpiryTimer({
      next: () => earliest(parts.approvals.nextExpiry(), parts.approvals.nextAsk()),
      expire: (now) => this.#wake(now),
      now: parts.now,
    });
  }

  /**
   * After a start: cards are sent; resolves when what was decided before has been carried out, or tried once. What
   * takes long, as building an image does, goes on beside the host.
   */
  async start(): Promise<void> {
    const { approvals } = this.#parts;
    this.#cards.resume();
    this.#askUnasked('again');
    this.#timer.start();
    this.#telling.resume();
    // As many as can have waited at once: what is left out is not looked at before the next start (I3).
    const carriedOut = Promise.all(approvals.listUndone(2 * MAX_PENDING).map(({ id }) => this.#carryOut.run(id)));
    await Promise.race([carriedOut, delay(START_PATIENCE_MS, null, { ref: false })]);
  }

  /**
   * Asks admins. Of one action and subject one approval is open: with the same content it is that one, another
   * content takes its place. May be called in the caller's transaction: people are asked once it is committed.
   */
  requestApproval(request: ApprovalRequest): Requested {
    return this.#asking.request(request);
  }

  /** Whether this person may decide it, by the roles they have now. */
  mayDecide(id: ApprovalId, by: UserId): boolean {
    return this.#deciding.mayDecide(this.#parts.approvals.get(id), by);
  }

  /** The agent that asks, and where it was asked; null: the host asks by itself. */
  askerOf(approval: Approval): CardFacts['asker'] {
    return findAsker(this.#parts, approval, this.#parts.voices.findOrigin(approval.id));
  }

  /** Whether this person could decide it since it was asked, and may not any more. */
  lostRight(id: ApprovalId, by: UserId): boolean {
    return this.#deciding.lostRight(this.#parts.approvals.get(id), by);
  }

  /** What a person chose on its card, or over the API. */
  decide(id: ApprovalId, given: GivenAnswer): AnswerOutcome {
    return this.#deciding.decide(id, given);
  }

  /** What a person chose by the code that its cards show, wherever they wrote it. */
  decideByCode(decision: CodedDecision): AnswerOutcome {
    return this.#deciding.decideByCode(decision);
  }

  /** The agent is gone: what it asked for and what was asked about it ends; in the caller's transaction if there is one. */
  withdrawOf(agentGroupId: AgentGroupId, why: string): void {
    for (const approval of this.#parts.approvals.listPendingOf(agentGroupId)) this.#ends.withdraw(approval, why);
  }

  get(id: ApprovalId): Approval | null {
    return this.#parts.approvals.get(id);
  }

  codeOf(id: ApprovalId): string | null {
    return this.#parts.approvals.get(id)?.code ?? null;
  }

  findByCode(code: string): Approval | null {
    return this.#parts.approvals.findByCode(code);
  }

  /** Newest first, strictly before the one with this id. */
  list(limit: number, before: ApprovalId | null, state: ApprovalState | null): Approval[] {
    return this.#parts.approvals.list(limit, before, state);
  }

  /** Oldest first; one per person. */
  listVotes(id: ApprovalId): Vote[] {
    return this.#parts.voices.listVotes(id);
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

  /** A card as text, as it stands; `hasButtons`: what to choose from stands beside it. */
  renderCard(card: Question, hasButtons: boolean): string {
    return this.#cards.render(card, hasButtons);
  }

  /** The chat that a card of this approval stands in, the newest first. */
  whereAsked(id: ApprovalId): { messageId: MessageId; messagingGroupId: MessagingGroupId } | null {
    return this.#parts.questions.listCards(id).find((card) => card.state !== 'withdrawn') ?? null;
  }

  /** One turn later, so that the caller's transaction stands; one that fell is not there. */
  #askSoon(id: ApprovalId): void {
    queueMicrotask(() => {
      const approval = this.#isClosed ? null : this.#parts.approvals.get(id);
      // Decided meanwhile, it needs nobody any more.
      if (approval?.state !== 'pending') return;
      this.#timer.note(approval.expiresAt);
      this.#parts.onChanged(id);
      this.#ask([approval], 'once');
    });
  }

  /** After a commit that changed it: the cards show that, and what follows is done. */
  #follow(id: ApprovalId): void {
    if (this.#isClosed) return;
    const { questions, asked, onChanged } = this.#parts;
    const approval = this.get(id);
    if (approval === null) return;
    for (const { messageId } of questions.listCards(id)) asked.showAgain(messageId);
    onChanged(id);
    if (approval.state === 'pending') return;
    if (approval.outcome === null) void this.#carryOut.run(id);
    else this.#telling.tell(id);
    this.#askUnasked('once');
  }

  #refresh(ids: readonly ApprovalId[]): void {
    for (const id of ids) {
      const approval = this.get(id);
      if (approval === null) continue;
      this.#cards.refresh(approval);
      this.#follow(id);
    }
    this.#askUnasked('once');
  }

  /** I5 */
  #wake(now: number): void {
    const { approvals } = this.#parts;
    for (const approval of approvals.listExpired(now, MAX_AT_ONCE)) this.#ends.expire(approval);
    for (const approval of approvals.listAskNext(now, MAX_AT_ONCE)) {
      // Nobody more can be asked: the timer has nothing to wake for.
      if (!this.#ask([approval], 'once', 1)) approvals.setAskNext(approval.id, null);
    }
    this.#askUnasked('once');
  }

  /** All of them: one that nobody can be asked about stands before no other. */
  #askUnasked(mode: 'once' | 'again'): void {
    if (!this.#isClosed) this.#ask(this.#parts.approvals.listUnasked(2 * MAX_PENDING), mode);
  }

  /** Whether somebody was asked. A full disk does not take the request back: the next occasion asks. */
  #ask(unasked: readonly Approval[], mode: 'once' | 'again', more = 0): boolean {
    if (this.#isClosed) return false;
    let hasAsked = false;
    try {
      for (const approval of unasked) {
        if (!this.#cards.ask(approval, mode, more)) continue;
        hasAsked = true;
        this.#noteNext(approval);
      }
    } catch (error) {
      const fault = toDiskFault(error);
      if (fault === null) throw error;
      approvalsLog.warn({ err: fault }, 'a card could not be made now');
    }
    return hasAsked;
  }

  #noteNext({ id, action }: Approval): void {
    const { policies, approvals, now } = this.#parts;
    const at = now() + (policies.get(action).askNextAfterMs ?? DEFAULT_ASK_NEXT_MS);
    approvals.setAskNext(id, at);
    this.#timer.note(at);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#timer[Symbol.dispose]();
    await Promise.all([this.#carryOut[Symbol.asyncDispose](), this.#telling[Symbol.asyncDispose]()]);
  }
}

function earliest(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other;
  return Math.min(one, other);
}
