/**
 * JSON lines on stderr, which the host collects. Message constant, data in fields; never message
 * bodies: what people write stays in the databases.
 */
type Fields = Readonly<Record<string, string | number | boolean | null | undefined>>;
type Level = 'info' | 'warn' | 'error';

function write(level: Level, message: string, fields: Fields): void {
  process.stderr.write(`${JSON.stringify({ time: Date.now(), level, area: 'runner', msg: message, ...fields })}\n`);
}

export const log = {
  info: (message: string, fields: Fields = {}) => write('info', message, fields),
  warn: (message: string, fields: Fields = {}) => write('warn', message, fields),
  error: (message: string, fields: Fields = {}) => write('error', message, fields),
};

/** An error's own words and code, without a stack: for a field of a log line. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error && typeof error.code === 'string' ? `${error.code}: ${error.message}` : error.message;
}
