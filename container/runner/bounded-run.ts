/**
 * Runs one program to its end, with bounds on its time and its output.
 *
 * I1. Nothing of it outlives the run: its whole process group is killed.
 * I2. Its environment is the one that is given here, and it reads nothing.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { killGroup } from './process-group.ts';

/** How long the pipes of a program that has ended may stay open. Higher: a stray child holds the turn up. */
const DRAIN_MS = 500;

export interface RunSpec {
  /** By path, or by name on the given PATH; never a shell line. */
  command: string;
  args: readonly string[];
  cwd: string;
  env: Readonly<Record<string, string>>;
  timeoutMs: number;
  /** Of both outputs together; a program that prints more is ended. */
  maxOutputBytes: number;
  signal: AbortSignal;
}

export type RunEnd =
  | { kind: 'exit'; code: number }
  | { kind: 'signal'; signal: string }
  | { kind: 'timeout' }
  | { kind: 'flood' };

export interface BoundedRun {
  ended: RunEnd;
  /** Standard output alone, then both in the order they came. */
  stdout: string;
  output: string;
}

/** Rejects with the error of the system when the program cannot be started (ENOENT, EACCES, EAGAIN…). */
export async function runBounded(spec: RunSpec): Promise<BoundedRun> {
  const child = spawn(spec.command, spec.args, {
    cwd: spec.cwd,
    env: spec.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const collected = new Collected(spec.maxOutputBytes);
  let cut: 'timeout' | 'flood' | null = null;
  const stop = (reason: 'timeout' | 'flood' | null) => {
    cut ??= reason;
    killGroup(child);
  };
  const timer = setTimeout(() => stop('timeout'), spec.timeoutMs);
  const abort = () => stop(null);
  spec.signal.addEventListener('abort', abort, { once: true });
  // The stop may have come before this call.
  if (spec.signal.aborted) abort();
  child.stdout.on('data', (chunk: Buffer) => collected.add(chunk, true) || stop('flood'));
  child.stderr.on('data', (chunk: Buffer) => collected.add(chunk, false) || stop('flood'));
  try {
    const [code, signal] = await whenEnded(child);
    const ended: RunEnd =
      cut !== null ? { kind: cut } : code === null ? { kind: 'signal', signal } : { kind: 'exit', code };
    return { ended, ...collected.read() };
  } finally {
    clearTimeout(timer);
    spec.signal.removeEventListener('abort', abort);
    killGroup(child);
    child.stdout.destroy();
    child.stderr.destroy();
  }
}

/** When all is read that it printed; a child that it left behind is killed, or it would hold the pipes open. */
async function whenEnded(child: ChildProcess): Promise<[number | null, string]> {
  return await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      killGroup(child);
      // One that left the group keeps its pipe.
      const timer = setTimeout(() => resolve([code, signal ?? 'unknown']), DRAIN_MS);
      child.once('close', () => {
        clearTimeout(timer);
        resolve([code, signal ?? 'unknown']);
      });
    });
  });
}

class Collected {
  readonly #maxBytes: number;
  readonly #all: Buffer[] = [];
  readonly #stdout: Buffer[] = [];
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** False when it is too much. */
  add(chunk: Buffer, isStdout: boolean): boolean {
    this.#bytes += chunk.length;
    if (this.#bytes > this.#maxBytes) return false;
    this.#all.push(chunk);
    if (isStdout) this.#stdout.push(chunk);
    return true;
  }

  read(): { stdout: string; output: string } {
    return { stdout: Buffer.concat(this.#stdout).toString('utf8'), output: Buffer.concat(this.#all).toString('utf8') };
  }
}
