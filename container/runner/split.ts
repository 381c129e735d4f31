/** Cuts a text that is too long for one message where a reader would: paragraph, line, word. */

/** Pieces of at most `maxBytes` of UTF-8, none empty; whitespace at a cut is dropped. No character is split. */
export function splitText(text: string, maxBytes: number): string[] {
  const pieces: string[] = [];
  let rest = text;
  while (Buffer.byteLength(rest) > maxBytes) {
    const cut = findCut(rest, charsWithin(rest, maxBytes));
    pieces.push(rest.slice(0, cut).trimEnd());
    rest = rest.slice(cut).replace(/^\s+/, '');
  }
  if (rest !== '') pieces.push(rest);
  return pieces.filter((piece) => piece !== '');
}

/** How many characters from the start fit into `maxBytes`. */
function charsWithin(text: string, maxBytes: number): number {
  let bytes = 0;
  let at = 0;
  for (const char of text) {
    bytes += Buffer.byteLength(char);
    if (bytes > maxBytes) break;
    at += char.length;
  }
  return Math.max(at, 1);
}

/** The last paragraph end within `limit`, else line end, else blank; not before half, or pieces get tiny. */
function findCut(text: string, limit: number): number {
  for (const boundary of ['\n\n', '\n', ' ']) {
    const at = text.lastIndexOf(boundary, limit - 1);
    if (at >= limit / 2) return at;
  }
  return limit;
}
