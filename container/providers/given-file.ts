/**
 * Files that an agent or a person made: a pipe, a folder, a loop of links or gigabytes may lie where one is looked for.
 * What cannot be read is not there.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync, readSync } from 'node:fs';

/** Null: there is none, or it has no or more than `maxBytes`. */
export function readWhole(path: string, maxBytes: number): Buffer | null {
  return read(path, (file, sizeBytes) => (sizeBytes > 0 && sizeBytes <= maxBytes ? readFileSync(file) : null));
}

/** Its first `maxBytes`, and how many more there are; null: there is none. */
export function readBeginning(path: string, maxBytes: number): { text: string; leftBytes: number } | null {
  return read(path, (file, sizeBytes) => {
    const bytes = Buffer.alloc(Math.min(sizeBytes, maxBytes));
    const text = bytes.subarray(0, readSync(file, bytes)).toString('utf8');
    const leftBytes = sizeBytes - bytes.length;
    // A sign that was cut in two is none.
    return { text: leftBytes > 0 ? text.replace(/\ufffd+$/, '') : text, leftBytes };
  });
}

function read<T>(path: string, look: (file: number, sizeBytes: number) => T): T | null {
  let file: number;
  try {
    // Not blocking: a pipe without a writer would hold the runner for ever.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (error instanceof Error && 'code' in error && UNREADABLE.includes(String(error.code))) return null;
    throw error;
  }
  try {
    const about = fstatSync(file);
    return about.isFile() ? look(file, about.size) : null;
  } finally {
    closeSync(file);
  }
}

const UNREADABLE: readonly string[] = ['ENOENT', 'ENOTDIR', 'EISDIR', 'EACCES', 'ELOOP', 'ENXIO'];
