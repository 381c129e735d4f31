/** Keeps what this process knows out of the file that its crash may leave. */
import { writeFileSync } from 'node:fs';
import { errorCode } from '../config/errors.ts';

/** No kind of mapping goes into a core dump, of this process and of those it starts. Source: core(5). */
export function leaveMemoryOutOfCoreDumps(): void {
  try {
    writeFileSync('/proc/self/coredump_filter', '0');
  } catch (error) {
    // Other systems, and kernels without core dumps, have no such file.
    if (!['ENOENT', 'EACCES', 'EPERM', 'EROFS'].includes(errorCode(error))) throw error;
  }
}
