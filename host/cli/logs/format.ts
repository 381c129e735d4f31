/** One line of the host's log: chosen by level and session, shown for people or kept as JSON. */
import { oneLine, plainText } from '../output/text.ts';

export const LOG_LEVELS = { trace: 10, debug: 20, info: 30, warn: 40, error: 50, fatal: 60 } as const;
export type LogLevel = keyof typeof LOG_LEVELS;

export function isLogLevel(text: string): text is LogLevel {
  return Object.hasOwn(LOG_LEVELS, text);
}

export interface LogFilter {
  /** The least level to show. */
  level: LogLevel;
  /** A whole session id, or its beginning or end; null shows every session and what belongs to none. */
  session: string | null;
}

type LogRecord = Record<string, unknown>;

/** Parses a line; null when it is no JSON object (a crash of the runtime writes plain text). */
export function parseLogLine(line: string): LogRecord | null {
  try {
    const value: unknown = JSON.parse(line);
    return isRecord(value) ? value : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function isRecord(value: unknown): value is LogRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether a record passes. A line that is no record always does, unless a session is asked for: it may be a crash. */
export function matchLogRecord(record: LogRecord | null, filter: LogFilter): boolean {
  if (record === null) return filter.session === null;
  if (typeof record.level === 'number' && record.level < LOG_LEVELS[filter.level]) return false;
  if (filter.session === null) return true;
  const session = record.sessionId;
  return typeof session === 'string' && (session.startsWith(filter.session) || session.endsWith(filter.session));
}

/** Makes the formatter for people: one line per record, fields behind, nothing that could steer the terminal. */
export async function createLogFormatter(
  useColour: boolean,
): Promise<(record: LogRecord | null, line: string) => string> {
  // Loaded on use: it would be a good part of the start of every other command.
  const { prettyFactory } = await import('pino-pretty');
  const pretty = prettyFactory({
    colorize: useColour,
    translateTime: 'SYS:yyyy-mm-dd HH:MM:ss.l',
    ignore: 'pid,hostname,part',
    messageFormat: '{if part}{part}: {end}{msg}',
    singleLine: true,
  });
  return (record, line) => (record === null ? oneLine(line) : pretty(makeSafe(record, 0)).trimEnd());
}

const MAX_DEPTH = 8;

function makeSafe<T>(value: T, depth: number): T;
function makeSafe(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return plainText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MAX_DEPTH) return '…';
  if (Array.isArray(value)) return value.map((item) => makeSafe(item, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [oneLine(key), makeSafe(item, depth + 1)]));
}
