/** Colours and weights, or nothing at all when the terminal wants none. */

const CODES = {
  bold: [1, 22],
  dim: [2, 22],
  italic: [3, 23],
  underline: [4, 24],
  strike: [9, 29],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  blue: [34, 39],
  magenta: [35, 39],
  cyan: [36, 39],
} as const;

type StyleName = keyof typeof CODES;
export type Paint = (text: string) => string;
export type Style = Readonly<Record<StyleName, Paint>> & { readonly isColoured: boolean };

function makePaint(name: StyleName, enabled: boolean): Paint {
  if (!enabled) return (text) => text;
  const [open, close] = CODES[name];
  return (text) => (text === '' ? '' : `\u001b[${open}m${text}\u001b[${close}m`);
}

export function createStyle(enabled: boolean): Style {
  return {
    isColoured: enabled,
    bold: makePaint('bold', enabled),
    dim: makePaint('dim', enabled),
    italic: makePaint('italic', enabled),
    underline: makePaint('underline', enabled),
    strike: makePaint('strike', enabled),
    red: makePaint('red', enabled),
    green: makePaint('green', enabled),
    yellow: makePaint('yellow', enabled),
    blue: makePaint('blue', enabled),
    magenta: makePaint('magenta', enabled),
    cyan: makePaint('cyan', enabled),
  };
}
