/** What a question may be, who chose what, and how both read. Pure. */
import type { MessageId } from '../../shared/ids.ts';
import type { OutboundContent } from '../../shared/messages.ts';
import { assertNever } from '../config/errors.ts';
import type { Question } from '../store/questions.ts';

/** A question without a time of its own. Higher: stale questions catch answers meant for something else. Lower: a night passes and it is gone. */
export const DEFAULT_TIMEOUT_MS = 24 * 3_600_000;
/** Open questions of one session. Higher: an agent floods people with buttons. Lower: honest surveys are refused. */
export const MAX_OPEN_QUESTIONS = 20;
/** Questions of one session that ended unanswered within EXPIRED_WINDOW_MS. Higher: an agent wakes itself with time-outs of a second, on a person's money. Lower: quick polls are refused. */
export const MAX_EXPIRED = 30;
export const EXPIRED_WINDOW_MS = 3_600_000;
/** Longest option, and so the longest text that can be an answer; what the schema takes. */
export const MAX_OPTION_LENGTH = 100;

export type QuestionContent = Extract<OutboundContent, { kind: 'question' }>['content'];

/**
 * Why an agent may not ask this, in words for it; null when it may. Of its session: `open` questions wait now,
 * `expired` ended unanswered within EXPIRED_WINDOW_MS.
 */
export function findFlaw({ options }: QuestionContent, open: number, expired = 0): string | null {
  const keys = options.map((option) => foldText(option));
  if (keys.some((key) => key === '')) return 'an option is blank';
  if (options.some((option) => /[\p{Cc}\u2028\u2029]/u.test(option))) return 'an option has more than one line';
  if (new Set(keys).size < keys.length) return 'two options are the same';
  // Typed, it would be one option by its text and another by its place.
  if (keys.some((key, at) => NUMBER.test(key) && Number(key) <= keys.length && Number(key) !== at + 1)) {
    return 'an option that is a number stands at another number: put it in its own place, or write it in words';
  }
  if (open >= MAX_OPEN_QUESTIONS) {
    return `${MAX_OPEN_QUESTIONS} questions of this conversation wait for an answer; wait until some are answered`;
  }
  if (expired >= MAX_EXPIRED) {
    return `nobody answered ${MAX_EXPIRED} questions of this conversation within an hour; wait until somebody writes`;
  }
  return null;
}

/** The option that a text means: exactly its text, whatever the case, or exactly its number from 1. Null: none. */
export function matchOption(options: readonly string[], text: string): string | null {
  const exact = options.find((option) => option === text.trim());
  if (exact !== undefined) return exact;
  const folded = foldText(text);
  const same = options.find((option) => foldText(option) === folded);
  if (same !== undefined) return same;
  return NUMBER.test(folded) ? (options[Number(folded) - 1] ?? null) : null;
}

const NUMBER = /^[1-9]\d?$/;

function foldText(text: string): string {
  return text.trim().normalize('NFC').toLowerCase();
}

/** Why an answer does not count. */
type QuestionRefusal = 'unknown' | 'not_allowed' | 'already_answered' | 'expired' | 'withdrawn' | 'no_such_option';
/** Also of approvals: this person approved already; it would do something else by now; too many wrong codes. */
export type AnswerRefusal = QuestionRefusal | 'already_voted' | 'too_new' | 'changed' | 'too_many_tries';

export interface AnswerFacts {
  question: Pick<Question, 'state' | 'options' | 'expiresAt'> | null;
  /** The answer comes from the chat that the question stands in, or over the API. */
  isHere: boolean;
  mayAnswer: boolean;
  choice: string;
}

export type AnswerPlan = { kind: 'accept'; option: string } | { kind: 'refuse'; reason: QuestionRefusal };

/** Right before state: who may not answer does not learn what became of it. */
export function planAnswer({ question, isHere, mayAnswer, choice }: AnswerFacts, now: number): AnswerPlan {
  if (question === null || !isHere) return refuse('unknown');
  if (!mayAnswer) return refuse('not_allowed');
  switch (question.state) {
    case 'answered':
      return refuse('already_answered');
    case 'expired':
    case 'withdrawn':
      return refuse(question.state);
    case 'pending': {
      if (question.expiresAt <= now) return refuse('expired');
      const option = matchOption(question.options, choice);
      return option === null ? refuse('no_such_option') : { kind: 'accept', option };
    }
    default:
      return assertNever(question.state);
  }
}

function refuse(reason: QuestionRefusal): AnswerPlan {
  return { kind: 'refuse', reason };
}

/** A refusal in words for the person who answered. */
export function describeRefusal(
  reason: QuestionRefusal,
  question: (Answered & Pick<Question, 'options' | 'expiresAt'>) | null,
): string {
  switch (reason) {
    case 'unknown':
      return 'There is no such question here.';
    case 'not_allowed':
      return 'Only people whom this agent answers here may answer this.';
    case 'already_answered':
      return `${describeWho(question)} chose “${question?.answer ?? ''}” already.`;
    case 'expired':
      return `This expired at ${formatUtc(question?.expiresAt ?? 0)}; nobody waits for the answer any more.`;
    case 'withdrawn':
      return 'This question was withdrawn.';
    case 'no_such_option':
      return `That is none of the options: ${listOptions(question?.options ?? []).join(', ')}.`;
    default:
      return assertNever(reason);
  }
}

/** Who the host is, as the author of its cards. No agent may be called so, nor so that it reads like it. */
export const HOST_NAME = 'Portolan';

/** A question that stands open in a chat, before the person who wrote there and may answer it. */
export interface OpenQuestion extends Pick<Question, 'title' | 'options'> {
  /** The card of an approval. */
  isCard: boolean;
  /** What names it among others: the code of an approval, `markOf` an agent's question. */
  mark: string;
}

export type HearPlan<One> =
  | { kind: 'answer'; question: One; option: string }
  /** It could be several things; `words` tell the person how to say which. */
  | { kind: 'ask_which'; words: string }
  | { kind: 'message' };

/**
 * What a text means where `open` questions stand.
 * With buttons the card of an approval is decided by its button alone, without by an answer with its mark: a bare
 * "1" that was meant for an agent approves nothing, whatever arrives while it is typed. Of an agent's questions a
 * bare number counts when nothing else is open, an option's words when one question has them.
 */
export function planHear<One extends OpenQuestion>(
  text: string,
  { open, hasButtons }: { open: readonly One[]; hasButtons: boolean },
): HearPlan<One> {
  const askable = hasButtons ? open.filter((one) => !one.isCard) : open;
  const marked = planMarked(text, askable);
  if (marked !== null) return marked;
  const meant = askable.filter(({ options }) => matchOption(options, text) !== null);
  const [question] = meant;
  if (question === undefined) return { kind: 'message' };
  const rivals = NUMBER.test(foldText(text)) ? askable : meant;
  const option = matchOption(question.options, text);
  if (rivals.length > 1 || question.isCard || option === null) {
    return { kind: 'ask_which', words: describeWhich(text, meant, hasButtons) };
  }
  return { kind: 'answer', question, option };
}

function planMarked<One extends OpenQuestion>(text: string, open: readonly One[]): HearPlan<One> | null {
  const [, choice = '', mark = ''] = /^(.*\S)\s+(\S+)$/u.exec(text.trim()) ?? [];
  const meant = open.filter((one) => one.mark.toLowerCase() === mark.toLowerCase());
  const options = meant.map((question) => ({ question, option: matchOption(question.options, choice) }));
  const [first, second] = options;
  // Agents choose their ids, and know the codes of what they asked for: one mark for two is no chance.
  if (second !== undefined && meant.some(({ isCard }) => isCard)) {
    const code = mark.toUpperCase();
    const words = `“${mark}” names two questions here, and nothing was decided. Write “/approve ${code}” or “/reject ${code}” for the one of ${HOST_NAME}.`;
    return { kind: 'ask_which', words };
  }
  if (first === undefined || second !== undefined || first.option === null) return null;
  return { kind: 'answer', question: first.question, option: first.option };
}

/** Letters and digits that name an agent's question among those of its chat. */
export function markOf(messageId: MessageId): string {
  return messageId.slice(-MARK_LENGTH);
}

/** Longer: tiresome to type. Shorter: two questions share one. That of a card is its approval's code, as long. */
const MARK_LENGTH = 4;
/** Longest text that can be an answer: an option, and a mark. */
export const MAX_ANSWER_LENGTH = MAX_OPTION_LENGTH + 1 + MARK_LENGTH;
/** Questions that are named to a person who has to say which. */
const MAX_NAMED = 5;
const MAX_NAMED_TITLE = 60;

function describeWhich(text: string, meant: readonly OpenQuestion[], hasButtons: boolean): string {
  const said = text.trim();
  if (hasButtons) return `“${said}” could answer more than one question here: use the buttons of the one you mean.`;
  const ways = meant.slice(0, MAX_NAMED).map(({ mark, title }) => {
    return `“${said} ${mark}” for “${showPlain(title).slice(0, MAX_NAMED_TITLE)}”`;
  });
  return `It is not clear what “${said}” answers, and nothing was decided. Write ${ways.join(', or ')}.`;
}

/** An agent's words inside the host's: letters, digits and plain signs, in one line, and nothing that becomes a link. */
export function showPlain(text: string): string {
  return text
    .replace(/[^\p{L}\p{M}\p{N}.,!?'+-]+/gu, ' ')
    .replace(/\.(?=\S)/gu, '. ')
    .trim();
}

type Shown = Pick<QuestionContent, 'title' | 'question'>;

/** How it reads while it is open, where there are no buttons. `author` says whose question it is. */
export function renderOpen(
  question: Shown & Pick<QuestionContent, 'options'>,
  { messageId, author }: { messageId: MessageId; author: string },
): string {
  return renderOptions(
    question,
    author,
    `Answer with a number, or with “1 ${markOf(messageId)}” while more is asked here.`,
  );
}

function renderOptions(question: Shown & Pick<QuestionContent, 'options'>, author: string, how: string): string {
  return `${renderHead(question, author)}\n\n${listOptions(question.options).join('\n')}\n\n${how}`;
}

/** Without the options: beside buttons. What is said twice is shown once. */
export function renderHead({ title, question }: Shown, author: string): string {
  const head = `${author} asks:\n\n**${title}**`;
  return foldText(title) === foldText(question) ? head : `${head}\n\n${question}`;
}

/** How the card of an approval reads while it is open. `how`: what to type where there are no buttons, null beside them. */
export function renderCard(
  question: Pick<Question, 'title' | 'question' | 'options' | 'expiresAt'>,
  how: string | null,
): string {
  const text = how === null ? renderHead(question, HOST_NAME) : renderOptions(question, HOST_NAME, how);
  return `${text}\n\nOpen until ${formatUtc(question.expiresAt)}.`;
}

/** How it reads once it is over; `ending` says who, when, what. */
export function renderEnded(question: Shown, author: string, ending: string): string {
  return `${renderHead(question, author)}\n\n_${ending}_`;
}

/** The end of an agent's question, for people. */
export function describeEnd(question: Question): string {
  switch (question.state) {
    case 'answered':
      return `${describeWho(question)} chose “${question.answer ?? ''}”, ${formatUtc(question.answeredAt ?? 0)}.`;
    case 'expired':
      return `Nobody answered until ${formatUtc(question.expiresAt)}: expired.`;
    case 'withdrawn':
      return 'Withdrawn.';
    case 'pending':
      return `Open until ${formatUtc(question.expiresAt)}.`;
    default:
      return assertNever(question.state);
  }
}

/** The end of an agent's question, for the agent. */
export function describeEndForAgent(question: Question): string {
  return question.state === 'answered'
    ? `${describeWho(question)} chose “${question.answer ?? ''}” for “${question.title}”.`
    : `Nobody answered “${question.title}” in time.`;
}

type Answered = Pick<Question, 'answer' | 'answeredBy' | 'answeredByName'>;

function describeWho(question: Answered | null): string {
  return question?.answeredByName || question?.answeredBy || 'Somebody';
}

function listOptions(options: readonly string[]): string[] {
  return options.map((option, at) => `${at + 1}. ${option}`);
}

/** To the minute, in UTC: a chat is read in many time zones. */
export function formatUtc(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
