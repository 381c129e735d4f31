/** The three sorts of error: a refusal is a value, a fault is a `Fault`, a bug is `assertNever` or a plain Error. */

/** The world failed: disk, engine, platform. `code` is for programs, `hint` tells a person what to type next. */
export class Fault extends Error {
  readonly code: string;
  readonly retryable: boolean;
  readonly hint: string | undefined;

  constructor(
    code: string,
    message: string,
    options: { cause?: unknown; retryable?: boolean; hint?: string | undefined } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'Fault';
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.hint = options.hint;
  }
}

/** Closes a switch over a union: reaching it is a bug. */
export function assertNever(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}

/** The `code` of a Node or SQLite error, of any realm; '' for anything else. */
export function errorCode(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}

/** A full or failing disk, met anywhere, as a Fault that is worth another try; null for anything else. */
export function toDiskFault(error: unknown): Fault | null {
  const code = errorCode(error);
  if (code === 'SQLITE_FULL' || code === 'ENOSPC' || code === 'EDQUOT') {
    return new Fault('disk_full', 'the disk is full', { cause: error, retryable: true, hint: 'free some disk space' });
  }
  if (code.startsWith('SQLITE_IOERR') || code === 'EIO') {
    return new Fault('disk_failed', 'the disk cannot be read or written', { cause: error, retryable: true });
  }
  return null;
}
