/**
 * What people choose: judged by their roles at that moment, whatever showed them the card.
 *
 * I1. Facts, plan and commit are one turn of the event loop: nothing changes between the look and the decision.
 * I2. The decision, the vote, the end of the cards and the ledger's entry are one commit.
 * I3. A code opens nothing by itself. Whoever may not decide hears the same as for a code that is none, and only
 *     so many tries are answered.
 */
import type { ApprovalId, MessagingGroupId, UserId } from '../../shared/ids.ts';
import { countsAsVoice, mayDecide } from '../access/answer.ts';
import { assertNever } from '../config/errors.ts';
import { failpoint } from '../observe/failpoint.ts';
import type { AnswerOutcome, GivenAnswer } from '../questions/apply.ts';
import { describeRefusal } from '../questions/plan.ts';
import type { ApprovalVoices } from '../store/approval-voices.ts';
import type { Approval, ApprovalStore } from '../store/approvals.ts';
import type { Ledger } from '../store/ledger.ts';
import type { QuestionStore } from '../store/questions.ts';
import type { UserStore } from '../store/users.ts';
import type { ApprovalTable } from './approval.ts';
import type { Asking } from './asking.ts';
import { MAX_NOTE } from './card-text.ts';
import type { Cards } from './cards.ts';
import type { Ends } from './ends.ts';
import { lostRight } from './lost-right.ts';
import { hashRequest } from './plan.ts';
import { type DecisionFacts, type DecisionPlan, type DecisionRefusal, planDecision } from './plan-decision.ts';
import { recordApproval } from './record.ts';
import { toLine } from './show.ts';
import { MAX_WRONG_CODES, WrongCodes } from './wrong-codes.ts';

export interface DecidingParts {
  approvals: ApprovalStore;
  voices: ApprovalVoices;
  questions: QuestionStore;
  users: UserStore;
  ledger: Ledger;
  rules: () => ApprovalTable;
  cards: Cards;
  ends: Pick<Ends, 'withdraw'>;
  asking: Pick<Asking, 'renew'>;
  /** Decided, or one vote more: show it, and do what follows. */
  onDecided: (id: ApprovalId) => void;
  now: () => number;
}

/** A choice that names its approval by what stands on the card. */
export interface CodedDecision {
  code: string;
  /** `approve`, `reject`, an option's text or its number. */
  choice: string;
  note: string | null;
  by: UserId;
  byName: string;
  /** The chat it was written in, null for elsewhere; a code holds anywhere. */
  from: MessagingGroupId | null;
}

export class Deciding {
  readonly #parts: DecidingParts;
  readonly #wrong = new WrongCodes();

  constructor(parts: DecidingParts) {
    this.#parts = parts;
  }

  /** Whether this person may decide it, by the roles they have now. */
  mayDecide(approval: Approval | null, by: UserId): boolean {
    return approval !== null && mayDecide(this.#parts.users.rolesOf(by), approval.agentGroupId);
  }

  /** Whether this person could decide it since it was asked, and may not any more. */
  lostRight(approval: Approval | null, by: UserId): boolean {
    return approval !== null && !this.mayDecide(approval, by) && lostRight(this.#parts, approval, by);
  }

  /** What a person chose on a card, or for an id. */
  decide(id: ApprovalId, given: GivenAnswer): AnswerOutcome {
    return this.#decide(this.#parts.approvals.get(id), given);
  }

  /** I3 */
  decideByCode({ code, choice, note, by, byName, from }: CodedDecision): AnswerOutcome {
    const { approvals, now } = this.#parts;
    if (this.#wrong.isOver(by, now())) {
      return { kind: 'refused', reason: 'too_many_tries', words: 'Too many wrong codes: wait ten minutes.' };
    }
    const approval = approvals.findByCode(readCode(code));
    if (!this.mayDecide(approval, by)) {
      this.#noteWrong(approval, by, 'code');
      const words = `There is no approval ${toLine(code).slice(0, 12)} that you may decide.`;
      return { kind: 'refused', reason: 'unknown', words };
    }
    return this.#decide(approval, { choice, by, byName, from, note });
  }

  #decide(approval: Approval | null, given: GivenAnswer): AnswerOutcome {
    const plan = planDecision(this.#lookUp(approval, given), this.#parts.now());
    if (plan.kind === 'refuse' || approval === null) {
      const reason = plan.kind === 'refuse' ? plan.reason : 'unknown';
      if (reason === 'not_allowed') this.#noteWrong(approval, given.by, 'click');
      return { kind: 'refused', reason, words: this.#describe(reason, approval, given.by) };
    }
    return this.#carryPlan(approval, plan, given);
  }

  #lookUp(approval: Approval | null, { by, choice }: GivenAnswer): DecisionFacts {
    const { users, voices } = this.#parts;
    const may = this.mayDecide(approval, by);
    return {
      approval,
      isHere: true,
      mayDecide: may,
      countsAsVoice: approval !== null && may && this.#counts(approval, by),
      personId: users.personOf(by),
      // Who may not decide costs no more than that.
      votes:
        approval === null || !may
          ? []
          : voices.listVotes(approval.id).map((vote) => ({ ...vote, counts: this.#counts(approval, vote.userId) })),
      today: approval === null || !may ? null : this.#describeToday(approval),
      choice,
    };
  }

  #counts({ quorum, agentGroupId, createdAt }: Approval, by: UserId): boolean {
    const { users } = this.#parts;
    return countsAsVoice(quorum, users.rolesOf(by), users.rolesSince(by, createdAt), agentGroupId);
  }

  #describeToday(approval: Approval): DecisionFacts['today'] {
    // Carrying out refuses what is not what was asked.
    if (hashRequest(approval.action, approval.payload) !== approval.requestHash) return null;
    const rules = Object.entries(this.#parts.rules()).find(([name]) => name === approval.action)?.[1];
    if (rules === undefined) return null;
    const today = rules.describe(approval.payload);
    return today.kind === 'possible' ? { kind: 'possible', lines: today.lines.map(toLine) } : today;
  }

  #carryPlan(approval: Approval, plan: Exclude<DecisionPlan, { kind: 'refuse' }>, given: GivenAnswer): AnswerOutcome {
    switch (plan.kind) {
      case 'renew':
        return this.#renew(approval);
      case 'withdraw':
        this.#parts.ends.withdraw(approval, plan.why);
        return { kind: 'refused', reason: 'changed', words: `It cannot be done any more: ${plan.why}.` };
      case 'vote':
        this.#commitVote(approval, plan.option, given);
        return {
          kind: 'accepted',
          option: plan.option,
          words: `${plan.count} of ${approval.quorum} approved ${approval.code}; it waits for more.`,
        };
      case 'decide': {
        this.#commitDecision(approval, plan, given);
        const words = plan.state === 'approved' ? 'Approved' : 'Rejected';
        return { kind: 'accepted', option: plan.option, words: `${words}: ${approval.title}` };
      }
      default:
        return assertNever(plan);
    }
  }

  #renew(approval: Approval): AnswerOutcome {
    const today = this.#describeToday(approval);
    const { code } = this.#parts.asking.renew(approval, today?.kind === 'possible' ? today.lines : []);
    const words = `Nothing was decided: approving would do something else by now than ${approval.code} said. Read ${code}, which takes its place.`;
    return { kind: 'refused', reason: 'changed', words };
  }

  #commitVote(approval: Approval, option: string, given: GivenAnswer): void {
    const { questions, cards, onDecided } = this.#parts;
    questions.transaction(() => {
      this.#putVote(approval, option, given);
      recordApproval(this.#parts, 'voted', approval, given.by, { choice: option, ...noteOf(given) });
      cards.refresh(approval);
    });
    failpoint('approvals.voted');
    onDecided(approval.id);
  }

  /** I2 */
  #commitDecision(
    approval: Approval,
    { state, option }: Extract<DecisionPlan, { kind: 'decide' }>,
    given: GivenAnswer,
  ): void {
    const { approvals, questions, users, cards, onDecided, now } = this.#parts;
    const at = now();
    const { by } = given;
    const nameOf = (id: UserId) => users.get(id)?.displayName || (id === by ? given.byName : '') || id;
    questions.transaction(() => {
      this.#putVote(approval, option, given);
      const voices = this.#parts.voices.listVotes(approval.id);
      const counted = voices.filter(({ choice, userId }) => choice === option && this.mayDecide(approval, userId));
      const byName = counted.map(({ userId }) => nameOf(userId)).join(', ');
      const answer = { answer: option, by, byName, clientId: given.clientId ?? null, at };
      const { note } = noteOf(given);
      if (!approvals.decide(approval.id, { state, choice: option, by, note, at })) {
        throw new Error('a pending approval was not');
      }
      for (const { messageId } of cards.settle(approval)) questions.answer(messageId, answer);
      recordApproval(this.#parts, state, approval, by, { choice: option, note });
    });
    failpoint('approvals.decided');
    onDecided(approval.id);
  }

  #putVote(approval: Approval, choice: string, { by }: GivenAnswer): void {
    const { voices, users, now } = this.#parts;
    voices.putVote(approval.id, { personId: users.personOf(by), userId: by, choice, votedAt: now() });
  }

  /** Recorded as long as it is answered: a flood of tries does not flood the ledger. */
  #noteWrong(approval: Approval | null, by: UserId, how: 'code' | 'click'): void {
    const { ledger, now } = this.#parts;
    if (this.#wrong.note(by, now()) > MAX_WRONG_CODES) return;
    const detail = { how, action: approval?.action ?? null };
    ledger.append(
      { kind: 'approval.refused', sessionId: null, messageId: approval?.id ?? null, actor: by, detail },
      now(),
    );
  }

  #describe(reason: DecisionRefusal, approval: Approval | null, by: UserId): string {
    switch (reason) {
      case 'not_allowed':
        return this.lostRight(approval, by)
          ? 'You may not decide this any more: the role that it takes was taken from you. Ask an owner of this host for it.'
          : 'Only an admin may decide this.';
      case 'already_voted':
        return `You approved ${approval?.code ?? 'it'} already; it waits for others.`;
      case 'too_new':
        return `${approval?.code ?? 'This'} needs several people, each of whom could decide it when it was asked: your role is newer. You may reject it, or have it asked again.`;
      case 'withdrawn':
        return `This is not decided any more. ${approval?.outcome ?? ''}`.trim();
      case 'unknown':
      case 'already_answered':
      case 'expired':
      case 'no_such_option':
        return describeRefusal(reason, approval === null ? null : this.#toQuestion(approval));
      default:
        return assertNever(reason);
    }
  }

  #toQuestion({ options, expiresAt, choice, decidedBy }: Approval) {
    const name = decidedBy === null ? null : (this.#parts.users.get(decidedBy)?.displayName ?? null);
    const texts = options.map(({ text }) => text);
    return { options: texts, expiresAt, answer: choice, answeredBy: decidedBy, answeredByName: name };
  }
}

function noteOf({ note }: GivenAnswer): { note: string | null } {
  const line = toLine((note ?? '').slice(0, MAX_NOTE));
  return { note: line === '' ? null : line };
}

/** As it is typed: any case, and letters that read like digits for those. */
function readCode(text: string): string {
  return text.trim().toUpperCase().replaceAll('O', '0').replace(/[IL]/g, '1');
}
