/** How much a reader has worked, so that a read is not blamed for a machine that had no time for it. */
import { readFileSync } from 'node:fs';
import { errorCode } from '../config/errors.ts';

/** The kernel counts processor time for users in ticks of this length, whatever its own are (proc(5), USER_HZ). */
const TICK_MS = 10;
/** Of the words after the program's name in /proc/<pid>/stat: its time in user mode, and in the kernel. */
const [USER_TICKS, KERNEL_TICKS] = [11, 12];

/** Processor time of a process so far, in ms; null when it is gone, or the system does not tell. */
export function readWorkMs(pid: number | undefined): number | null {
  if (pid === undefined) return null;
  const stat = readStat(pid);
  if (stat === null) return null;
  // The name stands in brackets, and may hold anything.
  const words = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(words[USER_TICKS]) + Number(words[KERNEL_TICKS]);
  return Number.isFinite(ticks) ? ticks * TICK_MS : null;
}

function readStat(pid: number): string | null {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'ESRCH') return null;
    throw error;
  }
}
