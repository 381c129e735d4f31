/** The list of faults in this folder's README names tests that exist. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { projectRoot } from '../host/config/home.ts';

const ROW = /^\| (?<fault>[^|]+?) +\| `(?<file>[^`]+)` +\| (?<name>[^|]+?) +\|$/;

const rows = readFileSync(join(projectRoot(), 'test', 'README.md'), 'utf8')
  .split('\n')
  .map((line) => ROW.exec(line)?.groups)
  .filter((groups) => groups !== undefined);

test('the list of faults is there', () => {
  expect(rows.length).toBeGreaterThan(30);
});

test.each(rows)('“$fault” has its test', ({ file = '', name = '' }) => {
  const path = join(projectRoot(), 'test', file);
  expect(existsSync(path), file).toBe(true);
  const source = readFileSync(path, 'utf8').replace(/\s+/g, ' ');
  expect(source).toContain(name);
});
