import { expect, it } from 'vitest';
import {
  BURST,
  MAX_PACED,
  ONE_MORE_AFTER_MS,
  STRANGER_BURST,
  STRANGER_ONE_MORE_AFTER_MS,
  STRANGERS_BURST,
} from '../../../host/commands/limits.ts';
import { Pace } from '../../../host/commands/pace.ts';

it('lets quick hands through, says "slow down" once, and takes more as time goes by', () => {
  const pace = new Pace();
  const note = (now: number) => pace.note('test:ann', false, now);
  for (let at = 0; at < BURST; at++) expect(note(1_000)).toBe('go');
  expect(note(1_000)).toBe('slow_down');
  for (let at = 0; at < 1_000; at++) expect(note(1_000)).toBe('silent');
  expect(note(1_000 + ONE_MORE_AFTER_MS)).toBe('go');
  // Whoever goes on is not told again for each one that is let through.
  expect(note(1_000 + ONE_MORE_AFTER_MS)).toBe('silent');
  const later = 1_000 + (BURST + 1) * ONE_MORE_AFTER_MS;
  for (let at = 0; at < BURST; at++) expect(note(later)).toBe('go');
  expect(note(later)).toBe('slow_down');
});

it('slows one person and no other', () => {
  const pace = new Pace();
  for (let at = 0; at < 100; at++) pace.note('test:flood', false, 0);
  expect(pace.note('test:ann', false, 0)).toBe('go');
});

it('bounds all strangers together, and nobody who is known', () => {
  const pace = new Pace();
  let answered = 0;
  for (let person = 0; person < 1_000; person++) {
    if (pace.note(`test:${person}`, true, 0) === 'go') answered++;
  }
  expect(answered).toBe(STRANGERS_BURST);
  expect(pace.note('test:ann', false, 0)).toBe('go');
});

it('gives a stranger less', () => {
  const pace = new Pace();
  for (let at = 0; at < STRANGER_BURST; at++) expect(pace.note('test:sam', true, 0)).toBe('go');
  expect(pace.note('test:sam', true, 0)).toBe('slow_down');
  expect(pace.note('test:sam', true, STRANGER_ONE_MORE_AFTER_MS)).toBe('go');
});

it('is not fooled by a clock that is set back, and remembers a bounded number of people', () => {
  const pace = new Pace();
  for (let at = 0; at <= BURST; at++) pace.note('test:ann', false, 1_000_000);
  expect(pace.note('test:ann', false, 0)).toBe('silent');
  for (let person = 0; person < MAX_PACED; person++) pace.note(`test:${person}`, false, 0);
  // Forgotten, they begin anew: the bound is on memory.
  expect(pace.note('test:ann', false, 0)).toBe('go');
});
