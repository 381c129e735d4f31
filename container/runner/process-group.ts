/** Programs that the runner starts have a process group of their own, so that what they start dies with them. */
import type { ChildProcess } from 'node:child_process';

/** Ends everybody in the group of a child that was spawned `detached`. Fine when nobody is left there. */
export function killGroup({ pid }: Pick<ChildProcess, 'pid'>, signal: 'SIGTERM' | 'SIGKILL' = 'SIGKILL'): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

/** Debian keeps small programs for fun in /usr/games, which the image's own PATH leaves out. */
const MORE_PATH = ['/usr/games', '/usr/local/games'];
const DEFAULT_PATH = '/usr/local/bin:/usr/bin:/bin';

/** What such a program is given of this process's environment: where programs are, and nothing else (I7). */
export function cleanEnvironment({ homeFolder, timezone }: { homeFolder: string; timezone: string }) {
  const path = [process.env.PATH ?? DEFAULT_PATH, ...MORE_PATH].join(':');
  return { PATH: path, HOME: homeFolder, TZ: timezone, LANG: 'C.UTF-8' };
}
