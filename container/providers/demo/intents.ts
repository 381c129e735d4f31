/** What a message asks of the demo provider, by fixed rules. Pure. */
import { parseEvery } from './every.ts';
import { REACH_RULES, type ReachIntent } from './reach-intents.ts';
import { SELF_RULES, type SelfIntent } from './self-intents.ts';
import { parseWhen } from './when.ts';

export type Intent =
  | { kind: 'help' | 'greet' | 'whoami' | 'destinations' | 'recall' | 'stop' | 'time' | 'thanks' | 'send-file' }
  | { kind: 'tasks' | 'repeat-unclear' | 'ask-me-unclear' }
  /** `isQuestion`: another agent may ask for it too, of agents. */
  | { kind: 'tell'; name: string; text: string; isQuestion: boolean }
  | { kind: 'forward'; name: string }
  | { kind: 'ask-me'; question: string; options: string[] }
  | { kind: 'repeat'; cron: string; text: string }
  | { kind: 'switch-task'; action: 'pause' | 'resume' | 'cancel'; number: number }
  | { kind: 'make-agent'; name: string; instructions: string }
  | { kind: 'remind'; dueMs: number; text: string }
  | { kind: 'remind-unclear' }
  | { kind: 'remember'; text: string }
  | { kind: 'forget'; what: string }
  | { kind: 'slow-task'; seconds: number }
  | { kind: 'react'; emoji: string }
  | { kind: 'self'; intent: SelfIntent }
  | { kind: 'reach'; intent: ReachIntent }
  | { kind: 'unknown' };

/** Longest text that the rules look at. Higher: patterns cost more. Lower: long reminders are cut. */
const MAX_RULE_CHARS = 4_000;
/** Of a question's answers, as the tool has them. */
const MAX_OPTIONS = 10;
const MAX_OPTION_CHARS = 100;
/** The slow task in seconds: long enough to watch, short enough to wait for. */
const SLOW_DEFAULT_S = 10;
const SLOW_MAX_S = 600;

type Rule = readonly [RegExp, (match: RegExpExecArray, now: number) => Intent];

/** In order: the first rule that matches decides. Each takes the trimmed text without the greeting by name. */
const RULES: readonly Rule[] = [
  [/^(?:\/?help|\/start|\?|commands|what can you do)$/i, () => ({ kind: 'help' })],
  [/^(?:hi|hello|hey|hallo|good (?:morning|afternoon|evening)|moin)(?: there)?$/i, () => ({ kind: 'greet' })],
  [/^(?:thanks|thank you|thx|cheers)(?: a lot| very much)?$/i, () => ({ kind: 'thanks' })],
  [/^(?:who am i|whoami|who are you|what are you)$/i, () => ({ kind: 'whoami' })],
  [/^(?:list |show |what are (?:the |my |your )?)?destinations$/i, () => ({ kind: 'destinations' })],
  [/^(?:where|who|whom) can you (?:send|reach|write)(?: to)?$/i, () => ({ kind: 'destinations' })],
  [/^(?:what(?:'s| is) the time|what time is it|time|date|what day is it)(?: now)?$/i, () => ({ kind: 'time' })],
  [/^tasks$|^(?:list |show |what are )(?:the |my |your )?(?:tasks|reminders)$/i, () => ({ kind: 'tasks' })],
  [
    /^(pause|resume|cancel)\s+(?:the\s+)?(?:task|reminder)\s+#?(\d{1,4})$/i,
    (match) => ({ kind: 'switch-task', action: toAction(match[1]), number: Number(match[2]) }),
  ],
  [/^(?:remind me\s+)?(every\s+[\s\S]+)$/i, (match) => parseRepeat(match[1] ?? '')],
  [/^remind me\b\s*([\s\S]*)$/i, (match, now) => parseReminder(match[1] ?? '', now)],
  [/^(?:remember|note)\b:?\s+(?:that\s+)?([\s\S]+)$/i, (match) => ({ kind: 'remember', text: match[1] ?? '' })],
  [
    /^(?:in\s+(?:\d|an?\b|one\b|two\b|three\b|half\b)|at\s+\d|tomorrow\b)[\s\S]+$/i,
    (match, now) => parsePlainTime(match[0], now),
  ],
  [/^(?:recall|notes|what do you (?:remember|know)|what did i tell you)(?: about me)?$/i, () => ({ kind: 'recall' })],
  [/^forget\s+([\s\S]+)$/i, (match) => ({ kind: 'forget', what: match[1] ?? '' })],
  [/^(?:send|show|give)(?: me)? (?:a |the )?(?:test )?file$/i, () => ({ kind: 'send-file' })],
  [/^(?:stop|cancel|abort)(?: it| that| the task)?$/i, () => ({ kind: 'stop' })],
  [
    /^(?:run |start |do )?(?:a )?slow task(?:\s+(?:for |of |with )?(\d{1,5})\s*(?:s|secs?|seconds?)?)?$/i,
    (match) => ({ kind: 'slow-task', seconds: clampSeconds(match[1]) }),
  ],
  [/^ask me\b:?\s*([\s\S]*)$/i, (match) => parseQuestion(match[1] ?? '')],
  [
    /^(?:make|create)\s+(?:me\s+)?(?:an?\s+)?(?:new\s+)?agent\s+(?:called|named)\s+["'`]?([\p{L}\p{N}][\p{L}\p{N} _-]{0,62}?)["'`]?\s*,?\s+(?:that|which|who|to)\s+([\s\S]+)$/iu,
    (match) => ({ kind: 'make-agent', name: match[1] ?? '', instructions: (match[2] ?? '').trim() }),
  ],
  [
    /^forward\s+(?:it|the files?|that file|this|this file|these)\s+to\s+["'`@]?([a-z0-9][a-z0-9-]*)["'`]?$/i,
    (match) => ({ kind: 'forward', name: (match[1] ?? '').toLowerCase() }),
  ],
  [/^react(?: with)?\s+(\S{1,16})$/i, (match) => ({ kind: 'react', emoji: match[1] ?? '' })],
  ...REACH_RULES.map(([pattern, make]): Rule => [pattern, (match) => ({ kind: 'reach', intent: make(match) })]),
  [
    /^(tell|ask|message|write to)\s+["'`@]?([a-z0-9][a-z0-9-]*)["'`]?[,:]?\s+(?:that\s+)?([\s\S]+)$/i,
    (match) => parseTell(match[1] ?? '', match[2] ?? '', match[3] ?? ''),
  ],
  ...SELF_RULES.map(([pattern, make]): Rule => [pattern, (match) => ({ kind: 'self', intent: make(match) })]),
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

function parseTell(verb: string, name: string, text: string): Intent {
  // "tell me a joke" is no errand.
  if (name.toLowerCase() === 'me') return { kind: 'unknown' };
  return { kind: 'tell', name: name.toLowerCase(), text: text.trim(), isQuestion: verb.toLowerCase() === 'ask' };
}

function toAction(word: string | undefined): 'pause' | 'resume' | 'cancel' {
  const lower = word?.toLowerCase();
  return lower === 'pause' || lower === 'resume' ? lower : 'cancel';
}

function parseRepeat(text: string): Intent {
  const every = parseEvery(text);
  const what = cleanTask(every?.rest ?? '');
  return every && what !== '' ? { kind: 'repeat', cron: every.cron, text: what } : { kind: 'repeat-unclear' };
}

/** `in 2 minutes say hello`: a reminder without the word. What is no time is no reminder. */
function parsePlainTime(text: string, now: number): Intent {
  const reminder = parseReminder(text, now);
  return reminder.kind === 'remind' ? reminder : { kind: 'unknown' };
}

/** `tea or coffee? tea, coffee`: the question ends with its mark, the answers are divided by commas. */
function parseQuestion(text: string): Intent {
  const mark = text.lastIndexOf('?');
  const question = text.slice(0, mark + 1).trim();
  const listed = text.slice(mark + 1).split(/,|\bor\b/i);
  const options = [
    ...new Set(
      listed.map((option) =>
        option
          .trim()
          .replace(/[.!]+$/, '')
          .slice(0, MAX_OPTION_CHARS),
      ),
    ),
  ];
  const given = options.filter((option) => option !== '').slice(0, MAX_OPTIONS);
  return mark > 0 && given.length > 0 ? { kind: 'ask-me', question, options: given } : { kind: 'ask-me-unclear' };
}

function cleanTask(text: string): string {
  return text.replace(/^(?:to|that|about|of)\s+/i, '').trim();
}

function parseReminder(text: string, now: number): Intent {
  const when = parseWhen(text.trim(), now);
  if (!when) return { kind: 'remind-unclear' };
  const what = cleanTask(when.rest);
  return what === '' ? { kind: 'remind-unclear' } : { kind: 'remind', dueMs: when.dueMs, text: what };
}

function clampSeconds(text: string | undefined): number {
  const seconds = text === undefined ? SLOW_DEFAULT_S : Number(text);
  return Math.min(Math.max(seconds, 1), SLOW_MAX_S);
}
