/** What a process and its children use of the machine, from /proc. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { errorCode } from '../../host/config/errors.ts';

/** In the table of Unix sockets: `__SO_ACCEPTCON`. */
const LISTENING = '00010000';

export interface ProcessUse {
  at: number;
  /** Time on a processor of all threads, ms. */
  processorMs: number;
  /** Times that a thread went to sleep by itself: each is a wake-up. */
  wakeups: number;
  memoryBytes: number;
}

export interface UseRate {
  coreShare: number;
  wakeupsPerSecond: number;
  memoryBytes: number;
}

/** Of the process and all that descend from it, every thread counted. */
export function readUse(pid: number): ProcessUse {
  const use: ProcessUse = { at: performance.now(), processorMs: 0, wakeups: 0, memoryBytes: 0 };
  const pending = [pid];
  for (let one = pending.pop(); one !== undefined; one = pending.pop()) {
    const folder = `/proc/${one}`;
    use.memoryBytes += readField(`${folder}/status`, 'VmRSS') * 1024;
    for (const thread of list(`${folder}/task`)) {
      use.processorMs += readSchedule(`${folder}/task/${thread}/schedstat`);
      use.wakeups += readField(`${folder}/task/${thread}/status`, 'voluntary_ctxt_switches');
      pending.push(...read(`${folder}/task/${thread}/children`).split(' ').map(Number).filter(Boolean));
    }
  }
  return use;
}

export function since(before: ProcessUse, after: ProcessUse): UseRate {
  const elapsedMs = after.at - before.at;
  return {
    coreShare: (after.processorMs - before.processorMs) / elapsedMs,
    wakeupsPerSecond: ((after.wakeups - before.wakeups) / elapsedMs) * 1_000,
    memoryBytes: after.memoryBytes,
  };
}

/** Unix sockets on which the process itself listens, by the path that each was made at. */
export function listListeningSockets(pid: number): string[] {
  const open = new Set(list(`/proc/${pid}/fd`).map((fd) => orGone(() => readlinkSync(`/proc/${pid}/fd/${fd}`), '')));
  return read(`/proc/${pid}/net/unix`)
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , flags, , , inode]) => flags === LISTENING && open.has(`socket:[${inode}]`))
    .map((fields) => fields[7] ?? '');
}

/** First figure of schedstat: nanoseconds on a processor. */
function readSchedule(path: string): number {
  return Number(read(path).split(' ')[0] ?? 0) / 1e6;
}

function readField(path: string, name: string): number {
  const line = read(path)
    .split('\n')
    .find((one) => one.startsWith(`${name}:`));
  return Number(/\d+/.exec(line ?? '')?.[0] ?? 0);
}

function list(folder: string): string[] {
  return orGone(() => readdirSync(folder), []);
}

function read(path: string): string {
  return orGone(() => readFileSync(path, 'utf8'), '');
}

/** A thread or child may end between two looks. */
function orGone<T>(look: () => T, gone: T): T {
  try {
    return look();
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ESRCH') return gone;
    throw error;
  }
}
