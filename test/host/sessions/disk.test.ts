/** Whether there is room on the disk, and what is told when that cannot be known. */
import { mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { FreeDisk } from '../../../host/sessions/disk.ts';
import { logInto } from '../../support/log-file.ts';

async function makeFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'portolan-free-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const readLog = logInto(join(folder, 'test.log'), 'warn');
  return { home: join(folder, 'home'), warnings: () => readLog().split('\n').filter(Boolean) };
}

test('a disk that cannot be measured has no room, from the first look on, and is warned of once', async () => {
  const { home, warnings } = await makeFolder();
  const disk = new FreeDisk(home);
  expect(disk.hasRoom()).toBe(false);
  await disk.measure();
  await disk.measure();
  expect(disk.hasRoom()).toBe(false);
  expect(warnings()).toEqual([expect.stringContaining('free disk space cannot be measured')]);
});

test('has room again when it can be measured, and warns anew when that ends', async () => {
  const { home, warnings } = await makeFolder();
  mkdirSync(home);
  const disk = new FreeDisk(home);
  expect(disk.hasRoom()).toBe(true);
  for (const failures of [1, 2]) {
    renameSync(home, `${home}-away`);
    await disk.measure();
    expect(disk.hasRoom()).toBe(false);
    expect(warnings()).toHaveLength(failures);
    renameSync(`${home}-away`, home);
    await disk.measure();
    expect(disk.hasRoom()).toBe(true);
  }
});
