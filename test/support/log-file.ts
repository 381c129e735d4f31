/** The host's log in a file of the test's. */
import { readFileSync } from 'node:fs';
import { type LogLevel, startLogging } from '../../host/observe/logger.ts';

/** From now on the loggers of this process write there. Returns what reads all that was logged so far. */
export function logInto(path: string, level: LogLevel): () => string {
  const { flush } = startLogging(path, level);
  return () => {
    flush();
    return readFileSync(path, 'utf8');
  };
}
