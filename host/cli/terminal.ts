/** Where a command reads and writes: given to every command, so that tests run them in this process. */
import type { Readable, Writable } from 'node:stream';

/** Standard streams and the little of the process that commands may look at. */
export interface Terminal {
  stdin: Readable;
  stdout: Writable;
  stderr: Writable;
  /** A person looks at stdout: tables fit its width and times are relative. */
  isInteractive: boolean;
  /** A person types on stdin. */
  isStdinInteractive: boolean;
  /** Colours are wanted: a TTY, and no NO_COLOR. */
  useColour: boolean;
  /** Columns of the screen; read at each use, because people resize windows. */
  columns(): number;
  rows(): number;
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
  /** Aborted at the first Ctrl+C or SIGTERM of a command that goes on (`logs -f`, `--wait`). */
  interrupted: AbortSignal;
  /** Epoch ms. */
  now(): number;
}

const FALLBACK_COLUMNS = 80;
const FALLBACK_ROWS = 24;

/** The process's own terminal. `interrupted` is the caller's, because only main.ts may touch signals. */
export function openProcessTerminal(interrupted: AbortSignal): Terminal {
  const { env, stdin, stdout, stderr } = process;
  const isInteractive = stdout.isTTY === true;
  return {
    stdin,
    stdout,
    stderr,
    isInteractive,
    isStdinInteractive: stdin.isTTY === true,
    // Source: no-color.org: set and not empty means no colour.
    useColour: isInteractive && !env.NO_COLOR && env.TERM !== 'dumb',
    columns: () => stdout.columns || FALLBACK_COLUMNS,
    rows: () => stdout.rows || FALLBACK_ROWS,
    env,
    cwd: process.cwd(),
    interrupted,
    now: Date.now,
  };
}
