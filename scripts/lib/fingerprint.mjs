/** Tells whether inputs changed, by content: times lie after a checkout. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { isErrno } from './commands.mjs';

const NEVER_INPUT = new Set(['node_modules', 'dist', '.git']);

/**
 * SHA-256, hex, over the names and contents of files; folders are walked. A missing path counts as absent.
 * @param {string} root
 * @param {readonly string[]} paths relative to root
 * @param {(path: string) => boolean} [skip] given a path relative to root
 * @returns {string}
 */
export function fingerprint(root, paths, skip = () => false) {
  const hash = createHash('sha256');
  for (const path of paths.flatMap((entry) => listFiles(root, entry, skip)).sort()) {
    const content = readFileSync(join(root, path));
    hash.update(`${path}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}

/**
 * @param {string} root
 * @param {string} path
 * @param {(path: string) => boolean} skip
 * @returns {string[]} relative to root
 */
function listFiles(root, path, skip) {
  if (skip(path)) return [];
  const full = join(root, path);
  try {
    if (!statSync(full).isDirectory()) return [path];
    return readdirSync(full)
      .filter((name) => !NEVER_INPUT.has(name))
      .flatMap((name) => listFiles(root, relative(root, join(full, name)), skip));
  } catch (error) {
    // Absent, or a file that an editor replaced between the listing and the look.
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}
