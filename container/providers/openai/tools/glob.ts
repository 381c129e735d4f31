/** Patterns of names: `*`, `?`, `**`, `{a,b}`, `[a-z]`. Pure; matching takes linear time but for many stars. */

export type Glob = { kind: 'glob'; matches(path: string): boolean } | { kind: 'bad'; why: string };

/** Each star may double the work of a match that fails. */
const MAX_STARS = 12;

/** A pattern without a slash matches names at any depth. */
export function compileGlob(pattern: string): Glob {
  if ((pattern.match(/\*+/g) ?? []).length > MAX_STARS) return { kind: 'bad', why: `at most ${MAX_STARS} stars.` };
  const whole = pattern.includes('/') ? pattern.replace(/^\.?\//, '') : `**/${pattern}`;
  const source = translate(whole);
  if (source === null) return { kind: 'bad', why: 'a brace or bracket is not closed.' };
  try {
    const expression = new RegExp(`^${source}$`, 'su');
    return { kind: 'glob', matches: (path) => expression.test(path) };
  } catch (error) {
    if (error instanceof SyntaxError) return { kind: 'bad', why: 'a range in brackets cannot be read.' };
    throw error;
  }
}

/** Null: something is not closed. */
function translate(pattern: string): string | null {
  let source = '';
  let depth = 0;
  for (let at = 0; at < pattern.length; at++) {
    const sign = pattern[at] ?? '';
    if (pattern.startsWith('**/', at)) {
      source += '(?:[^/]+/)*';
      at += 2;
    } else if (pattern.startsWith('**', at)) {
      source += '.*';
      at += 1;
    } else if (sign === '*') source += '[^/]*';
    else if (sign === '?') source += '[^/]';
    else if (sign === '{') {
      source += '(?:';
      depth++;
    } else if (sign === '}' && depth > 0) {
      source += ')';
      depth--;
    } else if (sign === ',' && depth > 0) source += '|';
    else if (sign === '[') {
      const end = pattern.indexOf(']', at + 2);
      if (end === -1) return null;
      source += bracket(pattern.slice(at + 1, end));
      at = end;
    } else source += sign.replace(/[\\^$.|+()[\]{}/]/, '\\$&');
  }
  return depth === 0 ? source : null;
}

function bracket(inside: string): string {
  const isNot = /^[!^]/.test(inside);
  const signs = (isNot ? inside.slice(1) : inside).replace(/[\\[\]|()/^$.+*?{}]/g, '\\$&');
  return `[${isNot ? '^' : ''}${signs}]`;
}
