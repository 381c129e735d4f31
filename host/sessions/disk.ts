/** Room on the disk, and what a session's container fills of it. */
import { statfsSync } from 'node:fs';
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
import { sessionsLog } from '../observe/logger.ts';

/**
 * Whether there is room for new messages. Measured once when it is made, then at most once a second, beside the
 * message path. A disk that cannot be measured has no room (I11).
 */
export class FreeDisk {
  readonly #home: string;
  /** Null while it cannot be measured. */
  #free: number | null = 0;
  #measuredAt = Number.NEGATIVE_INFINITY;
  #measuring = false;

  constructor(home: string) {
    this.#home = home;
    try {
      this.#take(statfsSync(home));
    } catch (error) {
      this.#refuse(error);
    }
  }

  hasRoom(): boolean {
    if (!this.#measuring && performance.now() - this.#measuredAt > FREE_DISK_CACHE_MS) void this.measure();
    return this.#free !== null && this.#free >= MIN_FREE_DISK_BYTES;
  }

  /** Never rejects. */
  async measure(): Promise<void> {
    this.#measuring = true;
    try {
      this.#take(await statfs(this.#home));
    } catch (error) {
      this.#refuse(error);
    } finally {
      this.#measuring = false;
    }
  }

  #take({ bavail, bsize }: { bavail: number; bsize: number }): void {
    this.#free = bavail * bsize;
    this.#measuredAt = performance.now();
  }

  #refuse(error: unknown): void {
    // Once until it can be measured again: every second would bury what else is logged.
    if (this.#free !== null)
      sessionsLog.warn({ err: error }, 'free disk space cannot be measured: no message is taken');
    this.#free = null;
    this.#measuredAt = performance.now();
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
