/**
 * Words of others on the host's cards. Cards are read as text with markup, in chats that make links of what
 * looks like one, by people who act on them: nothing that an agent or a stranger chose may look like a line, a
 * format or a word of the host.
 *
 *   showSafely    words that may lose something: names, reasons, what a stranger wrote
 *   quoteExactly  values that must lose nothing: commands, arguments, packages
 */
import type { JsonValue } from '../store/approvals.ts';

/** Characters of a name that a card shows. */
const MAX_SHOWN_NAME = 60;

/** A stranger's text in one line, without controls, markup, quotation marks and links, cut to `most` characters. */
export function showSafely(text: string, most: number = MAX_SHOWN_NAME): string {
  const plain = text
    // No more than this is ever looked at: a stranger chooses the length.
    .slice(0, most * 8)
    .normalize('NFC')
    .replace(/[\p{Cc}\p{Z}]+/gu, ' ')
    .replace(/[\p{Cf}\p{Cs}\p{Co}\p{Cn}]/gu, '')
    .replace(/[^\p{L}\p{M}\p{N}\p{Extended_Pictographic} .,!?'+-]+/gu, '·')
    // A point inside a word may be a web address.
    .replace(/\.(?=\S)/gu, '. ')
    .replace(/ {2,}/g, ' ')
    .trim();
  const characters = [...plain];
  return characters.length <= most ? plain : `${characters.slice(0, most - 1).join('')}…`;
}

/**
 * A value whole and in one reading: as JSON of visible ASCII between backquotes, everything else as `\uXXXX`. What
 * looks like another letter, ends the quotation, breaks the line or turns the direction is seen as what it is.
 */
export function quoteExactly(value: JsonValue): string {
  const json = JSON.stringify(value).replace(
    /[^\x20-\x7e]|`/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `\`${json}\``;
}

/** A line of the host's that must stay one, whatever stands in it. */
export function toLine(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(/[\p{Cf}\p{Cs}]/gu, '')
    .trim();
}
