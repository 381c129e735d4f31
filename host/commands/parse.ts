/** What of a text is a command. Pure, and the only reading there is. */

export interface Typed {
  /** As the table spells it: small letters. */
  name: string;
  /** What follows, without blanks around it. */
  rest: string;
}

/**
 * Blank [mention] `/name`[`@bot`] [blank rest]. Blanks are those of ASCII alone: an invisible sign before the slash
 * or inside the name makes another text, as does a slash or a letter that merely looks like one.
 */
const SHAPE =
  /^[ \t\r\n]*((?:@[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}|<@!?[A-Za-z0-9]{1,32}>)[:,]?[ \t\r\n]+)?\/([A-Za-z]{1,32})(@[A-Za-z0-9_]{1,64})?(?:[ \t\r\n]+([\s\S]*))?$/;

/**
 * The command that a text is; null: it is an ordinary message. `isAddressed`: the platform says that the bot is
 * meant, without which `@name` before or after the command means somebody else.
 */
export function parseCommand(text: string, isAddressed: boolean, names: ReadonlySet<string>): Typed | null {
  const match = SHAPE.exec(text);
  if (match === null) return null;
  const [, mention, word = '', bot, rest = ''] = match;
  if ((mention !== undefined || bot !== undefined) && !isAddressed) return null;
  const name = word.toLowerCase();
  return names.has(name) ? { name, rest: trimEnd(rest) } : null;
}

/** Of ASCII blanks. Not by a pattern: one that ends in "$" looks at a long run of blanks once from each of them. */
function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0 && ' \t\r\n'.includes(text.charAt(end - 1))) end--;
  return text.slice(0, end);
}

/** The first word and what follows it; both '' when there is nothing. */
export function splitFirst(text: string): { first: string; rest: string } {
  const [, first = '', rest = ''] = /^(\S*)\s*([\s\S]*)$/.exec(text.trim()) ?? [];
  return { first, rest };
}

/** A decision as it is typed: a code, perhaps an option, perhaps a reason after the word "because". */
export function parseDecision(rest: string): { code: string; option: string; because: string } {
  const { first, rest: more } = splitFirst(rest);
  const [, option = '', because = ''] = /^([\s\S]*?)(?:(?:^|\s)because(?:[\s:,]+([\s\S]*))?)?$/i.exec(more) ?? [];
  return { code: first, option: option.trim(), because: because.trim() };
}
