import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { isMemoryShort, makeMemoryGauge } from '../../../host/runtime/memory.ts';
import { FakeClock } from './fake-clock.ts';

const folder = mkdtempSync(join(tmpdir(), 'portolan-memory-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const info = (available: number) =>
  `MemTotal:       16000000 kB\nMemFree:          10 kB\nMemAvailable:   ${available} kB\n`;

test('memory is short when a twentieth is left, whatever is free', () => {
  expect(isMemoryShort(info(790_000))).toBe(true);
  expect(isMemoryShort(info(810_000))).toBe(false);
});

test('memory is not short where the kernel does not tell', () => {
  expect(isMemoryShort('')).toBe(false);
  expect(makeMemoryGauge(new FakeClock(), join(folder, 'none'))()).toBe(false);
});

test('a figure holds for a second', async () => {
  const path = join(folder, 'meminfo');
  const clock = new FakeClock();
  const gauge = makeMemoryGauge(clock, path);
  expect(gauge()).toBe(false);
  writeFileSync(path, info(1));
  expect(gauge()).toBe(false);
  await clock.advance(1_000);
  expect(gauge()).toBe(true);
});
