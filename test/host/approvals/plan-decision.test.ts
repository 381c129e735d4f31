import { describe, expect, it } from 'vitest';
import { type DecisionFacts, type DecisionPlan, planDecision } from '../../../host/approvals/plan-decision.ts';
import { APPROVAL_STATES } from '../../../host/store/approvals.ts';

const OPTIONS = [
  { text: 'Approve', approves: true },
  { text: 'Reject', approves: false },
];
const TWO = [{ text: 'main', approves: true }, { text: 'writer', approves: true }, ...OPTIONS.slice(1)];

function facts(
  more: Partial<DecisionFacts> = {},
  of: Partial<NonNullable<DecisionFacts['approval']>> = {},
): DecisionFacts {
  return {
    approval: { state: 'pending', options: OPTIONS, quorum: 1, expiresAt: 100, consequence: ['a'], ...of },
    ...{ isHere: true, mayDecide: true, countsAsVoice: true, personId: 'ada', votes: [] },
    today: { kind: 'possible', lines: ['a'] },
    choice: 'Approve',
    ...more,
  };
}
const vote = (personId: string, choice = 'Approve', counts = true) => ({ personId, choice, counts });
const refuse = (reason: string) => ({ kind: 'refuse', reason });
const decide = (state: string, option: string) => ({ kind: 'decide', state, option });

describe('what a choice does', () => {
  it.each<[string, DecisionFacts, DecisionPlan | object]>([
    ['approves alone', facts(), decide('approved', 'Approve')],
    ['by number', facts({ choice: ' 2 ' }), decide('rejected', 'Reject')],
    [
      'by the word for it',
      facts({ choice: 'approve' }, { options: [{ text: 'Let in', approves: true }] }),
      decide('approved', 'Let in'),
    ],
    ['the word means none of several', facts({ choice: 'approve' }, { options: TWO }), refuse('no_such_option')],
    ['one of several by name', facts({ choice: 'Writer' }, { options: TWO }), decide('approved', 'writer')],
    ['reject by the word', facts({ choice: 'REJECT' }, { options: TWO }), decide('rejected', 'Reject')],
    ['no option', facts({ choice: 'perhaps' }), refuse('no_such_option')],
    ['nothing there', facts({ approval: null }), refuse('unknown')],
    ['from elsewhere', facts({ isHere: false }), refuse('unknown')],
    ['who may not', facts({ mayDecide: false }), refuse('not_allowed')],
    ['who may not learns nothing of its end', facts({ mayDecide: false }, { state: 'applied' }), refuse('not_allowed')],
    ['in time', facts({}, { expiresAt: 51 }), decide('approved', 'Approve')],
    ['too late', facts({}, { expiresAt: 50 }), refuse('expired')],
    ['the first of two', facts({}, { quorum: 2 }), { kind: 'vote', option: 'Approve', count: 1 }],
    ['the second of two', facts({ votes: [vote('ben')] }, { quorum: 2 }), decide('approved', 'Approve')],
    [
      'one whose role is newer, beside another',
      facts({ countsAsVoice: false, votes: [vote('ben')] }, { quorum: 2 }),
      refuse('too_new'),
    ],
    ['one whose role is newer, alone', facts({ countsAsVoice: false }), decide('approved', 'Approve')],
    [
      'one whose role is newer rejects',
      facts({ choice: '2', countsAsVoice: false }, { quorum: 2 }),
      decide('rejected', 'Reject'),
    ],
    ['the same person again', facts({ votes: [vote('ada')] }, { quorum: 2 }), refuse('already_voted')],
    [
      'beside one who lost the role',
      facts({ votes: [vote('ben', 'Approve', false)] }, { quorum: 2 }),
      { kind: 'vote', option: 'Approve', count: 1 },
    ],
    [
      'beside one who chose another',
      facts({ choice: 'main', votes: [vote('ben', 'writer')] }, { quorum: 2, options: TWO }),
      { kind: 'vote', option: 'main', count: 1 },
    ],
    [
      'a change of mind',
      facts({ choice: 'main', votes: [vote('ada', 'writer'), vote('ben', 'main')] }, { quorum: 2, options: TWO }),
      decide('approved', 'main'),
    ],
    [
      'one rejection of many',
      facts({ choice: '2', votes: [vote('ben'), vote('cleo')] }, { quorum: 5 }),
      decide('rejected', 'Reject'),
    ],
    ['something else by now', facts({ today: { kind: 'possible', lines: ['b'] } }), { kind: 'renew' }],
    ['more by now', facts({ today: { kind: 'possible', lines: ['a', 'b'] } }), { kind: 'renew' }],
    [
      'rejected whatever it is by now',
      facts({ choice: '2', today: { kind: 'possible', lines: ['b'] } }),
      decide('rejected', 'Reject'),
    ],
    ['impossible by now', facts({ today: { kind: 'impossible', why: 'gone' } }), { kind: 'withdraw', why: 'gone' }],
  ])('%s', (_what, given, expected) => {
    expect(planDecision(given, 50)).toEqual(expected);
  });

  it.each(APPROVAL_STATES.filter((state) => state !== 'pending'))('nothing leads out of %s', (state) => {
    for (const choice of ['Approve', 'Reject', 'approve', '1']) {
      expect(planDecision(facts({ choice, votes: [vote('ben')] }, { state }), 50).kind).toBe('refuse');
    }
  });
});
