import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Retries } from '../../../host/config/retries.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('each work runs once, after its own wait', () => {
  const ran: string[] = [];
  using retries = new Retries();
  retries.after(2_000, () => ran.push('late'));
  retries.after(1_000, () => ran.push('soon'));
  vi.advanceTimersByTime(999);
  expect(ran).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(ran).toEqual(['soon']);
  vi.advanceTimersByTime(60_000);
  expect(ran).toEqual(['soon', 'late']);
});

test('nothing runs after the owner has closed, neither what was open nor what is asked for then', () => {
  const ran: string[] = [];
  const retries = new Retries();
  retries.after(1_000, () => ran.push('open'));
  retries[Symbol.dispose]();
  retries.after(1_000, () => ran.push('late'));
  expect(vi.getTimerCount()).toBe(0);
  vi.advanceTimersByTime(60_000);
  expect(ran).toEqual([]);
});
