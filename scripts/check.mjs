#!/usr/bin/env node
/** `npm run check`: all of CI's checks. `--static` leaves the tests out, because `npm test` runs them. */
import { join } from 'node:path';
import { runAttached, stopCommandsOnSignal } from './lib/commands.mjs';
import { setUpWithoutEngine } from './lib/set-up.mjs';
import { runStaticChecks, STATIC_CHECKS } from './lib/static-checks.mjs';
import { runScript, Steps } from './lib/steps.mjs';
import { ROOT } from './lib/workspace.mjs';

await runScript(async () => {
  stopCommandsOnSignal();
  const steps = new Steps({ total: 3 + STATIC_CHECKS });
  await setUpWithoutEngine(steps);
  await runStaticChecks(steps);
  if (process.argv.includes('--static')) return 0;
  return runAttached(process.execPath, [join(ROOT, 'scripts', 'test.mjs')], { cwd: ROOT });
});
