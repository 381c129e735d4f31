import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import {
  type AnswerFacts,
  describeEnd,
  findFlaw,
  MAX_OPEN_QUESTIONS,
  matchOption,
  type OpenQuestion,
  planAnswer,
  planHear,
  renderOpen,
} from '../../../host/questions/plan.ts';
import type { Question } from '../../../host/store/questions.ts';
import type { MessageId } from '../../../shared/ids.ts';

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
  const of = { messageId: 'msg_0mb2k9x0q17h3kq0v9z1' as MessageId, author: 'main' };
  const how = 'Answer with a number, or with “1 v9z1” while more is asked here.';
  expect(renderOpen({ title: 'Colour', question: 'Which?', options: ['Blue', 'Red'] }, of)).toBe(
    `main asks:\n\n**Colour**\n\nWhich?\n\n1. Blue\n2. Red\n\n${how}`,
  );
  expect(renderOpen({ title: 'Which?', question: 'which?', options: ['Blue'] }, of)).toBe(
    `main asks:\n\n**Which?**\n\n1. Blue\n\n${how}`,
  );
  const answered = { state: 'answered', answer: 'Red', answeredBy: 'test:1', answeredByName: 'Ada', answeredAt: 0 };
  expect(describeEnd(answered as unknown as Question)).toBe('Ada chose “Red”, 1970-01-01 00:00 UTC.');
});

describe('what is heard where questions stand open', () => {
  const open = (id: string, options: string[], more: Partial<OpenQuestion> = {}): OpenQuestion => ({
    mark: id,
    title: `Title of ${id}`,
    options,
    isCard: false,
    ...more,
  });
  const COLOUR = open('aaaa', ['Blue', 'Red']);
  const SIZE = open('bbbb', ['Large', 'Small', 'Red']);
  const CARD = open('cccc', ['Let in', 'Turn away'], { isCard: true });
  const SAME = open('dddd', ['Let in', 'Turn away'], { isCard: true });

  it.each<[string, OpenQuestion[], string, string]>([
    ['one question, a number', [COLOUR], '2', 'aaaa Red'],
    ['one question, words', [COLOUR], 'blue', 'aaaa Blue'],
    ['one question, another text', [COLOUR], '3', 'message'],
    ['nothing', [], '1', 'message'],
    ['two questions, a number', [COLOUR, SIZE], '1', 'ask_which'],
    ['two questions, a number that one has', [COLOUR, SIZE], '3', 'ask_which'],
    ['two questions, words of one', [COLOUR, SIZE], 'large', 'bbbb Large'],
    ['two questions, words of both', [COLOUR, SIZE], 'red', 'ask_which'],
    ['two questions, a mark', [COLOUR, SIZE], '1 BBBB', 'bbbb Large'],
    ['two questions, words and a mark', [COLOUR, SIZE], ' red  aaaa ', 'aaaa Red'],
    ['a mark of nothing', [COLOUR, SIZE], '1 zzzz', 'message'],
    ['a mark without an option of it', [COLOUR, SIZE], '9 aaaa', 'message'],
    ['the same mark twice', [COLOUR, { ...SIZE, mark: COLOUR.mark }], '1 aaaa', 'message'],
    ['the mark of a card, which an agent chose too', [CARD, { ...COLOUR, mark: 'CCCC' }], '1 cccc', 'ask_which'],
    ['one card, a number', [CARD], '1', 'ask_which'],
    ['one card, words', [CARD], 'let in', 'ask_which'],
    ['one card, a mark', [CARD], '2 cccc', 'cccc Turn away'],
    ['one card, another text', [CARD], 'thanks', 'message'],
    ['a card and a question, a number', [CARD, COLOUR], '1', 'ask_which'],
    ['a card and a question, words of the card', [CARD, COLOUR], 'Let in', 'ask_which'],
    ['a card and a question, words of the question', [CARD, COLOUR], 'Blue', 'aaaa Blue'],
    ['two cards, words', [CARD, SAME], 'Let in', 'ask_which'],
    ['two cards, a mark', [CARD, SAME], '1 dddd', 'dddd Let in'],
  ])('without buttons: %s', (_what, all, text, expected) => {
    expect(tell(planHear(text, { open: all, hasButtons: false }))).toBe(expected);
  });

  it.each<[string, OpenQuestion[], string, string]>([
    ['one question, a number', [COLOUR], '1', 'aaaa Blue'],
    ['two questions, a number', [COLOUR, SIZE], '1', 'ask_which'],
    ['a card, a number', [CARD], '1', 'message'],
    ['a card, words', [CARD], 'Let in', 'message'],
    ['a card, a mark', [CARD], '1 cccc', 'message'],
    ['a card and a question, a number', [CARD, COLOUR], '1', 'aaaa Blue'],
  ])('with buttons: %s', (_what, all, text, expected) => {
    expect(tell(planHear(text, { open: all, hasButtons: true }))).toBe(expected);
  });

  it('tells the person how to say which, without a word of markup from the titles', () => {
    const trap = open('ffff', ['Yes'], { title: '**Portolan** [approve](http://evil.example)\n“1 cccc”' });
    const plan = planHear('1', { open: [trap, CARD], hasButtons: false });
    expect(plan).toEqual({
      kind: 'ask_which',
      words:
        'It is not clear what “1” answers, and nothing was decided. ' +
        'Write “1 ffff” for “Portolan approve http evil. example 1 cccc”, or “1 cccc” for “Title of cccc”.',
    });
  });

  function tell(plan: ReturnType<typeof planHear<OpenQuestion>>): string {
    return plan.kind === 'answer' ? `${plan.question.mark} ${plan.option}` : plan.kind;
  }
});

it.each([
  [['2', '1'], true],
  [['Never', '1'], true],
  [['1', '2', 'more'], false],
  [['5', '10'], false],
])('an option that is a number stands in its own place or means no place: %j', (options, isRefused) => {
  expect(findFlaw({ title: 't', question: 'q', options }, 0) !== null).toBe(isRefused);
});
