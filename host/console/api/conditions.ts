/** Conditional updates: a change says which revision it is based on, and a stale one is refused. */
import type { Context } from 'hono';
import { notFound, Problem } from './problem.ts';

/** The revision that the caller saw. Throws Problem 428 without If-Match, 400 when it is not a revision. */
export function readIfMatch(c: Context): number {
  const revision = readIfMatchIfAny(c);
  if (revision === null) {
    throw new Problem(428, 'revision_required', 'A change must say which revision it is based on.', {
      expected: 'the header If-Match with the resource’s ETag',
      next: 'GET the resource, then send its ETag back as If-Match',
    });
  }
  return revision;
}

/** Null: the caller saw none, and means whatever is there. Throws Problem 400 when it is not a revision. */
export function readIfMatchIfAny(c: Context): number | null {
  const header = c.req.header('if-match');
  if (header === undefined) return null;
  const match = /^"(\d{1,15})"$/.exec(header.trim());
  if (match === null) {
    throw new Problem(400, 'bad_revision', 'If-Match is not a revision.', {
      expected: 'one ETag, quoted: "<revision>"',
    });
  }
  return Number(match[1]);
}

/** Why a conditional change found no row: it is gone (404), or was changed meanwhile (412). */
export function refuseChange(what: string, current: { revision: number } | null): Problem {
  if (current === null) return notFound(what);
  return new Problem(412, 'stale', `The ${what} was changed meanwhile: its revision is ${current.revision} now.`, {
    next: 'look at it as it is now, and repeat the change if it still makes sense',
    revision: current.revision,
  });
}

export function setEtag(c: Context, resource: { revision: number }): void {
  c.header('ETag', `"${resource.revision}"`);
}
