/**
 * Text that others wrote, made safe and measurable for a terminal.
 *
 * I1. Nothing from a message, a name or a log reaches the terminal with control characters: an
 *     escape sequence could rewrite the screen, set the title or paste a command; a bidirectional
 *     override could show one thing and mean another.
 */

/** Written as text, because what they match must not stand in this file. */
const REORDERING = '\\u202a-\\u202e\\u2066-\\u2069\\u200e\\u200f\\u061c\\ufeff';
const C1_CONTROLS = '\\u007f-\\u009f';
/** C0 and C1 controls except tab and newline, and the invisible characters that reorder text. */
const UNSAFE = new RegExp(`[\\u0000-\\u0008\\u000b-\\u001f${C1_CONTROLS}${REORDERING}]`, 'g');
/** Of these, what JSON leaves as it is. */
const UNSAFE_IN_JSON = new RegExp(`[${C1_CONTROLS}${REORDERING}]`, 'g');

/** Removes what could steer the terminal (I1); keeps newlines and tabs. */
export function plainText(text: string): string {
  return text.replace(/\r\n?/g, '\n').replace(UNSAFE, '').replace(/\t/g, '    ');
}

/** Like `plainText`, on one line: runs of white space become one space. */
export function oneLine(text: string): string {
  return plainText(text).replace(/\s+/g, ' ').trim();
}

/** JSON whose text is also safe to show: what JSON leaves raw is escaped (I1). Two spaces of indent. */
export function safeJson(value: unknown, indent = 2): string {
  return (JSON.stringify(value, null, indent) ?? 'null').replace(
    UNSAFE_IN_JSON,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

const ANSI_STYLE = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');
const ZERO_WIDTH = /^[\p{Mark}\p{Format}\p{Control}]+$/u;
const WIDE =
  /\p{Emoji_Presentation}|\ufe0f|[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]/u;
const ASCII = /^[\x20-\x7e]*$/;

let segmenter: Intl.Segmenter | undefined;

function graphemes(text: string): string[] {
  segmenter ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' });
  return [...segmenter.segment(text)].map((part) => part.segment);
}

function graphemeWidth(grapheme: string): number {
  if (ZERO_WIDTH.test(grapheme)) return 0;
  return WIDE.test(grapheme) ? 2 : 1;
}

/** Columns that a line takes; our own style sequences take none. */
export function displayWidth(text: string): number {
  const bare = text.replace(ANSI_STYLE, '');
  if (ASCII.test(bare)) return bare.length;
  return graphemes(bare).reduce((width, grapheme) => width + graphemeWidth(grapheme), 0);
}

/** Cuts unstyled text to `columns`, ending in "…" when something is missing. */
export function truncate(text: string, columns: number): string {
  if (displayWidth(text) <= columns) return text;
  if (columns <= 0) return '';
  let kept = '';
  let width = 0;
  for (const grapheme of graphemes(text)) {
    width += graphemeWidth(grapheme);
    if (width > columns - 1) break;
    kept += grapheme;
  }
  return `${kept}…`;
}

/** Pads styled or unstyled text with spaces to `columns`. */
export function pad(text: string, columns: number, align: 'left' | 'right' = 'left'): string {
  const space = ' '.repeat(Math.max(0, columns - displayWidth(text)));
  return align === 'left' ? text + space : space + text;
}
