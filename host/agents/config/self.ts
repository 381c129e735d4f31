/** All that an agent may ask about itself: the desk's answers, and what approvals of it do. */
import type { ApprovalTable } from '../../approvals/approval.ts';
import type { Answered, Asked } from '../../sessions/asked.ts';
import type { SelfChange } from './plan.ts';
import { type SelfRuleParts, SelfRules } from './rules.ts';
import { type SelfRequest, type SelfRequestParts, SelfRequests } from './self-requests.ts';

export interface SelfChanges {
  answer(asked: Asked<SelfRequest>): Answered;
  readonly rules: Pick<ApprovalTable, SelfChange['kind']>;
}

export function makeSelfChanges(parts: SelfRuleParts & SelfRequestParts): SelfChanges {
  const requests = new SelfRequests(parts);
  return { rules: new SelfRules(parts).table(), answer: (asked) => requests.answer(asked) };
}
