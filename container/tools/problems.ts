/** What is wrong with a tool's input, for whoever called it: where, what stood there, what was expected. Pure. */
import type { z } from 'zod';

/** Mistakes named at once. Higher: long answers. Lower: a call is corrected in several tries. */
const MAX_PROBLEMS = 3;
/** Of the value that is wrong. */
const MAX_VALUE_CHARS = 60;

export function describeProblems(error: z.ZodError, raw: unknown): string {
  return error.issues
    .slice(0, MAX_PROBLEMS)
    .map((issue) => describeProblem(issue, raw))
    .join('; ');
}

function describeProblem(issue: z.core.$ZodIssue, raw: unknown): string {
  const place = issue.path.join('.') || 'input';
  // What breaks a pattern is named, with the pattern: among twenty names it is not found otherwise.
  if (issue.code === 'invalid_format') return `${place} ${quote(valueAt(raw, issue.path))}: ${expected(issue)}`;
  if (issue.code === 'invalid_key') {
    const [inner] = issue.issues;
    return `${place}: ${inner === undefined ? issue.message : expected(inner)}`;
  }
  return `${place}: ${issue.message}`;
}

function expected(issue: z.core.$ZodIssue): string {
  if (issue.code !== 'invalid_format' || issue.pattern === undefined) return issue.message;
  return `${issue.message} (pattern ${issue.pattern})`;
}

function valueAt(raw: unknown, path: readonly PropertyKey[]): unknown {
  let value = raw;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Reflect.get(value, key);
  }
  return value;
}

function quote(value: unknown): string {
  const text = String(value);
  return JSON.stringify(text.length > MAX_VALUE_CHARS ? `${text.slice(0, MAX_VALUE_CHARS)}…` : text);
}
