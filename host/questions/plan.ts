/** What a question may be, who chose what, and how both read. Pure. */
import type { OutboundContent } from '../../shared/messages.ts';
import { assertNever } from '../config/errors.ts';
import type { Question } from '../store/questions.ts';

/** A question without a time of its own. Higher: stale questions catch answers meant for something else. Lower: a night passes and it is gone. */
export const DEFAULT_TIMEOUT_MS = 24 * 3_600_000;
/** Open questions of one session. Higher: an agent floods people with buttons. Lower: honest surveys are refused. */
export const MAX_OPEN_QUESTIONS = 20;
/** Longest option, and so the longest text that can be an answer; what the schema takes. */
export const MAX_OPTION_LENGTH = 100;

export type QuestionContent = Extract<OutboundContent, { kind: 'question' }>['content'];

/** Why an agent may not ask this, in words for it; null when it may. `open`: its questions that wait now. */
export function findFlaw({ options }: QuestionContent, open: number): string | null {
  const keys = options.map((option) => foldText(option));
  if (keys.some((key) => key === '')) return 'an option is blank';
  if (options.some((option) => /[\p{Cc}\u2028\u2029]/u.test(option))) return 'an option has more than one line';
  if (new Set(keys).size < keys.length) return 'two options are the same';
  if (open >= MAX_OPEN_QUESTIONS) {
    return `${MAX_OPEN_QUESTIONS} questions of this conversation wait for an answer; wait until some are answered`;
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
  return /^[1-9]\d?$/.test(folded) ? (options[Number(folded) - 1] ?? null) : null;
}

function foldText(text: string): string {
  return text.trim().normalize('NFC').toLowerCase();
}

export type AnswerRefusal = 'unknown' | 'not_allowed' | 'already_answered' | 'expired' | 'withdrawn' | 'no_such_option';

export interface AnswerFacts {
  question: Pick<Question, 'state' | 'options' | 'expiresAt'> | null;
  /** The answer comes from the chat that the question stands in, or over the API. */
  isHere: boolean;
  mayAnswer: boolean;
  choice: string;
}

export type AnswerPlan = { kind: 'accept'; option: string } | { kind: 'refuse'; reason: AnswerRefusal };

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

function refuse(reason: AnswerRefusal): AnswerPlan {
  return { kind: 'refuse', reason };
}

/** A refusal in words for the person who answered. */
export function describeRefusal(
  reason: AnswerRefusal,
  question: (Answered & Pick<Question, 'approvalId' | 'options' | 'expiresAt'>) | null,
): string {
  switch (reason) {
    case 'unknown':
      return 'There is no such question here.';
    case 'not_allowed':
      return question !== null && question.approvalId !== null
        ? 'Only an admin may decide this.'
        : 'Only people whom this agent answers here may answer this.';
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

/** How it reads while it is open, where there are no buttons. */
export function renderOpen(question: Pick<QuestionContent, 'title' | 'question' | 'options'>): string {
  return `${renderHead(question)}\n\n${listOptions(question.options).join('\n')}\n\nAnswer with a number.`;
}

/** Without the options: beside buttons. What is said twice is shown once. */
export function renderHead({ title, question }: Pick<QuestionContent, 'title' | 'question'>): string {
  return foldText(title) === foldText(question) ? `**${title}**` : `**${title}**\n\n${question}`;
}

/** How the card of an approval reads while it is open. */
export function renderCard(
  question: Pick<Question, 'title' | 'question' | 'options' | 'expiresAt'>,
  hasButtons: boolean,
): string {
  const text = hasButtons ? renderHead(question) : renderOpen(question);
  return `${text}\n\nOpen until ${formatUtc(question.expiresAt)}.`;
}

/** How it reads once it is over; `ending` says who, when, what. */
export function renderEnded(question: Pick<Question, 'title' | 'question'>, ending: string): string {
  return `${renderHead(question)}\n\n_${ending}_`;
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
function formatUtc(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
