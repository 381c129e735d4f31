/**
 * A mark in the environment of what a turn starts. Whatever group or session a program moves to, it keeps the mark,
 * and so do its children: none of them outlives the turn.
 */
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';

const NAME = 'PORTOLAN_TURN';
/** A program that forks while it is looked for is found the next time. */
const ROUNDS = 3;

export class TurnMark {
  readonly #id = randomUUID();

  /** For the environment of each program. */
  get environment(): Record<string, string> {
    return { [NAME]: this.#id };
  }

  /** Ends all that have it, by force. Fine when none is left. */
  kill(): void {
    for (let round = 0; round < ROUNDS && killMarked(`${NAME}=${this.#id}`); round++);
  }
}

/** Whether there were any. */
function killMarked(mark: string): boolean {
  const found = listProcesses().filter((pid) => pid !== process.pid && hasMark(pid, mark));
  for (const pid of found) ignoreGone(() => process.kill(pid, 'SIGKILL'));
  return found.length > 0;
}

function listProcesses(): number[] {
  return ignoreGone(() => readdirSync('/proc'))?.flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : [])) ?? [];
}

function hasMark(pid: number, mark: string): boolean {
  return (
    ignoreGone(() => readFileSync(`/proc/${pid}/environ`, 'utf8'))
      ?.split('\0')
      .includes(mark) === true
  );
}

/** Null when the process has ended meanwhile, is somebody else's, or this system has no /proc. */
function ignoreGone<T>(work: () => T): T | null {
  try {
    return work();
  } catch (error) {
    if (error instanceof Error && 'code' in error && GONE.includes(String(error.code))) return null;
    throw error;
  }
}

const GONE: readonly string[] = ['ENOENT', 'ESRCH', 'EACCES', 'EPERM'];
