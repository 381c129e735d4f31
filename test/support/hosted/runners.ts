/** Runner processes of the process driver that belong to a home, found in /proc: recorded by a host or not. */
import { readdirSync, readFileSync } from 'node:fs';
import { errorCode } from '../../../host/config/errors.ts';
import { RUNNER_ENV } from '../../../shared/session-files.ts';

export interface RunnerProcess {
  pid: number;
  /** Its out/ folder: names the session. */
  out: string;
}

export function findRunners(home: string): RunnerProcess[] {
  return readdirSync('/proc').flatMap((name) => {
    const pid = Number(name);
    if (!Number.isInteger(pid)) return [];
    const out = readOutFolder(pid);
    return out?.startsWith(`${home}/`) ? [{ pid, out }] : [];
  });
}

/** SIGKILL by pid, for those that are still there. */
export function killRunners(runners: readonly RunnerProcess[]): void {
  for (const { pid } of runners) signalIfThere(pid, 'SIGKILL');
}

function signalIfThere(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (errorCode(error) !== 'ESRCH') throw error;
  }
}

/** Null for processes that are no runners, are gone, or are dead and not collected yet. */
function readOutFolder(pid: number): string | null {
  try {
    const prefix = `${RUNNER_ENV.out}=`;
    const entry = readFileSync(`/proc/${pid}/environ`, 'utf8')
      .split('\0')
      .find((each) => each.startsWith(prefix));
    return entry?.slice(prefix.length) ?? null;
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES'].includes(errorCode(error))) return null;
    throw error;
  }
}
