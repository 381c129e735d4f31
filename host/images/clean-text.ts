/**
 * Lines of a build's output, made safe to show. What packages print is hostile text.
 *
 * I1. Nothing that steers a terminal passes: no escape sequence, no control character, nothing that reorders text.
 * I2. What is held of an unfinished line is bounded.
 */
import { MAX_LINE_CHARS } from './limits.ts';

/** Written as text, because what they match must not stand in this file. */
const ESCAPE = '\\u001b';
/** CSI (colours, cursor), OSC (titles, links) up to its end, and the two-character ones. Each part is bounded. */
const SEQUENCES = new RegExp(
  `${ESCAPE}\\[[0-?]{0,64}[ -/]{0,8}[@-~]|${ESCAPE}\\][^\\u0007\\u001b]{0,2048}(?:\\u0007|${ESCAPE}\\\\)|${ESCAPE}[ -/]{0,4}[0-~]`,
  'g',
);
const UNSAFE = /[\p{Cc}\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c\ufeff\u2028\u2029]/gu;

/** One line without its end; of a line that was written over (progress bars), what was seen last. */
export function cleanLine(line: string): string {
  const shown = line.replace(SEQUENCES, '').replace(/\r+$/, '');
  return shown
    .slice(shown.lastIndexOf('\r') + 1)
    .replace(/\t/g, '    ')
    .replace(UNSAFE, '')
    .trimEnd();
}

/** Cuts a stream of text into clean lines. */
export class LineCutter {
  #rest = '';

  /** The lines that this text ends; a line that grows too long is broken (I2). */
  push(text: string): string[] {
    const parts = (this.#rest + text).split('\n');
    this.#rest = parts.pop() ?? '';
    const lines = parts.flatMap(breakLine);
    while (this.#rest.length > MAX_LINE_CHARS) {
      lines.push(cleanLine(this.#rest.slice(0, MAX_LINE_CHARS)));
      this.#rest = this.#rest.slice(MAX_LINE_CHARS);
    }
    return lines;
  }

  /** What has no end, as the last line. */
  end(): string[] {
    const line = cleanLine(this.#rest);
    this.#rest = '';
    return line === '' ? [] : [line];
  }
}

function breakLine(line: string): string[] {
  if (line.length <= MAX_LINE_CHARS) return [cleanLine(line)];
  const pieces: string[] = [];
  for (let at = 0; at < line.length; at += MAX_LINE_CHARS) pieces.push(cleanLine(line.slice(at, at + MAX_LINE_CHARS)));
  return pieces;
}
