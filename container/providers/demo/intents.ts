/** What a message asks of the demo provider, by fixed rules. Pure. */
import { parseWhen } from './when.ts';

export type Intent =
  | { kind: 'help' | 'greet' | 'whoami' | 'destinations' | 'recall' | 'stop' | 'time' | 'thanks' | 'send-file' }
  | { kind: 'tell'; name: string; text: string }
  | { kind: 'remind'; dueMs: number; text: string }
  | { kind: 'remind-unclear' }
  | { kind: 'remember'; text: string }
  | { kind: 'forget'; what: string }
  | { kind: 'slow-task'; seconds: number }
  | { kind: 'react'; emoji: string }
  | { kind: 'unknown' };

/** Longest text that the rules look at. Higher: patterns cost more. Lower: long reminders are cut. */
const MAX_RULE_CHARS = 4_000;
/** The slow task in seconds: long enough to watch, short enough to wait for. */
const SLOW_DEFAULT_S = 10;
const SLOW_MAX_S = 600;

/** In order: the first rule that matches decides. Each takes the trimmed text without the greeting by name. */
const RULES: readonly [RegExp, (match: RegExpExecArray, now: number) => Intent][] = [
  [/^(?:\/?help|\/start|\?|commands|what can you do)$/i, () => ({ kind: 'help' })],
  [/^(?:hi|hello|hey|hallo|good (?:morning|afternoon|evening)|moin)(?: there)?$/i, () => ({ kind: 'greet' })],
  [/^(?:thanks|thank you|thx|cheers)(?: a lot| very much)?$/i, () => ({ kind: 'thanks' })],
  [/^(?:who am i|whoami|who are you|what are you)$/i, () => ({ kind: 'whoami' })],
  [/^(?:list |show |what are (?:the |my |your )?)?destinations$/i, () => ({ kind: 'destinations' })],
  [/^(?:where|who|whom) can you (?:send|reach|write)(?: to)?$/i, () => ({ kind: 'destinations' })],
  [/^(?:what(?:'s| is) the time|what time is it|time|date|what day is it)(?: now)?$/i, () => ({ kind: 'time' })],
  [/^remind me\b\s*([\s\S]*)$/i, (match, now) => parseReminder(match[1] ?? '', now)],
  [/^(?:remember|note)\b:?\s+(?:that\s+)?([\s\S]+)$/i, (match) => ({ kind: 'remember', text: match[1] ?? '' })],
  [/^(?:recall|notes|what do you (?:remember|know)|what did i tell you)(?: about me)?$/i, () => ({ kind: 'recall' })],
  [/^forget\s+([\s\S]+)$/i, (match) => ({ kind: 'forget', what: match[1] ?? '' })],
  [/^(?:send|show|give)(?: me)? (?:a |the )?(?:test )?file$/i, () => ({ kind: 'send-file' })],
  [/^(?:stop|cancel|abort)(?: it| that| the task)?$/i, () => ({ kind: 'stop' })],
  [
    /^(?:run |start |do )?(?:a )?slow task(?:\s+(?:for |of |with )?(\d{1,5})\s*(?:s|secs?|seconds?)?)?$/i,
    (match) => ({ kind: 'slow-task', seconds: clampSeconds(match[1]) }),
  ],
  [/^react(?: with)?\s+(\S{1,16})$/i, (match) => ({ kind: 'react', emoji: match[1] ?? '' })],
  [
    /^(?:tell|ask|message|write to)\s+["'`@]?([a-z0-9][a-z0-9-]*)["'`]?[,:]?\s+(?:that\s+)?([\s\S]+)$/i,
    (match) => parseTell(match[1] ?? '', match[2] ?? ''),
  ],
];

export function parseIntent(text: string, agentName: string, now: number): Intent {
  const plain = stripAddress(text.slice(0, MAX_RULE_CHARS), agentName);
  const command = plain.replace(/[\s.!?]+$/, '') || plain;
  for (const [pattern, make] of RULES) {
    // Free text keeps its full stop; `help!` is still `help`.
    const match = pattern.exec(plain) ?? pattern.exec(command);
    if (match) return make(match, now);
  }
  return { kind: 'unknown' };
}

/** `@main help` and `Main, help` mean `help`. */
function stripAddress(text: string, agentName: string): string {
  const trimmed = text.trim();
  const lower = trimmed.toLowerCase();
  for (const prefix of [`@${agentName.toLowerCase()}`, agentName.toLowerCase()]) {
    if (!lower.startsWith(prefix)) continue;
    const rest = trimmed.slice(prefix.length);
    if (/^[\s,:]+\S/.test(rest) && (prefix.startsWith('@') || /^[,:]/.test(rest))) return rest.replace(/^[\s,:]+/, '');
  }
  return trimmed;
}

function parseTell(name: string, text: string): Intent {
  // "tell me a joke" is no errand.
  if (name.toLowerCase() === 'me') return { kind: 'unknown' };
  return { kind: 'tell', name: name.toLowerCase(), text: text.trim() };
}

function parseReminder(text: string, now: number): Intent {
  const when = parseWhen(text.trim(), now);
  if (!when) return { kind: 'remind-unclear' };
  const what = when.rest.replace(/^(?:to|that|about|of)\s+/i, '').trim();
  return what === '' ? { kind: 'remind-unclear' } : { kind: 'remind', dueMs: when.dueMs, text: what };
}

function clampSeconds(text: string | undefined): number {
  const seconds = text === undefined ? SLOW_DEFAULT_S : Number(text);
  return Math.min(Math.max(seconds, 1), SLOW_MAX_S);
}
