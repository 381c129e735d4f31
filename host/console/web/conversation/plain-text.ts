/**
 * Longer texts are shown as they are. An agent may be hostile, and Markdown can be made slow to parse.
 * Higher: one message can stop the page for longer (0.4 s at this size, measured). Lower: long reports lose their form.
 */
export const MARKDOWN_MAX_CHARS = 12_000;

/** So many marks that nest, one after the other, appear in no text that anybody means; 20,000 overflow the parser's stack. */
const NESTING_FLOOD = /(?:(?:[>*_[\]!~`+-]|\d{1,9}[.)])[ \t]{0,4}){100}/;

/** Whether a text must not be given to the Markdown parser. */
export function isPlainText(text: string): boolean {
  return text.length > MARKDOWN_MAX_CHARS || NESTING_FLOOD.test(text);
}
