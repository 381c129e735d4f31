/** Reads rules of repetition the way people write them: `every day at 9`, `every monday at 17:30`, `every 10 minutes`. Pure. */

const DAYS: Readonly<Record<string, string>> = {
  day: '*',
  morning: '*',
  weekday: '1-5',
  weekend: '0,6',
  sunday: '0',
  monday: '1',
  tuesday: '2',
  wednesday: '3',
  thursday: '4',
  friday: '5',
  saturday: '6',
};
const CLOCK = `at\\s+(\\d{1,2})(?:[:.h](\\d{2}))?\\s*(am|pm)?\\b`;
const BY_DAY = new RegExp(`^every\\s+(${Object.keys(DAYS).join('|')})s?\\b(?:\\s+${CLOCK})?\\s*([\\s\\S]*)$`, 'i');
const BY_STEP = /^every\s+(?:(\d{1,3})\s*)?(minute|min|hour)s?\b\s*([\s\S]*)$/i;
/** When no time is given. */
const MORNING_HOUR = 9;

export interface Every {
  /** Minute hour day month weekday. */
  cron: string;
  /** What is left of the text. */
  rest: string;
}

/** Null when there is no such rule at the start of the text. Steps must divide the hour or the day evenly. */
export function parseEvery(text: string): Every | null {
  const step = BY_STEP.exec(text);
  if (step) return readStep(Number(step[1] ?? 1), step[2] ?? '', step[3] ?? '');
  const match = BY_DAY.exec(text);
  if (!match) return null;
  const [, day = '', hourText, minuteText, half, rest = ''] = match;
  const hour = hourText === undefined ? MORNING_HOUR : toHour(Number(hourText), half);
  const minute = Number(minuteText ?? 0);
  if (hour === null || minute > 59) return null;
  return { cron: `${minute} ${hour} * * ${DAYS[day.toLowerCase()] ?? '*'}`, rest: rest.trim() };
}

function readStep(count: number, unit: string, rest: string): Every | null {
  const isHours = unit.toLowerCase() === 'hour';
  const whole = isHours ? 24 : 60;
  if (count < 1 || count >= whole || whole % count !== 0) return null;
  const field = count === 1 ? '*' : `*/${count}`;
  return { cron: isHours ? `0 ${field} * * *` : `${field} * * * *`, rest: rest.trim() };
}

function toHour(hour: number, half: string | undefined): number | null {
  if (!half) return hour <= 23 ? hour : null;
  if (hour < 1 || hour > 12) return null;
  return (hour % 12) + (half.toLowerCase() === 'pm' ? 12 : 0);
}
