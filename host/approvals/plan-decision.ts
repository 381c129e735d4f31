/**
 * What a person's choice does to an approval. Pure.
 *
 *   pending ──approving choice──► vote ──quorum of people who may decide──► approved ──► applied | failed
 *      │    ──approving choice, but it would do something else by now────► superseded, asked afresh
 *      │    ──rejecting choice──────────────────────────────────────────► rejected
 *      ├─────time is over──────────────────────────────────────────────► expired
 *      └─────other content, or nothing is left to decide────────────────► superseded
 *
 * I1. Whoever may not decide at this moment changes nothing, and learns nothing.
 * I2. Only votes of people who may decide at this moment count, one per person, and for the same option. Where
 *     several must approve, these are people who might when it was asked: nobody makes themselves a second voter.
 * I3. What is over stays: no choice leads out of another state than `pending`.
 */
import { assertNever } from '../config/errors.ts';
import { matchOption } from '../questions/plan.ts';
import type { ApprovalOption, ApprovalState } from '../store/approvals.ts';

export interface CountedVote {
  personId: string;
  choice: string;
  /** Whether its person may decide now, and by I2 then. */
  counts: boolean;
}

export interface DecisionFacts {
  /** Null: there is none. */
  approval: {
    state: ApprovalState;
    options: readonly ApprovalOption[];
    quorum: number;
    expiresAt: number;
    consequence: readonly string[];
  } | null;
  /** The card stands where the choice was made, or it came by code or over the API. */
  isHere: boolean;
  /** Owner, or admin of what it is about, at this moment. */
  mayDecide: boolean;
  /** Whether their approval counts (I2). */
  countsAsVoice: boolean;
  personId: string;
  votes: readonly CountedVote[];
  /** What approving would do now; null: it is not what was asked any more, which carrying out refuses. */
  today: { kind: 'possible'; lines: readonly string[] } | { kind: 'impossible'; why: string } | null;
  /** An option's text or number, or `approve` or `reject`. */
  choice: string;
}

export type DecisionRefusal =
  | 'unknown'
  | 'not_allowed'
  | 'already_answered'
  | 'expired'
  | 'withdrawn'
  | 'no_such_option'
  | 'already_voted'
  | 'too_new';

export type DecisionPlan =
  | { kind: 'refuse'; reason: DecisionRefusal }
  /** It would do something else than the card says: asked afresh. */
  | { kind: 'renew' }
  /** It cannot be done any more. */
  | { kind: 'withdraw'; why: string }
  /** One more approval; `count` of `quorum` people have approved it then. */
  | { kind: 'vote'; option: string; count: number }
  | { kind: 'decide'; state: 'approved' | 'rejected'; option: string };

export function planDecision(facts: DecisionFacts, now: number): DecisionPlan {
  const { approval, isHere, mayDecide, today } = facts;
  if (approval === null || !isHere) return { kind: 'refuse', reason: 'unknown' };
  // I1
  if (!mayDecide) return { kind: 'refuse', reason: 'not_allowed' };
  const over = findEnd(approval.state);
  if (over !== null) return { kind: 'refuse', reason: over };
  if (approval.expiresAt <= now) return { kind: 'refuse', reason: 'expired' };
  const option = chooseOption(approval.options, facts.choice);
  if (option === null) return { kind: 'refuse', reason: 'no_such_option' };
  if (!option.approves) return { kind: 'decide', state: 'rejected', option: option.text };
  if (today?.kind === 'impossible') return { kind: 'withdraw', why: today.why };
  if (today !== null && !isSame(today.lines, approval.consequence)) return { kind: 'renew' };
  return planVote(option.text, approval.quorum, facts);
}

/** I2 */
function planVote(option: string, quorum: number, { personId, votes, countsAsVoice }: DecisionFacts): DecisionPlan {
  if (quorum > 1 && !countsAsVoice) return { kind: 'refuse', reason: 'too_new' };
  const own = votes.find((vote) => vote.personId === personId);
  const people = new Set(votes.flatMap((vote) => (vote.counts && vote.choice === option ? [vote.personId] : [])));
  people.add(personId);
  if (people.size >= quorum) return { kind: 'decide', state: 'approved', option };
  if (own?.choice === option) return { kind: 'refuse', reason: 'already_voted' };
  return { kind: 'vote', option, count: people.size };
}

/** I3 */
function findEnd(state: ApprovalState): DecisionRefusal | null {
  switch (state) {
    case 'pending':
      return null;
    case 'expired':
      return 'expired';
    case 'superseded':
      return 'withdrawn';
    case 'approved':
    case 'rejected':
    case 'applied':
    case 'failed':
      return 'already_answered';
    default:
      return assertNever(state);
  }
}

/** `approve` means the one option that approves, and none when there are several; `reject` the first that rejects. */
function chooseOption(options: readonly ApprovalOption[], choice: string): ApprovalOption | null {
  const texts = options.map(({ text }) => text);
  const exact = matchOption(texts, choice);
  if (exact !== null) return options.find(({ text }) => text === exact) ?? null;
  const approving = options.filter(({ approves }) => approves);
  switch (choice.trim().toLowerCase()) {
    case 'approve':
      return approving.length === 1 ? (approving[0] ?? null) : null;
    case 'reject':
      return options.find(({ approves }) => !approves) ?? null;
    default:
      return null;
  }
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((line, at) => line === other[at]);
}
