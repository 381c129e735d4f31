/**
 * Who holds the home, seen from outside and without touching the lock: the host's is a lock of the kernel on
 * `host.lock`, which ends with its process; asking for it, however briefly, could turn a starting host away.
 */
import { readFile, stat } from 'node:fs/promises';
import { errorCode } from '../config/errors.ts';

export type HomeHolder = { kind: 'nobody' } | { kind: 'held'; pid: number | null };

const CANNOT_READ = new Set(['ENOENT', 'EACCES', 'ENOTDIR']);

/** `lockPath` is the home's `host.lock`; beside it the holder wrote its process id. */
export async function readHomeHolder(lockPath: string): Promise<HomeHolder> {
  const named = Number((await readIfPossible(`${lockPath}.pid`))?.trim() ?? 0);
  const pid = Number.isSafeInteger(named) && named > 0 ? named : null;
  const locks = await readIfPossible('/proc/locks');
  // Elsewhere than on Linux the process id alone must do.
  if (locks === null) return pid !== null && isProcessAlive(pid) ? { kind: 'held', pid } : { kind: 'nobody' };
  const inode = await readInode(lockPath);
  // `1: POSIX  ADVISORY  WRITE 4711 fd:01:1835026 0 EOF`
  return inode !== null && new RegExp(`:${inode} `).test(locks) ? { kind: 'held', pid } : { kind: 'nobody' };
}

async function readIfPossible(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (CANNOT_READ.has(errorCode(error))) return null;
    throw error;
  }
}

async function readInode(path: string): Promise<number | null> {
  try {
    return (await stat(path)).ino;
  } catch (error) {
    if (CANNOT_READ.has(errorCode(error))) return null;
    throw error;
  }
}

/** Whether a process of this id exists, ours or not. */
function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    if (errorCode(error) === 'ESRCH') return false;
    if (errorCode(error) === 'EPERM') return true;
    throw error;
  }
}
