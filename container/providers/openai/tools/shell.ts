/**
 * Shell commands of one turn. Each is a bash of its own; where it stood at its end, the next begins.
 *
 * I1. Every command has a process group of its own, which dies with the command's time or with the turn: also what
 *     goes on in the background. What left its group dies with the turn, by its mark.
 * I2. A program gets `cleanEnvironment` and no input; of this process it knows nothing.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cleanEnvironment, killGroup, type ProgramPlace } from '../../../runner/process-group.ts';
import { TurnMark } from '../../../runner/turn-mark.ts';
import { DRAIN_MS, MAX_BACKGROUND, MAX_COMMAND_OUTPUT_BYTES } from '../limits.ts';
import { EndsBuffer } from './bounds.ts';

export type CommandEnd =
  | { kind: 'exit'; code: number }
  | { kind: 'signal'; signal: string }
  | { kind: 'timeout' | 'flood' | 'aborted' };

export interface CommandResult {
  ended: CommandEnd;
  /** Both outputs in the order in which they came, bounded. */
  output: string;
  /** Something of it goes on in the background. */
  hasChildren: boolean;
}

/** Its own descriptor, so that where the shell stands is not mixed with what it prints. */
const CWD_DESCRIPTOR = 3;
const MAX_CWD_BYTES = 8_192;
/** The command stands on lines of its own, so that a comment or a here-document at its end hides nothing. */
const PRELUDE = `trap 'pwd -P >&${CWD_DESCRIPTOR}' EXIT`;

export class Shell implements Disposable {
  readonly #place: ProgramPlace;
  readonly #home: string;
  readonly #background = new Set<ChildProcess>();
  readonly #mark = new TurnMark();
  #hasRun = false;
  #cwd: string;

  /** `cwd`: where an earlier command stood; the home when it is gone. */
  constructor(place: ProgramPlace, home: string, cwd: string | null) {
    this.#place = place;
    this.#home = home;
    this.#cwd = cwd ?? home;
  }

  get cwd(): string {
    return this.#cwd;
  }

  /** Rejects with the system's error when no shell can be started. */
  async run(command: string, timeoutMs: number, signal: AbortSignal): Promise<CommandResult> {
    if (!existsSync(this.#cwd)) this.#cwd = this.#home;
    const child = spawn('bash', ['--noprofile', '--norc', '-c', `${PRELUDE}\n${command}\n`], {
      cwd: this.#cwd,
      env: this.#environment(), // I2
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      detached: true, // I1
    });
    const running = new RunningCommand(child, timeoutMs, signal);
    const ended = await running.ended();
    const hasChildren = ended.kind === 'exit' && hasGroup(child);
    if (hasChildren) this.#keep(child);
    else killGroup(child);
    if (running.cwd !== null && existsSync(running.cwd)) this.#cwd = running.cwd;
    return { ended, output: running.output(), hasChildren };
  }

  /** One program instead of a shell: no line is parsed. */
  async runProgram(
    name: string,
    args: readonly string[],
    cwd: string,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<Pick<CommandResult, 'ended' | 'output'>> {
    const child = spawn(name, args, {
      cwd,
      env: this.#environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const running = new RunningCommand(child, timeoutMs, signal);
    try {
      return { ended: await running.ended(), output: running.output() };
    } finally {
      killGroup(child);
    }
  }

  [Symbol.dispose](): void {
    for (const child of this.#background) killGroup(child);
    this.#background.clear();
    // Looking through all processes costs a millisecond or two.
    if (this.#hasRun) this.#mark.kill();
  }

  #environment(): Record<string, string> {
    this.#hasRun = true;
    return { ...cleanEnvironment(this.#place), ...this.#mark.environment };
  }

  #keep(child: ChildProcess): void {
    this.#background.add(child);
    const [oldest] = this.#background;
    if (oldest === undefined || this.#background.size <= MAX_BACKGROUND) return;
    killGroup(oldest);
    this.#background.delete(oldest);
  }
}

class RunningCommand {
  readonly #child: ChildProcess;
  readonly #output = new EndsBuffer();
  readonly #signal: AbortSignal;
  readonly #timer: NodeJS.Timeout;
  readonly #abort = () => this.#stop('aborted');
  #stopped: 'timeout' | 'flood' | 'aborted' | null = null;
  #cwd = '';

  constructor(child: ChildProcess, timeoutMs: number, signal: AbortSignal) {
    this.#child = child;
    this.#signal = signal;
    this.#timer = setTimeout(() => this.#stop('timeout'), timeoutMs);
    signal.addEventListener('abort', this.#abort, { once: true });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.#output.add(chunk);
        if (this.#output.totalBytes > MAX_COMMAND_OUTPUT_BYTES) this.#stop('flood');
      });
    }
    child.stdio[CWD_DESCRIPTOR]?.on('data', (chunk: Buffer) => {
      if (this.#cwd.length < MAX_CWD_BYTES) this.#cwd += chunk.toString('utf8');
    });
    if (signal.aborted) this.#abort();
  }

  /** The last line, for a shell in the shell may say where it stands, too. */
  get cwd(): string | null {
    return this.#cwd.trimEnd().split('\n').at(-1) || null;
  }

  output(): string {
    return this.#output.read();
  }

  async ended(): Promise<CommandEnd> {
    try {
      return await new Promise<CommandEnd>((resolve, reject) => {
        this.#child.once('error', reject);
        this.#child.once('exit', (code, signal) => {
          // What it left in the background keeps the pipes open; its output is read on, and not shown.
          const timer = setTimeout(done, DRAIN_MS);
          this.#child.once('close', done);
          const end: CommandEnd =
            this.#stopped !== null
              ? { kind: this.#stopped }
              : code === null
                ? { kind: 'signal', signal: signal ?? 'unknown' }
                : { kind: 'exit', code };
          function done() {
            clearTimeout(timer);
            resolve(end);
          }
        });
      });
    } finally {
      clearTimeout(this.#timer);
      this.#signal.removeEventListener('abort', this.#abort);
    }
  }

  #stop(reason: 'timeout' | 'flood' | 'aborted'): void {
    this.#stopped ??= reason;
    killGroup(this.#child);
  }
}

/** Whether anybody is left in a child's group. */
function hasGroup({ pid }: ChildProcess): boolean {
  if (pid === undefined) return false;
  try {
    process.kill(-pid, 0);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
    throw error;
  }
}
