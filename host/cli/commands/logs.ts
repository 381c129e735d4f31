/** `portolan logs`: the host's log, chosen and shown for people, also when the host is down. */
import { errorCode } from '../../config/errors.ts';
import type { Context } from '../context.ts';
import { CliError, EXIT } from '../errors.ts';
import { followLines } from '../logs/follow.ts';
import { createLogFormatter, isLogLevel, LOG_LEVELS, matchLogRecord, parseLogLine } from '../logs/format.ts';
import { shellWord } from '../output/shell.ts';
import { safeJson } from '../output/text.ts';

export interface LogsOptions {
  follow?: boolean;
  lines: number;
  level: string;
  session?: string;
}

export async function showLogs(context: Context, options: LogsOptions): Promise<void> {
  const { terminal, paths } = context;
  const { level } = options;
  if (!isLogLevel(level)) {
    throw new CliError(EXIT.usage, 'bad_level', `There is no log level "${level}".`, {
      expected: `one of ${Object.keys(LOG_LEVELS).join(', ')}`,
    });
  }
  const filter = { level, session: options.session ?? null };
  const format = context.json ? null : await createLogFormatter(context.style.isColoured);
  const lines = followLines(paths.logFile, {
    follow: options.follow === true,
    lastLines: options.lines,
    signal: terminal.interrupted,
  });
  try {
    for await (const line of lines) {
      const record = parseLogLine(line);
      if (!matchLogRecord(record, filter)) continue;
      // One document per line: a log has no end that a single document could wait for.
      const text = format === null ? safeJson(record ?? { msg: line }, 0) : format(record, line);
      if (!terminal.stdout.write(`${text}\n`)) await drained(context);
    }
  } catch (error) {
    if (errorCode(error) === 'ENOENT') {
      throw new CliError(EXIT.notFound, 'no_log', `There is no log yet at ${paths.logFile}`, {
        expected: 'a host that ran once; PORTOLAN_HOME says which one',
        next: 'npm run up',
        cause: error,
      });
    }
    if (errorCode(error) === 'EACCES') {
      throw new CliError(EXIT.refused, 'log_permission', `You may not read ${paths.logFile}`, {
        expected: 'the user that runs the host',
        next: `sudo -u "$(stat -c %U ${shellWord(paths.logFile)})" portolan logs`,
        cause: error,
      });
    }
    throw error;
  }
}

function drained(context: Context): Promise<void> {
  return new Promise((resolve) => {
    const { interrupted, stdout } = context.terminal;
    stdout.once('drain', resolve);
    interrupted.addEventListener('abort', () => resolve(), { once: true });
  });
}
