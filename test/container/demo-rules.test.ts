import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseIntent } from '../../container/providers/demo/intents.ts';
import { parseWhen } from '../../container/providers/demo/when.ts';
import { formatLocalTime, setZone } from '../../container/runner/zone.ts';

const zoneBefore = process.env.TZ;
beforeAll(() => setZone('Europe/Berlin'));
afterAll(() => {
  if (zoneBefore === undefined) delete process.env.TZ;
  else process.env.TZ = zoneBefore;
});

/** Saturday, 17:00 in Berlin. */
const NOW = Date.UTC(2026, 10, 21, 16, 0);

describe('a time in words', () => {
  it.each([
    ['in 5 min to stretch', '2026-11-21 17:05', 'to stretch'],
    ['to stretch in 5 minutes', '2026-11-21 17:05', 'to stretch'],
    ['in 90s to x', '2026-11-21 17:01', 'to x'],
    ['in an hour to x', '2026-11-21 18:00', 'to x'],
    ['in half an hour to x', '2026-11-21 17:30', 'to x'],
    ['in 1 h 30 min to x', '2026-11-21 18:30', 'to x'],
    ['in 1 hour and 30 minutes to x', '2026-11-21 18:30', 'to x'],
    ['in 2 days to x', '2026-11-23 17:00', 'to x'],
    ['in a week to x', '2026-11-28 17:00', 'to x'],
    ['at 17:30 to x', '2026-11-21 17:30', 'to x'],
    ['at 16:30 to x', '2026-11-22 16:30', 'to x'],
    ['at 5.30pm to x', '2026-11-21 17:30', 'to x'],
    ['at 12 am to x', '2026-11-22 00:00', 'to x'],
    ['tomorrow at 9 to x', '2026-11-22 09:00', 'to x'],
    ['tomorrow to x', '2026-11-22 09:00', 'to x'],
    ['to be in Rome at 20:00', '2026-11-21 20:00', 'to be in Rome'],
    ['to call mum tomorrow at 9.', '2026-11-22 09:00', 'to call mum'],
  ])('reads %j', (text, due, rest) => {
    const when = parseWhen(text, NOW);
    expect(when && [formatLocalTime(when.dueMs), when.rest]).toEqual([due, rest]);
  });

  it.each(['to stretch', 'in a moment to x', 'at 25:00 to x', 'at 13 pm to x', 'at 9:75 to x', 'in 5 apples'])(
    'does not guess at %j',
    (text) => {
      expect(parseWhen(text, NOW)).toBeNull();
    },
  );

  it('keeps the clock over the change to summer time', () => {
    const when = parseWhen('tomorrow at 9 to x', Date.UTC(2026, 2, 28, 12, 0));
    expect(when && formatLocalTime(when.dueMs)).toBe('2026-03-29 09:00');
  });
});

describe('what a message asks', () => {
  it.each([
    ['help', { kind: 'help' }],
    ['Help!', { kind: 'help' }],
    ['?', { kind: 'help' }],
    ['@main help', { kind: 'help' }],
    ['Main, help', { kind: 'help' }],
    ['mainly help', { kind: 'unknown' }],
    ['hello', { kind: 'greet' }],
    ['Who am I?', { kind: 'whoami' }],
    ['list destinations', { kind: 'destinations' }],
    ['what time is it?', { kind: 'time' }],
    ['tell family that dinner is ready', { kind: 'tell', name: 'family', text: 'dinner is ready', isQuestion: false }],
    ['Tell Family: it works!', { kind: 'tell', name: 'family', text: 'it works!', isQuestion: false }],
    ['ask `researcher` time', { kind: 'tell', name: 'researcher', text: 'time', isQuestion: true }],
    ['ask me tea or coffee? tea, coffee', { kind: 'ask-me', question: 'tea or coffee?', options: ['tea', 'coffee'] }],
    ['ask me: now? yes or no or yes.', { kind: 'ask-me', question: 'now?', options: ['yes', 'no'] }],
    ['ask me something', { kind: 'ask-me-unclear' }],
    ['ask me why?', { kind: 'ask-me-unclear' }],
    ['tasks', { kind: 'tasks' }],
    ['show my reminders', { kind: 'tasks' }],
    ['Cancel task 2.', { kind: 'switch-task', action: 'cancel', number: 2 }],
    ['pause task #1', { kind: 'switch-task', action: 'pause', number: 1 }],
    ['resume the reminder 3', { kind: 'switch-task', action: 'resume', number: 3 }],
    ['cancel task', { kind: 'unknown' }],
    ['every day at 9 water the plants', { kind: 'repeat', cron: '0 9 * * *', text: 'water the plants' }],
    ['every monday at 5:30 pm to go home', { kind: 'repeat', cron: '30 17 * * 1', text: 'go home' }],
    ['remind me every weekday to work', { kind: 'repeat', cron: '0 9 * * 1-5', text: 'work' }],
    ['every 10 minutes look up', { kind: 'repeat', cron: '*/10 * * * *', text: 'look up' }],
    ['every minute x', { kind: 'repeat', cron: '* * * * *', text: 'x' }],
    ['every 6 hours x', { kind: 'repeat', cron: '0 */6 * * *', text: 'x' }],
    ['every 7 minutes x', { kind: 'repeat-unclear' }],
    ['every day at 25 x', { kind: 'repeat-unclear' }],
    ['every day', { kind: 'repeat-unclear' }],
    ['in 2 minutes say hello', { kind: 'remind', dueMs: NOW + 120_000, text: 'say hello' }],
    ['in my opinion it is late', { kind: 'unknown' }],
    [
      'make an agent called Tea Lady that knows all about tea',
      { kind: 'make-agent', name: 'Tea Lady', instructions: 'knows all about tea' },
    ],
    ['create agent named bob to help', { kind: 'make-agent', name: 'bob', instructions: 'help' }],
    ['forward the file to Family', { kind: 'forward', name: 'family' }],
    ['tell me a joke', { kind: 'unknown' }],
    ['remind me in 10 s to breathe', { kind: 'remind', dueMs: NOW + 10_000, text: 'breathe' }],
    ['remind me', { kind: 'remind-unclear' }],
    ['remind me to breathe', { kind: 'remind-unclear' }],
    ['remember that Tom likes tea', { kind: 'remember', text: 'Tom likes tea' }],
    ['what do you remember?', { kind: 'recall' }],
    ['forget 2', { kind: 'forget', what: '2' }],
    ['send a file', { kind: 'send-file' }],
    ['run a slow task', { kind: 'slow-task', seconds: 10 }],
    ['slow task 3', { kind: 'slow-task', seconds: 3 }],
    ['run a slow task for 99999 seconds', { kind: 'slow-task', seconds: 600 }],
    ['stop', { kind: 'stop' }],
    ['react 👍', { kind: 'react', emoji: '👍' }],
    ['the weather is nice', { kind: 'unknown' }],
    ['', { kind: 'unknown' }],
  ])('%j', (text, intent) => {
    expect(parseIntent(text, 'main', NOW)).toEqual(intent);
  });

  it('is found in no time in 64 KB of anything', () => {
    const texts = [
      ' ',
      'remind me in ',
      'every day ',
      'ask me ? , ',
      'make an agent called a ',
      'tell a ',
      '@main ',
      'in 5 ',
      '. ',
      'slow task ',
    ].map((word) => word.repeat(65_536 / word.length));
    const startedAt = performance.now();
    for (const text of texts) parseIntent(text, 'main', NOW);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });
});
