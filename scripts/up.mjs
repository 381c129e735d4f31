#!/usr/bin/env node
/** `npm run up`: from a fresh clone to a running host, in the foreground. Run again, it changes nothing. */
import { stopCommandsOnSignal } from './lib/commands.mjs';
import { runHost } from './lib/host-process.mjs';
import { SET_UP_STEPS, setUp } from './lib/set-up.mjs';
import { runScript, Steps } from './lib/steps.mjs';
import { ENV, hostEnvironment } from './lib/workspace.mjs';

await runScript(async () => {
  const stopListening = stopCommandsOnSignal();
  const { image } = await setUp(new Steps({ total: SET_UP_STEPS }));
  stopListening();
  return runHost({ ...hostEnvironment(process.env), [ENV.image]: process.env[ENV.image] || image });
});
