/** Which thing a person means by a name, an id or a part of an id. Pure. */

export interface Named {
  id: string;
  name: string | null;
}

export type Match<T> = { kind: 'found'; item: T } | { kind: 'none' } | { kind: 'ambiguous'; items: T[] };

/** Shorter parts of an id match too much to be meant. */
export const MIN_ID_PART = 3;

/**
 * The exact id wins, then the exact name, then the name without regard to case, then a unique beginning or end
 * of an id (with or without its `ses_`). Never guesses: two that fit are `ambiguous`.
 */
export function matchNamed<T extends Named>(items: readonly T[], text: string): Match<T> {
  const rules: ((item: T) => boolean)[] = [
    (item) => item.id === text,
    (item) => item.name === text,
    (item) => item.name?.toLowerCase() === text.toLowerCase(),
    (item) => isIdPart(item.id, text),
  ];
  for (const rule of rules) {
    const matches = items.filter(rule);
    const [first] = matches;
    if (first !== undefined)
      return matches.length === 1 ? { kind: 'found', item: first } : { kind: 'ambiguous', items: matches };
  }
  return { kind: 'none' };
}

/** Whether `part` is a beginning or an end of the id, long enough to be meant. */
export function isIdPart(id: string, part: string): boolean {
  if (part.length < MIN_ID_PART) return false;
  const bare = id.slice(id.indexOf('_') + 1);
  return id.startsWith(part) || bare.startsWith(part) || id.endsWith(part);
}

const SHORT_ID_LENGTH = 6;

/** The end of each id, long enough to tell the ids of this list apart. */
export function shortenIds(ids: readonly string[]): Map<string, string> {
  let length = SHORT_ID_LENGTH;
  const isUnique = (): boolean => new Set(ids.map((id) => id.slice(-length))).size === new Set(ids).size;
  while (length < 32 && !isUnique()) length++;
  return new Map(ids.map((id) => [id, id.slice(-length)]));
}
