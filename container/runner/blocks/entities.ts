/** The character references of the block syntax: the five of XML and the numeric ones. */

const NAMED: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };
const REFERENCE = /&(?:#x([0-9a-f]{1,6})|#([0-9]{1,7})|(lt|gt|amp|quot|apos));/gi;

/** Unknown and impossible references stay as they are: `&nbsp;` is text. */
export function decodeEntities(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(REFERENCE, (whole, hex?: string, decimal?: string, name?: string) => {
    if (name !== undefined) return NAMED[name.toLowerCase()] ?? whole;
    const code = hex !== undefined ? Number.parseInt(hex, 16) : Number.parseInt(decimal ?? '', 10);
    const isCharacter = code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
    return isCharacter ? String.fromCodePoint(code) : whole;
  });
}

/** For an attribute value in double quotes, on one line. */
export function encodeAttribute(text: string): string {
  return text.replace(/[&<>"\n\r\t]/g, encodeCharacter);
}

/** For text between tags, outside code. */
export function encodeText(text: string): string {
  return text.replace(/[&<>]/g, encodeCharacter);
}

export function encodeCharacter(char: string): string {
  switch (char) {
    case '&':
      return '&amp;';
    case '<':
      return '&lt;';
    case '>':
      return '&gt;';
    case '"':
      return '&quot;';
    default:
      return `&#${char.codePointAt(0)};`;
  }
}
