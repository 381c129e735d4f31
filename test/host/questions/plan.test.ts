import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import {
  type AnswerFacts,
  describeEnd,
  findFlaw,
  MAX_OPEN_QUESTIONS,
  matchOption,
  planAnswer,
  renderOpen,
} from '../../../host/questions/plan.ts';
import type { Question } from '../../../host/store/questions.ts';

const COLOURS = ['Blue', 'Deep red', '3'];

describe('what a text chooses', () => {
  it.each<[string, string | null]>([
    ['Blue', 'Blue'],
    ['  blue ', 'Blue'],
    ['DEEP RED', 'Deep red'],
    ['1', 'Blue'],
    [' 2 ', 'Deep red'],
    ['3', '3'],
    ['0', null],
    ['4', null],
    ['01', null],
    ['1.', null],
    ['1 2', null],
    ['-1', null],
    ['١', null],
    ['blu', null],
    ['blue please', null],
    ['', null],
    ['__proto__', null],
  ])('%j', (text, option) => {
    expect(matchOption(COLOURS, text)).toBe(option);
  });

  it('is an option’s own text before a number', () => {
    expect(matchOption(['2', '1'], '1')).toBe('1');
    expect(matchOption(['yes', 'Yes!'], 'Yes')).toBe('yes');
  });

  it('is always one of the options, and every option can be chosen by its text and seen by its number', () => {
    const options = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 20 }), {
      minLength: 1,
      maxLength: 10,
      selector: (text) => text.trim().normalize('NFC').toLowerCase(),
    });
    fc.assert(
      fc.property(options, fc.string(), (all, text) => {
        const chosen = matchOption(all, text);
        if (chosen !== null) expect(all).toContain(chosen);
        for (const option of all) expect(matchOption(all, option)).toBe(option);
      }),
    );
  });
});

describe('an answer', () => {
  const FACTS: AnswerFacts = {
    question: { state: 'pending', options: ['Blue', 'Red'], expiresAt: 1_000 },
    isHere: true,
    mayAnswer: true,
    choice: 'Red',
  };
  const inState = (state: Question['state']) => ({ question: { state, options: ['Blue', 'Red'], expiresAt: 1_000 } });

  it.each<[string, Partial<AnswerFacts>, string]>([
    ['to nothing', { question: null }, 'unknown'],
    ['from another chat', { isHere: false }, 'unknown'],
    ['from somebody who may not', { mayAnswer: false }, 'not_allowed'],
    ['from somebody who may not, when it is over', { mayAnswer: false, ...inState('answered') }, 'not_allowed'],
    ['when another came first', inState('answered'), 'already_answered'],
    ['when nobody waits any more', inState('expired'), 'expired'],
    ['when it was taken back', inState('withdrawn'), 'withdrawn'],
    ['that is no option', { choice: 'Green' }, 'no_such_option'],
  ])('%s is refused', (_what, facts, reason) => {
    expect(planAnswer({ ...FACTS, ...facts }, 999)).toEqual({ kind: 'refuse', reason });
  });

  it('counts until the very end, whether the timer was there or not', () => {
    expect(planAnswer(FACTS, 999)).toEqual({ kind: 'accept', option: 'Red' });
    expect(planAnswer(FACTS, 1_000)).toEqual({ kind: 'refuse', reason: 'expired' });
  });

  it('is accepted by nobody without a right, and only while it is open', () => {
    const facts = fc.record({
      question: fc.option(
        fc.record({
          state: fc.constantFrom('pending' as const, 'answered' as const, 'expired' as const, 'withdrawn' as const),
          options: fc.array(fc.string({ minLength: 1 }), { minLength: 1 }),
          expiresAt: fc.nat(100),
        }),
        { nil: null },
      ),
      isHere: fc.boolean(),
      mayAnswer: fc.boolean(),
      choice: fc.string(),
    });
    fc.assert(
      fc.property(facts, fc.nat(100), (given, now) => {
        const plan = planAnswer(given, now);
        if (plan.kind !== 'accept') return;
        expect(given.isHere && given.mayAnswer).toBe(true);
        expect(given.question?.state).toBe('pending');
        expect(given.question?.expiresAt).toBeGreaterThan(now);
        expect(given.question?.options).toContain(plan.option);
      }),
    );
  });
});

describe('a question that is none', () => {
  const ask = (options: string[], open = 0) => findFlaw({ title: 'T', question: 'Q', options }, open);

  it('has the same option twice, a blank one, or one of several lines', () => {
    expect(ask(['Yes', ' yes '])).toContain('the same');
    expect(ask(['Yes', ' '])).toContain('blank');
    expect(ask(['Yes\n2. No'])).toContain('more than one line');
    expect(ask(['Yes\u2028No'])).toContain('more than one line');
    expect(ask(['Yes', 'No'])).toBeNull();
  });

  it('comes on top of too many that wait', () => {
    expect(ask(['Yes'], MAX_OPEN_QUESTIONS - 1)).toBeNull();
    expect(ask(['Yes'], MAX_OPEN_QUESTIONS)).toContain('wait for an answer');
  });
});

test('in text a question says how it is answered, and its end who decided and when', () => {
  expect(renderOpen({ title: 'Colour', question: 'Which?', options: ['Blue', 'Red'] })).toBe(
    '**Colour**\n\nWhich?\n\n1. Blue\n2. Red\n\nAnswer with a number.',
  );
  expect(renderOpen({ title: 'Which?', question: 'which?', options: ['Blue'] })).toBe(
    '**Which?**\n\n1. Blue\n\nAnswer with a number.',
  );
  const answered = { state: 'answered', answer: 'Red', answeredBy: 'test:1', answeredByName: 'Ada', answeredAt: 0 };
  expect(describeEnd(answered as unknown as Question)).toBe('Ada chose “Red”, 1970-01-01 00:00 UTC.');
});
