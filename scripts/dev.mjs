#!/usr/bin/env node
/** `npm run dev`: the whole host without Docker; agents run as child processes, which is no isolation at all. */
import { stopCommandsOnSignal } from './lib/commands.mjs';
import { runHost } from './lib/host-process.mjs';
import { setUpWithoutEngine } from './lib/set-up.mjs';
import { runScript, Steps } from './lib/steps.mjs';
import { ENV, hostEnvironment } from './lib/workspace.mjs';

await runScript(async () => {
  const stopListening = stopCommandsOnSignal();
  await setUpWithoutEngine(new Steps({ total: 3 }));
  stopListening();
  return runHost({ ...hostEnvironment(process.env), [ENV.driver]: 'process' });
});
