/**
 * Cron expressions: which are taken, and when they fire. Pure.
 *
 * Taken: five fields of crontab(5), or six with one fixed second in front; `*`, lists, ranges, steps, names of
 * months and days, `L` for the last day of a month, `FRI#2` for its second Friday, `FRIL` for its last.
 * What else a cron library may understand is refused: it makes the search for the next time slow, and its
 * meaning differs from one program to the next.
 */
import { Cron } from 'croner';
import { Fault } from '../config/errors.ts';
import { isTimezone } from '../config/timezone.ts';

interface Field {
  name: string;
  least: number;
  most: number;
  names: readonly string[];
  /** What a message says is expected. */
  expected: string;
}

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const DAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
/** Most days that each month ever has. */
const MONTH_LENGTHS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

const FORMS = 'with lists "1,15", ranges "1-5" and steps "*/10"';
const FIELDS: readonly Field[] = [
  { name: 'minute', least: 0, most: 59, names: [], expected: `0 to 59, ${FORMS}` },
  { name: 'hour', least: 0, most: 23, names: [], expected: `0 to 23, ${FORMS}` },
  { name: 'day of month', least: 1, most: 31, names: [], expected: `1 to 31 or L (the last day), ${FORMS}` },
  { name: 'month', least: 1, most: 12, names: MONTHS, expected: `1 to 12 or JAN to DEC, ${FORMS}` },
  {
    name: 'day of week',
    least: 0,
    most: 7,
    names: DAYS,
    expected: `0 to 7 (0 and 7 are Sunday) or SUN to SAT, ${FORMS}, "FRI#2" or "FRIL"`,
  },
];

/**
 * Why the expression is not taken, in words that name the field and what was expected; null when it is.
 * An expression that is taken fires again and again, at most once a minute.
 */
export function refuseCron(cron: string): string | null {
  const given = cron.trim().split(/\s+/);
  if (given.length !== 5 && given.length !== 6) {
    return `the cron expression has ${given.length} fields; expected five: minute, hour, day of month, month, day of week (or six, with a second in front)`;
  }
  const second = given.length === 6 ? given[0] : '0';
  if (second === undefined || !/^\d{1,2}$/.test(second) || Number(second) > 59) {
    return `the second field "${second}" of the cron expression must be one number, 0 to 59: a task fires at most once a minute`;
  }
  const fields = given.slice(-5);
  const sets: (ReadonlySet<number> | null)[] = [];
  for (const [at, field] of FIELDS.entries()) {
    const text = fields[at] ?? '';
    const values = expandField(text, field);
    if (values === null) {
      return `the ${field.name} field "${text}" of the cron expression is not understood; expected ${field.expected}`;
    }
    sets.push(values);
  }
  const [, , days, months] = sets;
  if (fields[4] === '*' && days != null && months != null && !daysExist(fields[2] ?? '', days, months)) {
    return `the cron expression never fires: none of its months has such a day (day of month "${fields[2]}", month "${fields[3]}")`;
  }
  return null;
}

/** The values that a field names, null when it is not understood. `L` and `#` name days that are not numbers. */
function expandField(text: string, field: Field): Set<number> | null {
  const values = new Set<number>();
  for (const item of text.split(',')) {
    if (isSpecialDay(item, field)) continue;
    const range = expandItem(item, field);
    if (range === null) return null;
    for (let value = range.from; value <= range.to; value += range.step) values.add(value);
  }
  return values;
}

function isSpecialDay(item: string, field: Field): boolean {
  if (field.name === 'day of month') return item === 'L';
  if (field.name !== 'day of week') return false;
  const match = /^(\w{1,3}?)(?:#[1-5]|L)$/.exec(item);
  return match?.[1] !== undefined && toValue(match[1], field) !== null;
}

function expandItem(item: string, field: Field): { from: number; to: number; step: number } | null {
  const match = /^(?:(\*)|(\w{1,3})(?:-(\w{1,3}))?)(?:\/(\d{1,2}))?$/.exec(item);
  if (match === null) return null;
  const [, star, first, last, stride] = match;
  const from = star === undefined ? toValue(first ?? '', field) : field.least;
  const to = star !== undefined ? field.most : last === undefined ? from : toEnd(last, field);
  const step = stride === undefined ? 1 : Number(stride);
  if (from === null || to === null || from > to || step < 1 || step > field.most) return null;
  // A step over a single value says nothing.
  if (stride !== undefined && star === undefined && last === undefined) return null;
  return { from, to, step };
}

function toValue(text: string, field: Field): number | null {
  const named = field.names.indexOf(text.toUpperCase());
  if (named >= 0) return named + field.least;
  if (!/^\d{1,2}$/.test(text)) return null;
  const value = Number(text);
  return value >= field.least && value <= field.most ? value : null;
}

/** A week may end with its Sunday: MON-SUN. */
function toEnd(text: string, field: Field): number | null {
  return text.toUpperCase() === 'SUN' && field.most === 7 ? 7 : toValue(text, field);
}

function daysExist(text: string, days: ReadonlySet<number>, months: ReadonlySet<number>): boolean {
  if (text.split(',').includes('L')) return true;
  const first = Math.min(...days);
  return [...months].some((month) => first <= (MONTH_LENGTHS[month - 1] ?? 0));
}

/** Why the time zone is not taken, null when it is. */
export function refuseTimezone(timezone: string): string | null {
  if (isTimezone(timezone)) return null;
  return `there is no time zone "${timezone}"; expected an IANA name such as Europe/Berlin or UTC`;
}

/**
 * Next run of a schedule, strictly after `after`.
 * Units: epoch ms; `timezone` is an IANA name. A fixed local time that daylight saving skips fires at the end of
 * the gap, one that comes twice fires the first time; what fires every so many minutes goes on evenly.
 * Returns null when it never fires again. Throws Fault `schedule_unusable` for an expression or a zone that this
 * program no longer understands; what `refuseCron` and `refuseTimezone` let in is not of that kind.
 * Source: crontab(5): day of month and day of week combine with OR.
 */
export function nextRun(cron: string, timezone: string, after: number): number | null {
  return parse(cron, timezone).nextRun(new Date(after))?.getTime() ?? null;
}

/** The next `count` runs, strictly after `after`. Throws as `nextRun`. */
export function listNextRuns(cron: string, timezone: string, after: number, count: number): number[] {
  return parse(cron, timezone)
    .nextRuns(count, new Date(after))
    .map((date) => date.getTime());
}

/** The last runs up to `until`, itself included, oldest first; at most `count`. Throws as `nextRun`. */
export function listLastRuns(cron: string, timezone: string, until: number, count: number): number[] {
  // Runs are at whole seconds, and the library looks strictly before.
  const before = Math.floor(until / 1_000) * 1_000 + 1_000;
  const runs = parse(cron, timezone).previousRuns(count, new Date(before));
  return runs.map((date) => date.getTime()).reverse();
}

function parse(cron: string, timezone: string): Cron {
  try {
    return new Cron(cron, { timezone, mode: '5-or-6-parts', paused: true });
  } catch (cause) {
    if (!(cause instanceof TypeError || cause instanceof RangeError)) throw cause;
    throw new Fault('schedule_unusable', `the schedule "${cron}" in ${timezone} is not understood`, { cause });
  }
}
