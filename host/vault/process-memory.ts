/** Keeps what this process knows out of what others on the machine may read of it. Linux; elsewhere nothing is done. */
import { closeSync, openSync, readFileSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { errorCode } from '../config/errors.ts';

/** The kernel has no such file, or does not let us. */
const NOT_HERE = ['ENOENT', 'EACCES', 'EPERM', 'EROFS', 'EIO'];

/** No kind of mapping goes into a core dump, of this process and of those it starts. Source: core(5). */
export function leaveMemoryOutOfCoreDumps(): void {
  try {
    writeFileSync('/proc/self/coredump_filter', '0');
  } catch (error) {
    if (!NOT_HERE.includes(errorCode(error))) throw error;
  }
}

/**
 * Puts zeros over a variable's value where the kernel shows it as /proc/<pid>/environ: taking it out of `process.env`
 * leaves it there for as long as the process lives. Source: proc_pid_stat(5), env_start.
 */
export function eraseFromEnvironment(name: string): void {
  try {
    const environ = readFileSync('/proc/self/environ');
    const entry = environ.indexOf(`\0${name}=`) + 1;
    const start = entry > 0 ? entry : environ.indexOf(`${name}=`) === 0 ? 0 : -1;
    if (start < 0) return;
    const end = environ.indexOf(0, start);
    const from = start + name.length + 1;
    overwrite(readEnvStart() + from, environ.subarray(from, end < 0 ? environ.length : end));
  } catch (error) {
    if (!NOT_HERE.includes(errorCode(error))) throw error;
  }
}

/** Field 50; the second, in brackets, may hold anything. */
function readEnvStart(): number {
  const stat = readFileSync('/proc/self/stat', 'latin1');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[47]);
}

/** Nothing is written unless exactly this lies there. */
function overwrite(address: number, expected: Buffer): void {
  const memory = openSync('/proc/self/mem', 'r+');
  try {
    const found = Buffer.alloc(expected.length);
    readSync(memory, found, 0, found.length, address);
    if (found.equals(expected)) writeSync(memory, Buffer.alloc(expected.length), 0, expected.length, address);
    found.fill(0);
  } finally {
    closeSync(memory);
  }
}
