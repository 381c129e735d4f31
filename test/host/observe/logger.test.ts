import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { hostLog, startLogging } from '../../../host/observe/logger.ts';
import { makeTempHome } from '../../support/temp-home.ts';

test('a host that stops as soon as it runs leaves its log behind', () => {
  const { logFile } = makeTempHome();
  const { flush } = startLogging(logFile, 'info');
  hostLog.info({}, 'the host is stopping');
  flush();
  expect(readFileSync(logFile, 'utf8')).toContain('the host is stopping');
});
