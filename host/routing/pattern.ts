/**
 * Engage patterns: regular expressions that an admin wrote, run on what strangers write. A pattern may
 * backtrack for ever, so matching has a deadline; past it the answer is no.
 */
import { createContext, Script } from 'node:vm';
import { errorCode } from '../config/errors.ts';
import { routingLog } from '../observe/logger.ts';

/** Longest pattern. */
export const MAX_PATTERN_LENGTH = 500;
/** Text beyond this is not looked at. */
const MAX_MATCHED_LENGTH = 8_192;
/** Deadline of one try. Higher: a bad pattern stalls the host. Lower: honest patterns need several tries on a busy machine. */
const MATCH_TIMEOUT_MS = 20;
/** Tries of one match that get no processor time. More: a starved host stalls longer. Fewer: it lets messages pass unheard. */
const MAX_STARVED_TRIES = 5;

export type PatternCheck = { ok: true } | { ok: false; problem: string };

/** Whether a pattern may be set: it compiles and is not too long. */
export function checkPattern(pattern: string): PatternCheck {
  if (pattern === '') return { ok: false, problem: 'the pattern is empty' };
  if (pattern.length > MAX_PATTERN_LENGTH) {
    return { ok: false, problem: `the pattern is longer than ${MAX_PATTERN_LENGTH} characters` };
  }
  try {
    new RegExp(pattern, 'iu');
    return { ok: true };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { ok: false, problem: error.message };
  }
}

const sandbox = createContext(Object.create(null));
const script = new Script('new RegExp(pattern, "iu").test(text)');

/** Case-insensitive, Unicode-aware. A pattern that works past its deadline does not match. */
export function matchPattern(pattern: string, text: string): boolean {
  Object.assign(sandbox, { pattern, text: text.slice(0, MAX_MATCHED_LENGTH) });
  for (let starvedTries = 0; starvedTries < MAX_STARVED_TRIES; starvedTries++) {
    const before = process.cpuUsage();
    try {
      return script.runInContext(sandbox, { timeout: MATCH_TIMEOUT_MS }) === true;
    } catch (error) {
      if (errorCode(error) !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
      const { user, system } = process.cpuUsage(before);
      // Time also passes while others have the processor: that is no fault of the pattern.
      if (user + system > (MATCH_TIMEOUT_MS / 2) * 1_000) break;
    }
  }
  routingLog.warn({ pattern }, 'an engage pattern overran its deadline and counts as no match');
  return false;
}
