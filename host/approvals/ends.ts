/**
 * Ends of an approval that nobody chose: its time is over, another took its place, nothing is left to decide.
 *
 * I1. The end, that of its cards, and the ledger's entry are one commit; the first end holds.
 * I2. May be called inside the caller's transaction: what follows is rung in a turn of its own, once that stands.
 */
import type { ApprovalId } from '../../shared/ids.ts';
import type { ApprovalVoices } from '../store/approval-voices.ts';
import type { Approval, ApprovalStore } from '../store/approvals.ts';
import type { Ledger } from '../store/ledger.ts';
import type { QuestionStore } from '../store/questions.ts';
import type { Cards } from './cards.ts';
import { recordApproval } from './record.ts';

export interface EndsParts {
  approvals: ApprovalStore;
  voices: ApprovalVoices;
  questions: QuestionStore;
  ledger: Ledger;
  cards: Cards;
  /** It is over: show it, and do what follows. */
  onEnded: (id: ApprovalId) => void;
  now: () => number;
}

export class Ends {
  readonly #parts: EndsParts;

  constructor(parts: EndsParts) {
    this.#parts = parts;
  }

  expire(approval: Approval): void {
    const { approvals, questions } = this.#parts;
    questions.transaction(() => {
      if (!approvals.expire(approval.id)) return;
      this.#closeCards(approval, 'expired');
      recordApproval(this.#parts, 'expired', approval, null);
    });
    this.#ring(approval.id);
  }

  /** Nothing is left to decide; `why` is in words. Whether it was still pending. */
  withdraw(approval: Approval, why: string): boolean {
    const { approvals, questions } = this.#parts;
    const isDone = questions.transaction(() => {
      if (!approvals.supersede(approval.id, why)) return false;
      this.#closeCards(approval, 'withdrawn');
      recordApproval(this.#parts, 'superseded', approval, null, { why });
      return true;
    });
    if (isDone) this.#ring(approval.id);
    return isDone;
  }

  /** Another takes its place, which `insert` makes once the subject is free. */
  supersede<By extends { id: ApprovalId; code: string }>(old: Approval, why: string, insert: () => By): By {
    const { approvals, voices, questions } = this.#parts;
    const by = questions.transaction(() => {
      if (!approvals.supersede(old.id, why)) throw new Error('a pending approval was not');
      const made = insert();
      approvals.nameSuccessor(old.id, made.id, `It is ${made.code} now.`);
      voices.markUntold(old.id);
      this.#closeCards(old, 'withdrawn');
      recordApproval(this.#parts, 'superseded', old, null, { why, by: made.id });
      return made;
    });
    this.#ring(old.id);
    return by;
  }

  #closeCards(approval: Approval, state: 'expired' | 'withdrawn'): void {
    for (const { messageId } of this.#parts.cards.settle(approval)) this.#parts.questions.close(messageId, state);
  }

  /** I2 */
  #ring(id: ApprovalId): void {
    queueMicrotask(() => this.#parts.onEnded(id));
  }
}
