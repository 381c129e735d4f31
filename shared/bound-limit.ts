/**
 * `LIMIT` with a bound parameter, for statements that every message runs.
 *
 * A bare parameter is a hint to SQLite's planner, so that binding one, the same value too, has the statement compiled
 * anew at its next step; better-sqlite3 binds at each call. The seven such statements of a warm round trip took half a
 * millisecond of it. An expression is no hint, and is evaluated when the statement runs.
 * Source: measured with SQLite 3.53.2 (host) and 3.54.1 (image): 7 µs a call instead of 0.4, in a loop.
 */
export function limitTo(parameter: '?' | `@${string}`): string {
  return `LIMIT ${parameter} + 0`;
}
