/**
 * Opening what a container may have made (I2): nothing through a link, nothing but a regular file with
 * one name, and nothing outside the folder; checked on the opened descriptor, not on the path.
 *
 * Linux has `openat` semantics for Node through /proc/self/fd/<folder>/<name>: the folder is the one that
 * is held open, whatever the container does to names meanwhile, and O_NOFOLLOW guards the last part.
 */
import { closeSync, constants, fstatSync, openSync, type Stats } from 'node:fs';
import { errorCode } from '../config/errors.ts';

const { O_RDONLY, O_NOFOLLOW, O_DIRECTORY, O_NONBLOCK } = constants;

export type SafeOpen = { kind: 'open'; fd: number; stats: Stats } | { kind: 'refused'; reason: string };

/** Longest single name accepted; ext4's own limit. */
const MAX_NAME_BYTES = 255;

/** Whether the text is one path component that names nothing special. */
export function isSafeName(name: string): boolean {
  return (
    name !== '' &&
    name !== '.' &&
    name !== '..' &&
    !name.includes('/') &&
    !name.includes('\0') &&
    Buffer.byteLength(name) <= MAX_NAME_BYTES
  );
}

/**
 * Opens `folder/…parts` for reading. `folder` is a path the host made and the container cannot rename.
 * The caller closes the descriptor.
 */
export function openInside(folder: string, parts: readonly string[], maxBytes: number): SafeOpen {
  const held: number[] = [];
  try {
    let current = openSync(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    held.push(current);
    for (const part of parts.slice(0, -1)) {
      if (!isSafeName(part)) return { kind: 'refused', reason: 'the name is not one path component' };
      current = openSync(`/proc/self/fd/${current}/${part}`, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
      held.push(current);
    }
    const name = parts.at(-1) ?? '';
    if (!isSafeName(name)) return { kind: 'refused', reason: 'the name is not one path component' };
    // O_NONBLOCK: opening a FIFO must not wait for its writer.
    const fd = openSync(`/proc/self/fd/${current}/${name}`, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    const stats = fstatSync(fd);
    const reason = refuseStats(stats, maxBytes);
    if (reason === null) return { kind: 'open', fd, stats };
    closeSync(fd);
    return { kind: 'refused', reason };
  } catch (error) {
    const reason = REFUSED_CODES[errorCode(error)];
    if (reason === undefined) throw error;
    return { kind: 'refused', reason };
  } finally {
    for (const fd of held) closeSync(fd);
  }
}

const REFUSED_CODES: Record<string, string> = {
  ELOOP: 'it is a link',
  ENOENT: 'it does not exist',
  ENOTDIR: 'a part of its path is not a folder',
  EACCES: 'it may not be read',
  ENXIO: 'it is not a regular file',
  ENAMETOOLONG: 'its name is too long',
};

function refuseStats(stats: Stats, maxBytes: number): string | null {
  if (!stats.isFile()) return 'it is not a regular file';
  if (stats.nlink !== 1) return 'it has more than one name';
  if (stats.size > maxBytes) return `it is larger than ${maxBytes} bytes`;
  return null;
}
