#!/usr/bin/env node
/** Builds the agent image by itself: what the steps of `npm run up` do, up to there. */
import { stopCommandsOnSignal } from './lib/commands.mjs';
import { SET_UP_STEPS, setUp } from './lib/set-up.mjs';
import { runScript, Steps } from './lib/steps.mjs';

await runScript(async () => {
  stopCommandsOnSignal();
  const { image } = await setUp(new Steps({ total: SET_UP_STEPS }), { web: false });
  process.stdout.write(`${image}\n`);
  return 0;
});
