/** What answers say, and how they repeat what somebody typed. Pure. */
import { showPlain } from '../questions/plan.ts';
import { MAX_ANSWER_LENGTH, MAX_QUOTED } from './limits.ts';

/**
 * Somebody's words inside the host's: one line of letters, digits and plain signs, cut, in quotation marks that
 * they cannot close. So no answer can be made to show lines, markup or links of others.
 */
export function quote(text: string): string {
  return `“${showName(text)}”`;
}

/** The same without the marks, for names that were checked when they were given. */
export function showName(text: string): string {
  // No more than this is ever looked at: the person chooses the length.
  const plain = [...showPlain(text.slice(0, MAX_QUOTED * 8))];
  return plain.length <= MAX_QUOTED ? plain.join('') : `${plain.slice(0, MAX_QUOTED - 1).join('')}…`;
}

export function cutAnswer(text: string): string {
  return text.length <= MAX_ANSWER_LENGTH ? text : `${text.slice(0, MAX_ANSWER_LENGTH - 1)}…`;
}

/** "1 message", "3 messages". */
export function count(number: number, one: string, many: string = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

/** "a", "a and b", "a, b and c". */
export function listNames(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
