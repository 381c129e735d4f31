/** The host's log in a file of the test's. */
import { readFileSync } from 'node:fs';
import { type LogLevel, startLogging } from '../../host/observe/logger.ts';
import { until } from './until.ts';

/** From now on the loggers of this process write there. Returns what reads all that was logged so far. */
export async function logInto(path: string, level: LogLevel): Promise<() => string> {
  const { flush } = startLogging(path, level);
  const isOpen = () => {
    try {
      flush();
      return true;
    } catch (error) {
      if (error instanceof Error && error.message.includes('not ready')) return false;
      throw error;
    }
  };
  await until('the log is open', isOpen);
  return () => {
    flush();
    return readFileSync(path, 'utf8');
  };
}
