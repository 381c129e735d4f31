import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { listLastRuns, listNextRuns, nextRun, refuseCron, refuseTimezone } from '../../../host/schedule/cron.ts';

const iso = (text: string) => Date.parse(text);

/** Local wall times of the next runs, with the offset that tells two equal ones apart. */
function wall(cron: string, zone: string, after: string, count: number): string[] {
  const format = new Intl.DateTimeFormat('sv', {
    timeZone: zone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    timeZoneName: 'longOffset',
  });
  return listNextRuns(cron, zone, iso(after), count).map((at) => format.format(at).replace('GMT', ''));
}

describe('what fires when', () => {
  test.each([
    [
      'every half hour',
      '*/30 * * * *',
      'UTC',
      '2026-01-01T00:00:00Z',
      ['2026-01-01 00:30 +00:00', '2026-01-01 01:00 +00:00'],
    ],
    [
      'weekdays',
      '0 9 * * MON-FRI',
      'UTC',
      '2026-01-02T09:00:00Z',
      ['2026-01-05 09:00 +00:00', '2026-01-06 09:00 +00:00'],
    ],
    ['a leap day', '0 0 29 2 *', 'UTC', '2026-01-01T00:00:00Z', ['2028-02-29 00:00 +00:00', '2032-02-29 00:00 +00:00']],
    [
      'the last day',
      '0 0 L * *',
      'UTC',
      '2026-01-31T00:00:00Z',
      ['2026-02-28 00:00 +00:00', '2026-03-31 00:00 +00:00'],
    ],
    [
      'a second Friday',
      '0 0 * * FRI#2',
      'UTC',
      '2026-01-01T00:00:00Z',
      ['2026-01-09 00:00 +00:00', '2026-02-13 00:00 +00:00'],
    ],
    [
      'day of month or week',
      '0 0 13 * 5',
      'UTC',
      '2026-02-07T00:00:00Z',
      ['2026-02-13 00:00 +00:00', '2026-02-20 00:00 +00:00'],
    ],
    [
      'a fixed second',
      '30 0 0 * * *',
      'UTC',
      '2026-01-01T00:00:00Z',
      ['2026-01-01 00:00 +00:00', '2026-01-02 00:00 +00:00'],
    ],
    [
      'a time that daylight saving skips, at the end of the gap',
      '30 2 * * *',
      'Europe/Berlin',
      '2026-03-28T02:00:00Z',
      ['2026-03-29 03:00 +02:00', '2026-03-30 02:30 +02:00'],
    ],
    [
      'a time that comes twice, the first time',
      '30 2 * * *',
      'Europe/Berlin',
      '2026-10-24T02:00:00Z',
      ['2026-10-25 02:30 +02:00', '2026-10-26 02:30 +01:00'],
    ],
    [
      'every half hour through the doubled hour',
      '*/30 * * * *',
      'Europe/Berlin',
      '2026-10-25T00:00:00Z',
      ['2026-10-25 02:30 +02:00', '2026-10-25 02:00 +01:00', '2026-10-25 02:30 +01:00', '2026-10-25 03:00 +01:00'],
    ],
    [
      'half an hour skipped on Lord Howe',
      '15 2 * * *',
      'Australia/Lord_Howe',
      '2026-10-03T12:00:00Z',
      ['2026-10-04 02:30 +11:00', '2026-10-05 02:15 +11:00'],
    ],
    [
      'half an hour twice on Lord Howe',
      '45 1 * * *',
      'Australia/Lord_Howe',
      '2026-04-04T12:00:00Z',
      ['2026-04-05 01:45 +11:00', '2026-04-06 01:45 +10:30'],
    ],
    [
      'a midnight that does not exist',
      '0 0 * * *',
      'Africa/Cairo',
      '2026-04-23T12:00:00Z',
      ['2026-04-24 01:00 +03:00', '2026-04-25 00:00 +03:00'],
    ],
    ['an offset of three quarters', '0 0 * * *', 'Asia/Kathmandu', '2026-01-01T12:00:00Z', ['2026-01-02 00:00 +05:45']],
    [
      'a day that the calendar left out',
      '0 12 * * *',
      'Pacific/Apia',
      '2011-12-29T23:00:00Z',
      ['2011-12-31 12:00 +14:00', '2012-01-01 12:00 +14:00'],
    ],
  ])('%s: %s', (_what, cron, zone, after, expected) => {
    expect(refuseCron(cron)).toBeNull();
    expect(wall(cron, zone, after, expected.length)).toEqual(expected);
  });
});

describe('an invalid cron is refused with its field and what was expected, never accepted (fault: logged for ever)', () => {
  test.each([
    ['', /1 fields; expected five: minute, hour/],
    ['* * * *', /has 4 fields/],
    ['* * * * * * *', /has 7 fields/],
    ['@hourly', /has 1 fields/],
    ['60 * * * *', /minute field "60".*0 to 59/],
    ['* 24 * * *', /hour field "24".*0 to 23/],
    ['* * 0 * *', /day of month field "0".*1 to 31/],
    ['* * * 13 *', /month field "13".*JAN to DEC/],
    ['* * * * 8', /day of week field "8".*SUN to SAT/],
    ['5-1 * * * *', /minute field "5-1"/],
    ['*/0 * * * *', /minute field "\*\/0"/],
    ['*/60 * * * *', /minute field "\*\/60"/],
    ['5/10 * * * *', /minute field "5\/10"/],
    ['1,,2 * * * *', /minute field "1,,2"/],
    ['-1 * * * *', /minute field "-1"/],
    ['1e1 * * * *', /minute field "1e1"/],
    ['? * * * *', /minute field "\?"/],
    ['* * 15W * *', /day of month field "15W"/],
    ['* * * * +1', /day of week field "\+1"/],
    ['* * * * FRI#6', /day of week field "FRI#6"/],
    ['* * * * XXL', /day of week field "XXL"/],
    ['* * * * * *', /second field "\*".*at most once a minute/],
    ['*/30 * * * * *', /second field.*at most once a minute/],
    ['0,30 * * * * *', /second field.*at most once a minute/],
    ['99 * * * * *', /second field "99"/],
    ['0 0 30 2 *', /never fires.*day of month "30", month "2"/],
    ['0 0 31 4,6,9,11 *', /never fires/],
    ['0 0 30-31 FEB *', /never fires/],
  ])('%j', (cron, words) => {
    expect(refuseCron(cron)).toMatch(words);
  });

  test.each(['Mars/Olympus', '', '+01:00', 'UTC+1', '../etc/passwd', 'Europe/Berlin; x', 'x'.repeat(64)])(
    'the time zone %j is refused',
    (zone) => {
      expect(refuseTimezone(zone)).toContain('expected an IANA name');
    },
  );

  test.each(['UTC', 'Europe/Berlin', 'America/Argentina/Buenos_Aires', 'Etc/GMT+12', 'America/Port-au-Prince'])(
    'the time zone %s is taken',
    (zone) => {
      expect(refuseTimezone(zone)).toBeNull();
    },
  );
});

const field = (least: number, most: number) =>
  fc.oneof(
    fc.constant('*'),
    fc.integer({ min: least, max: most }).map(String),
    fc
      .tuple(fc.integer({ min: least, max: most }), fc.integer({ min: least, max: most }))
      .map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`),
    fc.integer({ min: 1, max: most }).map((step) => `*/${step}`),
    fc.uniqueArray(fc.integer({ min: least, max: most }), { minLength: 1, maxLength: 4 }).map((list) => list.join(',')),
  );
const crons = fc
  .tuple(field(0, 59), field(0, 23), field(1, 31), field(1, 12), field(0, 7))
  .map((fields) => fields.join(' '))
  .filter((cron) => refuseCron(cron) === null);
const zones = fc.constantFrom(
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe',
  'Asia/Kathmandu',
  'Africa/Casablanca',
  'America/Havana',
  'Pacific/Chatham',
);
const times = fc.integer({ min: iso('2024-01-01T00:00:00Z'), max: iso('2034-01-01T00:00:00Z') });

test('whatever is taken fires again, strictly later, on a whole second, at least a minute apart', () => {
  fc.assert(
    fc.property(crons, zones, times, (cron, zone, after) => {
      const runs = listNextRuns(cron, zone, after, 4);
      expect(runs).toHaveLength(4);
      let previous = after;
      for (const [at, run] of runs.entries()) {
        expect(run).toBeGreaterThan(previous);
        expect(run % 1_000).toBe(0);
        if (at > 0) expect(run - previous).toBeGreaterThanOrEqual(60_000);
        expect(nextRun(cron, zone, previous)).toBe(run);
        previous = run;
      }
    }),
    { numRuns: 300 },
  );
});

test('looking back finds the runs that looking ahead found', () => {
  fc.assert(
    fc.property(crons, zones, times, (cron, zone, after) => {
      const ahead = listNextRuns(cron, zone, after, 5);
      expect(listLastRuns(cron, zone, ahead.at(-1) ?? 0, 5)).toEqual(ahead);
    }),
    { numRuns: 300 },
  );
});

test('any text is either refused in words or fires: nothing throws, and nothing is searched for long', () => {
  const texts = fc.oneof(
    fc.string({ maxLength: 100 }),
    fc.string({ unit: fc.constantFrom(...'0123456789*/,-#L? MONW+'), maxLength: 100 }),
  );
  fc.assert(
    fc.property(texts, (text) => {
      const refused = refuseCron(text);
      if (refused === null) expect(nextRun(text, 'UTC', iso('2026-01-01T00:00:00Z'))).not.toBeNull();
      else expect(refused.length).toBeGreaterThan(10);
    }),
    { numRuns: 2_000 },
  );
});
