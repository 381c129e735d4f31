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

const DISK_FULL = new Set(['SQLITE_FULL', 'ENOSPC', 'EDQUOT']);
const DISK_FAILED = new Set(['SQLITE_NOTADB', 'EIO', 'EROFS']);
/** With their extended codes, such as SQLITE_IOERR_WRITE. */
const DISK_FAILED_FAMILIES = ['SQLITE_IOERR', 'SQLITE_CORRUPT', 'SQLITE_CANTOPEN', 'SQLITE_READONLY'];

/**
 * Whether an error is the disk's trouble: full, failing, or held by another program. Then it is a Fault that is worth
 * another try: `disk_full`, `disk_failed`, `database_busy`. Null for anything else, which is a bug: what SQLite says of
 * a statement too. The one place that decides this.
 */
export function toDiskFault(error: unknown): Fault | null {
  const code = errorCode(error);
  const more = { cause: error, retryable: true };
  if (DISK_FULL.has(code)) return new Fault('disk_full', 'the disk is full', { ...more, hint: 'free some disk space' });
  if (DISK_FAILED.has(code) || DISK_FAILED_FAMILIES.some((family) => code.startsWith(family))) {
    const hint = 'npx portolan doctor';
    return new Fault('disk_failed', 'the disk cannot be read or written', { ...more, hint });
  }
  if (code.startsWith('SQLITE_BUSY')) {
    const hint = 'close the program that has it open';
    return new Fault('database_busy', 'another program holds a database of the host', { ...more, hint });
  }
  return null;
}
