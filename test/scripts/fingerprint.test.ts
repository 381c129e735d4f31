import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fingerprint } from '../../scripts/lib/fingerprint.mjs';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'portolan-fingerprint-'));
  mkdirSync(join(root, 'source', 'inner'), { recursive: true });
  writeFileSync(join(root, 'source', 'a.ts'), 'one');
  writeFileSync(join(root, 'source', 'inner', 'b.ts'), 'two');
});

afterEach(() => rmSync(root, { recursive: true }));

test('a newer time alone changes nothing', () => {
  const before = fingerprint(root, ['source']);
  utimesSync(join(root, 'source', 'a.ts'), 1, 1);
  expect(fingerprint(root, ['source'])).toBe(before);
});

test('content, a new file, and text moved between files each change it', () => {
  const seen = new Set([fingerprint(root, ['source'])]);
  writeFileSync(join(root, 'source', 'a.ts'), 'One');
  seen.add(fingerprint(root, ['source']));
  writeFileSync(join(root, 'source', 'c.ts'), '');
  seen.add(fingerprint(root, ['source']));
  writeFileSync(join(root, 'source', 'a.ts'), '');
  writeFileSync(join(root, 'source', 'c.ts'), 'One');
  seen.add(fingerprint(root, ['source']));
  expect(seen.size).toBe(4);
});

test('installed and built files are no input', () => {
  const before = fingerprint(root, ['source']);
  mkdirSync(join(root, 'source', 'node_modules'));
  writeFileSync(join(root, 'source', 'node_modules', 'x.js'), 'x');
  expect(fingerprint(root, ['source', 'absent'])).toBe(before);
});
