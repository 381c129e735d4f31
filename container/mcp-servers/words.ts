/** A server's own words, where they explain something: one line, bounded, without control characters. Pure. */
import { MAX_WORDS_CHARS } from './limits.ts';

/** The end of a longer text: that is where programs say what went wrong. */
export function lastWords(text: string, maxChars = MAX_WORDS_CHARS): string {
  const line = oneLine(text);
  return line.length <= maxChars ? line : `…${line.slice(-maxChars).replace(/^\p{Surrogate}/u, '')}`;
}

export function firstWords(text: string, maxChars = MAX_WORDS_CHARS): string {
  const line = oneLine(text);
  return line.length <= maxChars ? line : `${line.slice(0, maxChars).replace(/\p{Surrogate}$/u, '')}…`;
}

function oneLine(text: string): string {
  return text.replace(/[\s\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ').trim();
}
