#!/usr/bin/env node
/** `npm run build`: builds the parts whose sources changed. */
import { stopCommandsOnSignal } from './lib/commands.mjs';
import { setUpWithoutEngine } from './lib/set-up.mjs';
import { runScript, Steps } from './lib/steps.mjs';

await runScript(async () => {
  stopCommandsOnSignal();
  await setUpWithoutEngine(new Steps({ total: 3 }));
  return 0;
});
