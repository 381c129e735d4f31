/** The host program itself, as `npm run up` starts it, on a given home. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { projectRoot } from '../../host/config/home.ts';

/** What it prints when it is ready. */
const READY = 'Portolan is running';

export class HostProgram implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly pid: number;
  /** From the start of the process to the line that it is ready. */
  readonly readyMs: number;

  private constructor(child: ChildProcess, pid: number, readyMs: number) {
    this.#child = child;
    this.pid = pid;
    this.readyMs = readyMs;
  }

  /** Throws when it ends before it is ready. */
  static async start(home: string): Promise<HostProgram> {
    const startedAt = performance.now();
    const child = spawn(process.execPath, ['--enable-source-maps', join(projectRoot(), 'dist', 'host.mjs')], {
      env: { ...process.env, PORTOLAN_HOME: home, PORTOLAN_PORT: '0' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const { pid, stdout } = child;
    if (pid === undefined) throw new Error('the host program cannot be started');
    await awaitLine(child, stdout);
    return new HostProgram(child, pid, performance.now() - startedAt);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await exited;
  }
}

/** Reads on afterwards, so that nothing the host prints later meets a closed pipe. */
function awaitLine(child: ChildProcess, output: NodeJS.ReadableStream): Promise<void> {
  return new Promise((resolve, reject) => {
    let printed = '';
    output.on('data', (chunk: Buffer) => {
      printed += String(chunk);
      if (printed.includes(READY)) resolve();
    });
    child.once('exit', () => reject(new Error(`the host did not start: ${printed.trim()}`)));
  });
}
