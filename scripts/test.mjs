#!/usr/bin/env node
import { ensureChromium } from './lib/chromium.mjs';
/** `npm test`: sets up everything the tests use, real containers and a browser included, and runs them all. */
import { stopCommandsOnSignal } from './lib/commands.mjs';
import { SET_UP_STEPS, setUp } from './lib/set-up.mjs';
import { runScript, Steps } from './lib/steps.mjs';
import { runTests } from './lib/test-run.mjs';
import { ENV } from './lib/workspace.mjs';

await runScript(async () => {
  stopCommandsOnSignal();
  const steps = new Steps({ total: SET_UP_STEPS + 1 });
  const { image } = await setUp(steps);
  let chromium = '';
  await steps.run('Chromium', async (progress) => {
    chromium = await ensureChromium(progress);
    return chromium;
  });
  return runTests(process.argv.slice(2), { ...process.env, [ENV.image]: image, PORTOLAN_CHROMIUM: chromium });
});
