/** Runs a command line in this process, on streams of its own. */
import { PassThrough, Readable } from 'node:stream';
import { runCli } from '../../../../host/cli/program.ts';
import type { Terminal } from '../../../../host/cli/terminal.ts';
import type { HomePaths } from '../../../../host/config/home.ts';

export interface Run {
  code: number;
  out: string;
  err: string;
}

export interface RunOptions {
  stdin?: string;
  /** A person types it. */
  isStdinInteractive?: boolean;
  /** Columns of a terminal that a person looks at; a pipe without. */
  columns?: number;
  colour?: boolean;
  env?: Record<string, string>;
  cwd?: string;
  interrupted?: AbortSignal;
  /** Called with all of stdout so far, whenever there is more. */
  onOut?: (out: string) => void;
}

export async function portolan(paths: HomePaths, words: string[], options: RunOptions = {}): Promise<Run> {
  const run: Run = { code: -1, out: '', err: '' };
  const stdout = new PassThrough().setEncoding('utf8').on('data', (text: string) => {
    run.out += text;
    options.onOut?.(run.out);
  });
  const stderr = new PassThrough().setEncoding('utf8').on('data', (text: string) => {
    run.err += text;
  });
  const terminal: Terminal = {
    stdin: Readable.from([options.stdin ?? '']),
    stdout,
    stderr,
    isInteractive: options.columns !== undefined,
    isStdinInteractive: options.isStdinInteractive === true,
    useColour: options.colour === true,
    columns: () => options.columns ?? 80,
    rows: () => 24,
    env: { PORTOLAN_HOME: paths.home, ...options.env },
    cwd: options.cwd ?? paths.home,
    interrupted: options.interrupted ?? new AbortController().signal,
    now: Date.now,
  };
  run.code = await runCli(words, terminal);
  await new Promise((resolve) => setImmediate(resolve));
  return run;
}
