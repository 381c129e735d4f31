/**
 * Small files that only the host's user may read, kept whole: what is written is on the disk, under its name,
 * before anything relies on it.
 */
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { errorCode } from '../config/errors.ts';
import { failpoint } from '../observe/failpoint.ts';

/** Higher: a file that somebody put there takes memory. Lower: what we write does not fit. */
const MAX_BYTES = 64 * 1024;

export type PrivateFile =
  | { kind: 'absent' }
  | { kind: 'text'; text: string }
  /** Not read, or not to be relied on; `next` mends it. */
  | { kind: 'refused'; why: string; next: string };

/** Reads it unless somebody else could have read or written it, or it is a link. */
export function readPrivateFile(path: string, uid: number | null = process.getuid?.() ?? null): PrivateFile {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    return describeOpenError(path, error);
  }
  try {
    const stat = fstatSync(file);
    if (!stat.isFile() || stat.size > MAX_BYTES) {
      return { kind: 'refused', why: `${path} is no file of this program`, next: `ls -l ${path}` };
    }
    if (uid !== null && stat.uid !== uid) {
      const why = `${path} belongs to user ${stat.uid}, the host runs as ${uid}`;
      return { kind: 'refused', why, next: `sudo chown ${uid} ${path}` };
    }
    if ((stat.mode & 0o077) !== 0) {
      const why = `others may read ${path} (mode ${(stat.mode & 0o777).toString(8).padStart(4, '0')})`;
      return { kind: 'refused', why, next: `chmod 600 ${path}` };
    }
    return { kind: 'text', text: readFileSync(file, 'utf8') };
  } finally {
    closeSync(file);
  }
}

function describeOpenError(path: string, error: unknown): PrivateFile {
  switch (errorCode(error)) {
    case 'ENOENT':
      return { kind: 'absent' };
    case 'ELOOP':
      return { kind: 'refused', why: `${path} is a link`, next: `ls -l ${path}` };
    case 'EACCES':
      return { kind: 'refused', why: `${path} may not be read`, next: `ls -l ${path}` };
    default:
      throw error;
  }
}

/**
 * Makes it, closed to others. False: there is one already, which stays as it is. It gets its name when it is whole: a
 * full disk or a crash leaves no half of it in the way.
 */
export function createPrivateFile(path: string, text: string): boolean {
  const making = write(path, text);
  failpoint('vault.file.written');
  try {
    linkSync(making, path);
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
    return false;
  } finally {
    rmSync(making, { force: true });
  }
  syncFolder(path);
  return true;
}

/** Takes the place of what was there, as a whole. */
export function replacePrivateFile(path: string, text: string): void {
  movePrivateFile(write(path, text), path);
}

/** Under a name of its own, in the place of what a crash left there. */
function write(path: string, text: string): string {
  const making = makingOf(path);
  rmSync(making, { force: true });
  const file = openSync(
    making,
    constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
    0o600,
  );
  try {
    // Whatever the umask.
    fchmodSync(file, 0o600);
    writeFileSync(file, text);
    fsyncSync(file);
  } catch (error) {
    rmSync(making, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
  return making;
}

export function movePrivateFile(from: string, to: string): void {
  renameSync(from, to);
  syncFolder(to);
}

/** With what a crash left of its making. */
export function removePrivateFile(path: string): void {
  rmSync(makingOf(path), { force: true });
  rmSync(path, { force: true });
  syncFolder(path);
}

function makingOf(path: string): string {
  return `${path}.making`;
}

/** A name is on the disk when its folder is. */
function syncFolder(path: string): void {
  const folder = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
