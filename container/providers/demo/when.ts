/** Reads times the way people write them: `in 5 min`, `at 17:30`, `tomorrow at 9`. Pure, in the process's time zone. */

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const UNIT = 'seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d|weeks?|w';
const AMOUNT = `(?:\\d{1,6}|an?|one|two|three|half an)`;
const DURATION = new RegExp(`^in\\s+(${AMOUNT})\\s*(${UNIT})\\b(?:\\s*(?:and\\s+)?(\\d{1,6})\\s*(${UNIT})\\b)?`, 'i');
const CLOCK = /^(?:(today|tomorrow)\b\s*)?(?:at\s+)(\d{1,2})(?:[:.h](\d{2}))?\s*(am|pm)?\b|^(tomorrow)\b/i;

const WORDS: Readonly<Record<string, number>> = { a: 1, an: 1, one: 1, two: 2, three: 3, 'half an': 0.5 };

export interface When {
  /** Epoch ms. */
  dueMs: number;
  /** What is left of the text without the time. */
  rest: string;
}

/**
 * Finds a time at the start or at the end of `text`. A clock time that is past means tomorrow; one
 * that a change to summer time skips means the same moment after the change. Null when there is none.
 */
export function parseWhen(text: string, now: number): When | null {
  const start = readAt(text, now);
  if (start && start.length < text.length) return { dueMs: start.dueMs, rest: text.slice(start.length).trim() };
  // At the end: every "in", "at", "today", "tomorrow" is tried, the earliest that reaches the end wins.
  for (const match of text.matchAll(/\b(?:in|at|today|tomorrow)\b/gi)) {
    const tail = text.slice(match.index).replace(/[\s.!?]+$/, '');
    const found = readAt(tail, now);
    if (found && found.length === tail.length) return { dueMs: found.dueMs, rest: text.slice(0, match.index).trim() };
  }
  return start ? { dueMs: start.dueMs, rest: '' } : null;
}

function readAt(text: string, now: number): { dueMs: number; length: number } | null {
  const duration = DURATION.exec(text);
  if (duration) {
    const [whole, amount = '', unit = '', amount2, unit2] = duration;
    const ms = toMs(amount, unit) + (amount2 && unit2 ? toMs(amount2, unit2) : 0);
    return { dueMs: now + ms, length: whole.length };
  }
  const clock = CLOCK.exec(text);
  if (!clock) return null;
  const [whole, day, hourText, minuteText, half, bareTomorrow] = clock;
  const hour = toHour(hourText ?? '9', half);
  const minute = Number(minuteText ?? '0');
  if (hour === null || minute > 59) return null;
  const isTomorrow = (day ?? bareTomorrow)?.toLowerCase() === 'tomorrow';
  return { dueMs: nextClock(now, hour, minute, isTomorrow), length: whole.length };
}

function toMs(amount: string, unit: string): number {
  const count = WORDS[amount.toLowerCase()] ?? Number(amount);
  switch (unit[0]?.toLowerCase()) {
    case 's':
      return count * SECOND_MS;
    case 'm':
      return count * MINUTE_MS;
    case 'h':
      return count * HOUR_MS;
    case 'd':
      return count * DAY_MS;
    default:
      return count * 7 * DAY_MS;
  }
}

function toHour(text: string, half: string | undefined): number | null {
  const hour = Number(text);
  if (!half) return hour <= 23 ? hour : null;
  if (hour < 1 || hour > 12) return null;
  return (hour % 12) + (half.toLowerCase() === 'pm' ? 12 : 0);
}

function nextClock(now: number, hour: number, minute: number, isTomorrow: boolean): number {
  const today = new Date(now);
  const on = (days: number) =>
    new Date(today.getFullYear(), today.getMonth(), today.getDate() + days, hour, minute).getTime();
  if (isTomorrow) return on(1);
  return on(0) > now ? on(0) : on(1);
}
