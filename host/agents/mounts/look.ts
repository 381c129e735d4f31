/** What is at a path of the machine, with two levels of what is in it. Follows links in the path, and none below. */
import { constants } from 'node:fs';
import { access, opendir, realpath, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { errorCode } from '../../config/errors.ts';
import { findCredential } from './places.ts';
import type { Found, Inside } from './plan.ts';

/** Levels below the folder that are looked at. More: minutes on big folders. Fewer: a home's `.ssh` is missed. */
const LEVELS = 2;
/** Entries looked at. Higher: slow starts. Lower: big folders are refused. */
const MAX_ENTRIES = 50_000;

export async function lookAt(path: string): Promise<Found> {
  try {
    const realPath = await realpath(path);
    const stats = await stat(realPath, { bigint: true });
    if (!stats.isDirectory()) return { kind: 'no-folder' };
    const inside = await lookInside(realPath);
    return { kind: 'folder', realPath, identity: identify(stats), inside };
  } catch (error) {
    const code = errorCode(error);
    if (code === '') throw error;
    return { kind: 'missing' };
  }
}

/** Device and inode: another folder of the same name has others. */
export function identify({ dev, ino }: { dev: bigint; ino: bigint }): string {
  return `${dev}:${ino}`;
}

async function lookInside(root: string): Promise<Inside> {
  let left = MAX_ENTRIES;
  let level = [''];
  for (let depth = 1; depth <= LEVELS; depth++) {
    const next: string[] = [];
    for (const folder of level) {
      const found = await listFolder(join(root, folder));
      if (typeof found === 'string') return { kind: 'unknown', why: `${join(root, folder)}: ${found}` };
      for (const entry of found) {
        if (--left < 0) return { kind: 'unknown', why: `more than ${MAX_ENTRIES} entries in two levels` };
        const name = join(folder, entry.name);
        // With the folder's own name in front, for names that count as a pair.
        if (findCredential(join(basename(root), name)) !== null) return { kind: 'holds', what: name };
        if (entry.isSocket) return { kind: 'holds', what: `${name}, a socket` };
        if (entry.isFolder) next.push(name);
      }
    }
    level = next;
  }
  return { kind: 'clean' };
}

interface Entry {
  name: string;
  isFolder: boolean;
  isSocket: boolean;
}

/** A code when it cannot be read; empty when nobody of this user's could go in either. */
async function listFolder(path: string): Promise<Entry[] | string> {
  const entries: Entry[] = [];
  try {
    for await (const entry of await opendir(path)) {
      entries.push({ name: entry.name, isFolder: entry.isDirectory(), isSocket: entry.isSocket() });
      if (entries.length > MAX_ENTRIES) break;
    }
    return entries;
  } catch (error) {
    const code = errorCode(error);
    if (code === 'EACCES' && !(await canEnter(path))) return [];
    if (code === '') throw error;
    // Gone meanwhile.
    return code === 'ENOENT' ? [] : code;
  }
}

async function canEnter(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch (error) {
    if (errorCode(error) === '') throw error;
    return false;
  }
}
