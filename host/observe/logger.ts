/**
 * Loggers, one per folder. Message constant, data in fields; never message bodies or secrets.
 * `startLogging` chooses where they write; until then they write nothing.
 */
import pino, { type DestinationStream, type Logger } from 'pino';

const target: { stream: DestinationStream | null } = { stream: null };

const root = pino(
  {
    level: 'info',
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: {
      paths: ['token', 'text', 'content', '*.token', '*.text', '*.content', '*.authorization', '*.cookie'],
      censor: '[hidden]',
    },
    serializers: { err: pino.stdSerializers.errWithCause },
  },
  { write: (line: string) => target.stream?.write(line) },
);

const children: Logger[] = [];

function makeLogger(part: string): Logger {
  const child = root.child({ part });
  children.push(child);
  return child;
}

export const hostLog = makeLogger('host');
export const routingLog = makeLogger('routing');
export const sessionsLog = makeLogger('sessions');
export const questionsLog = makeLogger('questions');
export const agentsLog = makeLogger('agents');
export const approvalsLog = makeLogger('approvals');
export const scheduleLog = makeLogger('schedule');
export const runtimeLog = makeLogger('runtime');
export const deliveryLog = makeLogger('delivery');
export const channelsLog = makeLogger('channels');
export const consoleLog = makeLogger('console');

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Sends the loggers to a file (synchronously flushed every second and at exit by pino's own stream). */
export function startLogging(path: string, level: LogLevel): { flush: () => void } {
  const stream = pino.destination({
    dest: path,
    mkdir: true,
    mode: 0o600,
    sync: false,
    minLength: 4_096,
    periodicFlush: 1_000,
  });
  target.stream = stream;
  root.level = level;
  for (const child of children) child.level = level;
  return { flush: () => stream.flushSync() };
}
