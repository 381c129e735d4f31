/** Room on the disk, and what a session's container fills of it. */
import { lstat, opendir, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import {
  MAX_AGENT_FOLDER_BYTES,
  MAX_AGENT_FOLDER_FILES,
  MAX_SESSION_DISK_BYTES,
  MAX_SESSION_FILES,
} from '../../shared/limits.ts';
import { errorCode } from '../config/errors.ts';
import { FREE_DISK_CACHE_MS, MIN_FREE_DISK_BYTES } from '../config/limits.ts';

/** Whether there is room for new messages; the figure is measured at most once a second, beside the message path. */
export class FreeDisk {
  readonly #home: string;
  #free = Number.POSITIVE_INFINITY;
  #measuredAt = Number.NEGATIVE_INFINITY;
  #measuring = false;

  constructor(home: string) {
    this.#home = home;
  }

  hasRoom(): boolean {
    if (!this.#measuring && performance.now() - this.#measuredAt > FREE_DISK_CACHE_MS) void this.measure();
    return this.#free >= MIN_FREE_DISK_BYTES;
  }

  async measure(): Promise<number> {
    this.#measuring = true;
    try {
      const stats = await statfs(this.#home);
      this.#free = stats.bavail * stats.bsize;
    } finally {
      this.#measuring = false;
      this.#measuredAt = performance.now();
    }
    return this.#free;
  }
}

export type DiskUse = { kind: 'within' } | { kind: 'over'; reason: string };

export interface DiskLimits {
  bytes: number;
  files: number;
}

export const SESSION_LIMITS: DiskLimits = { bytes: MAX_SESSION_DISK_BYTES, files: MAX_SESSION_FILES };
export const AGENT_FOLDER_LIMITS: DiskLimits = { bytes: MAX_AGENT_FOLDER_BYTES, files: MAX_AGENT_FOLDER_FILES };

/** Measures folders that a container writes, without following links, and stops as soon as they are over. */
export async function measureContainerFolders(folders: readonly string[], limits: DiskLimits): Promise<DiskUse> {
  const seen = { bytes: 0, files: 0 };
  const pending = [...folders];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    const over = await measureFolder(folder, seen, pending, limits);
    if (over !== null) return { kind: 'over', reason: over };
  }
  return { kind: 'within' };
}

async function measureFolder(
  folder: string,
  seen: { bytes: number; files: number },
  pending: string[],
  limits: DiskLimits,
): Promise<string | null> {
  try {
    for await (const entry of await opendir(folder)) {
      if (++seen.files > limits.files) return `more than ${limits.files} files`;
      const path = join(folder, entry.name);
      if (entry.isDirectory()) pending.push(path);
      // Blocks, not length: a sparse file fills nothing.
      else seen.bytes += (await lstat(path)).blocks * 512;
      if (seen.bytes > limits.bytes) return `more than ${limits.bytes} bytes on disk`;
    }
    return null;
  } catch (error) {
    // Made step by step from within: nobody else can name what is inside, so nobody can measure it.
    if (errorCode(error) === 'ENAMETOOLONG') return 'folders nested too deep to measure';
    // A folder closed to the host hides what it holds (I11); root, and its capabilities, is never refused.
    if (errorCode(error) === 'EACCES') return 'folders that the host may not read';
    // The container removes and renames while it is measured.
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(errorCode(error))) return null;
    throw error;
  }
}
