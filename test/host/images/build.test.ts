import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { makeImage } from '../../../host/images/build.ts';
import type { ImageEngine } from '../../../host/images/engine.ts';
import { WATCH_MS } from '../../../host/images/limits.ts';
import { BuildLog } from '../../../host/images/log.ts';
import type { EngineImage } from '../../../host/images/recipe.ts';
import { makeTempHome } from '../../support/temp-home.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
});

afterEach(() => {
  vi.useRealTimers();
});

test('a look at a build that the host’s stop came in between asks the host nothing any more', async () => {
  let answer: (freeBytes: number | null) => void = () => undefined;
  let asked = 0;
  /** Of an engine, what a build meets before its end. */
  const engine = {
    freeBytes: () => (asked++ === 0 ? Promise.resolve(null) : new Promise((resolve) => (answer = resolve))),
    build: (_files: unknown, _hear: unknown, signal: AbortSignal) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  } as unknown as ImageEngine;
  const log = new BuildLog(`${makeTempHome().home}/build.log`);
  const stop = new AbortController();
  let isDatabaseOpen = true;
  let wasMissed = false;
  const building = makeImage(engine, {
    ...{ base: {} as EngineImage, image: 'x', log, signal: stop.signal, now: () => 0 },
    planContext: async () => ({}),
    isAgentThere: () => {
      if (!isDatabaseOpen) wasMissed = true;
      return true;
    },
  });
  const ended = expect(building).rejects.toThrow();
  await new Promise((resolve) => setImmediate(resolve));
  await vi.advanceTimersByTimeAsync(WATCH_MS);
  expect(asked).toBe(2);
  stop.abort();
  await ended;
  await log.end();
  isDatabaseOpen = false;
  answer(null);
  await new Promise((resolve) => setImmediate(resolve));
  expect(wasMissed).toBe(false);
});
