/**
 * What somebody types after `/grant` and `/revoke`: `<person> owner`, `<person> admin <agent>|all`,
 * `<person> member [<agent>]`. Names of people and agents have spaces and may hold the words of roles: every way
 * to read it is a reading, and the caller takes the one that makes sense. Pure.
 */

export interface GrantReading {
  who: string;
  role: 'owner' | 'admin' | 'member';
  /** What follows the role; '' for nothing. */
  of: string;
}

/** Longer is no name. */
const MAX_TYPED = 500;

/** The last role word first. Empty: there is no role word, or nobody before it. */
export function readGrant(typed: string): GrantReading[] {
  if (typed.length > MAX_TYPED) return [];
  const words = typed.trim().split(/\s+/);
  return words
    .flatMap((word, at): GrantReading[] => {
      const role = ROLES[word.toLowerCase()];
      if (role === undefined || at === 0) return [];
      const who = words.slice(0, at).filter((one, index) => !(index === at - 1 && /^(as|an?|the)$/i.test(one)));
      const of = words.slice(at + 1).join(' ');
      return who.length === 0 ? [] : [{ who: who.join(' '), role, of: of.replace(/^(of|for) /i, '') }];
    })
    .reverse();
}

const ROLES: Readonly<Record<string, GrantReading['role'] | undefined>> = Object.assign(Object.create(null), {
  owner: 'owner',
  admin: 'admin',
  member: 'member',
});
