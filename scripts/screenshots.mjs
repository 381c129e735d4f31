#!/usr/bin/env node
/** `npm run screenshots`: takes the README's pictures anew, by the browser test, and puts them into docs/. */
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureChromium } from './lib/chromium.mjs';
import { stopCommandsOnSignal } from './lib/commands.mjs';
import { fingerprintPage, PICTURED } from './lib/page.mjs';
import { setUpWithoutEngine } from './lib/set-up.mjs';
import { runScript, Steps } from './lib/steps.mjs';
import { runTests } from './lib/test-run.mjs';
import { DIST, ROOT } from './lib/workspace.mjs';

await runScript(async () => {
  stopCommandsOnSignal();
  const steps = new Steps({ total: 4 });
  // Before the build: a change made meanwhile is not in the pictures.
  const pictured = fingerprintPage();
  await setUpWithoutEngine(steps);
  let chromium = '';
  await steps.run('Chromium', async (progress) => {
    chromium = await ensureChromium(progress);
    return chromium;
  });
  const files = ['--project', 'whole', 'test/browser/first-run.test.ts'];
  const code = await runTests(files, { ...process.env, PORTOLAN_CHROMIUM: chromium });
  // A picture of a run that failed is no picture of the page.
  if (code !== 0) return code;
  cpSync(join(DIST, 'screenshots'), join(ROOT, 'docs', 'screenshots'), { recursive: true });
  writeFileSync(PICTURED, `${pictured}\n`);
  return code;
});
