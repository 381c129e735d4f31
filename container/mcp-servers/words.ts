/** A server's own words, where they explain something: one line, bounded, without control characters. Pure. */
import { MAX_WORDS_CHARS } from './limits.ts';

/** Both ends of a longer text: Node says what went wrong before its stack, Python after it. */
export function outerWords(text: string, maxChars = MAX_WORDS_CHARS): string {
  const line = oneLine(text);
  if (line.length <= maxChars) return line;
  const half = Math.floor(maxChars / 2);
  const [first, last] = [line.slice(0, half), line.slice(-half)];
  return `${first.replace(/\p{Surrogate}$/u, '')} … ${last.replace(/^\p{Surrogate}/u, '')}`;
}

export function firstWords(text: string, maxChars = MAX_WORDS_CHARS): string {
  const line = oneLine(text);
  return line.length <= maxChars ? line : `${line.slice(0, maxChars).replace(/\p{Surrogate}$/u, '')}…`;
}

function oneLine(text: string): string {
  return text.replace(/[\s\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ').trim();
}
