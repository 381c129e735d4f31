/** What the command line ends with: every exit code, and the one error that carries it. */

/** Exit codes; scripts rely on them, so they never change meaning. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  hostNotRunning: 3,
  notFound: 4,
  refused: 5,
  checkFailed: 6,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

interface CliErrorDetail {
  /** What was expected, without "expected" in front. */
  expected?: string | undefined;
  /** What to type or do next. */
  next?: string | undefined;
  cause?: unknown;
}

/** A fault or refusal that ends the command: `message` says what was wrong, for people. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: ExitCode;
  /** A machine word, stable for scripts. */
  readonly code: string;
  readonly expected: string | undefined;
  readonly next: string | undefined;

  constructor(exitCode: ExitCode, code: string, message: string, detail: CliErrorDetail = {}) {
    super(message, { cause: detail.cause });
    this.exitCode = exitCode;
    this.code = code;
    this.expected = detail.expected;
    this.next = detail.next;
  }
}

export function isExitCode(value: unknown): value is ExitCode {
  return Object.values(EXIT).some((code) => code === value);
}
