/** The pictures that the README shows are of the page as it is. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { projectRoot } from '../../host/config/home.ts';
import { fingerprintPage, PICTURED } from '../../scripts/lib/page.mjs';

test('every picture of the README is there', () => {
  const named = readFileSync(join(projectRoot(), 'README.md'), 'utf8').match(/docs\/screenshots\/[\w-]+\.png/g);
  expect(named?.length).toBeGreaterThan(0);
  for (const path of named ?? []) expect(existsSync(join(projectRoot(), path)), path).toBe(true);
});

test('the pictures were taken of the page as it is now', () => {
  const pictured = existsSync(PICTURED) ? readFileSync(PICTURED, 'utf8').trim() : '';
  expect(pictured, 'The page changed since its pictures were taken: type `npm run screenshots`').toBe(
    fingerprintPage(),
  );
});
