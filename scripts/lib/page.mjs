/** Tells whether the page changed since its pictures in docs/ were taken. */
import { join } from 'node:path';
import { fingerprint } from './fingerprint.mjs';
import { ROOT } from './workspace.mjs';

/** Holds the fingerprint of the page that the pictures beside it show. */
export const PICTURED = join(ROOT, 'docs', 'screenshots', 'page.sha256');

/** @returns {string} of all that the page is made of */
export function fingerprintPage() {
  return fingerprint(ROOT, ['host/console/web'], (path) => path.endsWith('.md'));
}
