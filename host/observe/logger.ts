/**
 * Loggers, one per folder. Message constant, data in fields; never message bodies or secrets. An error of our own
 * is logged as `err`; one that a channel threw as `foreign`, for its words may quote the message or the request.
 * `startLogging` chooses where they write; until then they write nothing.
 */
import { mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import pino, { type DestinationStream, type Logger } from 'pino';
import { errorCode } from '../config/errors.ts';

const target: { stream: DestinationStream | null } = { stream: null };

const root = pino(
  {
    level: 'info',
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: {
      paths: [
        ...['token', 'text', 'content', 'value', 'secret', 'passphrase'].flatMap((name) => [name, `*.${name}`]),
        ...['*.authorization', '*.cookie', '*["x-api-key"]', '*["proxy-authorization"]'],
      ],
      censor: '[hidden]',
    },
    serializers: { err: describeError, foreign: describeForeign },
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
export const vaultLog = makeLogger('vault');
export const sessionsLog = makeLogger('sessions');
export const questionsLog = makeLogger('questions');
export const agentsLog = makeLogger('agents');
export const approvalsLog = makeLogger('approvals');
export const egressLog = makeLogger('egress');
export const imagesLog = makeLogger('images');
export const commandsLog = makeLogger('commands');
export const scheduleLog = makeLogger('schedule');
export const runtimeLog = makeLogger('runtime');
export const deliveryLog = makeLogger('delivery');
export const channelsLog = makeLogger('channels');
export const consoleLog = makeLogger('console');

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

interface LoggedError {
  type: string;
  message?: string;
  code?: string;
  stack: string;
}

/** Too low hides the first cause; a chain that closes on itself ends here. */
const MAX_CAUSES = 5;

/** Only what every error has: a client's errors carry the request with its headers and body beside it. */
function describeError(error: unknown, causes = MAX_CAUSES): unknown {
  if (!(error instanceof Error)) return error;
  const logged: LoggedError = { type: error.name, message: error.message, stack: error.stack ?? '' };
  const code = errorCode(error);
  if (code !== '') logged.code = code;
  if (error.cause instanceof Error && causes > 0) return { ...logged, cause: describeError(error.cause, causes - 1) };
  return logged;
}

/** Where it was thrown, and nothing of what it says. */
function describeForeign(error: unknown): LoggedError {
  if (!(error instanceof Error)) return { type: typeof error, stack: '' };
  const frames = (error.stack ?? '').split('\n').filter((line) => /^ {4}at .+:\d+:\d+\)?$/.test(line));
  return { type: error.constructor.name, stack: frames.join('\n') };
}

/** Sends the loggers to a file (synchronously flushed every second and at exit by pino's own stream). */
export function startLogging(path: string, level: LogLevel): { flush: () => void } {
  mkdirSync(dirname(path), { recursive: true });
  // Opened here: a stream that opens its file by itself cannot be flushed by a host that stops as soon as it runs.
  const stream = pino.destination({
    dest: openSync(path, 'a', 0o600),
    sync: false,
    minLength: 4_096,
    periodicFlush: 1_000,
  });
  target.stream = stream;
  root.level = level;
  for (const child of children) child.level = level;
  return { flush: () => stream.flushSync() };
}
