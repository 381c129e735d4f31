import type { Question } from '../client/types.ts';
import { assertNever } from '../state/assert.ts';
import { formatClock } from '../style/time.ts';

export interface QuestionLook {
  /** Beside the title, null when it says the same. */
  body: string | null;
  /** It can be answered here and now. */
  isOpen: boolean;
  status: string;
  /** The moment that the status speaks of, null when of none. */
  at: number | null;
}

/** Whose question it is. The card of an approval is told from what an agent may write into a question of its own. */
export function describeAsker({ approvalId }: Pick<Question, 'approvalId'>, author: string) {
  return approvalId === null
    ? { isHost: false, words: `${author} asks` }
    : { isHost: true, words: 'Portolan needs a decision' };
}

/** How a question stands, in words; times in the viewer's zone. */
export function describeQuestion(question: Question, now: number): QuestionLook {
  const body = question.question.trim() === question.title.trim() ? null : question.question;
  return { body, ...describeState(question, now) };
}

function describeState(question: Question, now: number): Omit<QuestionLook, 'body'> {
  const { state, expiresAt, answeredAt } = question;
  switch (state) {
    case 'pending':
      // The host says so a moment later.
      if (expiresAt <= now) return { isOpen: false, status: 'Expired: nobody answered in time.', at: expiresAt };
      return { isOpen: true, status: `Open until ${formatUntil(expiresAt, now)}.`, at: expiresAt };
    case 'answered': {
      const when = answeredAt === null ? '' : `, ${formatUntil(answeredAt, now)}`;
      const who = question.answeredBy || 'Somebody';
      return { isOpen: false, status: `${who} chose “${question.answer ?? ''}”${when}.`, at: answeredAt };
    }
    case 'expired':
      return { isOpen: false, status: 'Expired: nobody answered in time.', at: expiresAt };
    case 'withdrawn':
      return { isOpen: false, status: 'Withdrawn.', at: null };
    default:
      return assertNever(state);
  }
}

/** The clock today, with the day on other days. */
function formatUntil(at: number, now: number): string {
  const isToday = new Date(at).toDateString() === new Date(now).toDateString();
  return isToday ? formatClock(at) : `${date.format(at)}, ${formatClock(at)}`;
}

const date = new Intl.DateTimeFormat(undefined, { weekday: 'short', day: 'numeric', month: 'short' });
