/** The SDK's program, and all that it starts: none of it outlives the turn. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { killGroup } from '../../runner/process-group.ts';
import { MAX_STDERR_CHARS } from './limits.ts';
import type { SpawnOrder } from './sdk.ts';

const MARK = 'PORTOLAN_TURN';
/** A program that forks while it is looked for is found the next time. */
const ROUNDS = 3;

export class TurnProcesses {
  readonly #id = randomUUID();
  #child: ChildProcess | null = null;
  #stderr = '';

  /** What children inherit, whatever group or session they move to. */
  get mark(): Record<string, string> {
    return { [MARK]: this.#id };
  }

  /** The last that the program printed beside its messages: for the log, and never for people. */
  get lastWords(): string {
    return this.#stderr;
  }

  spawn(order: SpawnOrder): ChildProcess {
    const child = spawn(order.command, order.args, {
      cwd: order.cwd,
      env: order.env,
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-MAX_STDERR_CHARS);
    });
    this.#child = child;
    return child;
  }

  /** Ends all of them, by force. Fine when none is left. */
  kill(): void {
    if (this.#child !== null) killGroup(this.#child);
    for (let round = 0; round < ROUNDS && killMarked(`${MARK}=${this.#id}`); round++);
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
