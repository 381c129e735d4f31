/** What answers say, and how they repeat what somebody typed. Pure. */
import { showSafely } from '../approvals/show.ts';
import { MAX_ANSWER_LENGTH } from './limits.ts';

/** Somebody's words inside the host's, in quotation marks that they cannot close. */
export function quote(text: string): string {
  return `“${showSafely(text)}”`;
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
