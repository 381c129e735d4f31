/** Command lines for people who must see exactly what would run. Pure. */

/** Nothing that a shell or an eye reads as more than itself. */
const PLAIN = /^[A-Za-z0-9_./:=@%+,-]+$/;
/** Visible, and not what ends a quotation of a card. */
const ASCII = /^[\x20-\x5f\x61-\x7e]*$/;

/** One word: bare where that is unmistakable, else in quotes; what is not ASCII by its number, for signs look alike. */
export function quoteWord(word: string): string {
  if (PLAIN.test(word)) return word;
  if (ASCII.test(word)) return `'${word.replaceAll("'", "'\\''")}'`;
  const escaped = Array.from(word, (sign) => {
    if (sign === '\\' || sign === "'") return `\\${sign}`;
    if (ASCII.test(sign)) return sign;
    return `\\u{${(sign.codePointAt(0) ?? 0).toString(16)}}`;
  });
  return `$'${escaped.join('')}'`;
}

/** A program with its arguments, and the variables in front, as a shell would take them. */
export function quoteCommand(command: string, args: readonly string[], env: Readonly<Record<string, string>>): string {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${quoteWord(value)}`);
  return [...variables, ...[command, ...args].map(quoteWord)].join(' ');
}
