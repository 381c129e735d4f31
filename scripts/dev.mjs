#!/usr/bin/env node
/** `npm run dev`: the whole host without Docker; agents run as child processes, which is no isolation at all. */
import { stopCommandsOnSignal } from './lib/commands.mjs';
import { runHost } from './lib/host-process.mjs';
import { setUpWithoutEngine } from './lib/set-up.mjs';
import { printedHelp, requireSettings, takeSecretSettings } from './lib/settings.mjs';
import { runScript, Steps } from './lib/steps.mjs';
import { ENV, hostEnvironment } from './lib/workspace.mjs';

const HELP = `npm run dev: builds, then runs Portolan in this terminal without Docker.

Agents run as plain child processes, without isolation: for development only. Settings are those of npm run up.`;

await runScript(async () => {
  if (printedHelp(process.argv.slice(2), { command: 'npm run dev', help: HELP })) return 0;
  requireSettings(process.env, 'npm run dev');
  const secrets = takeSecretSettings(process.env);
  const stopListening = stopCommandsOnSignal();
  await setUpWithoutEngine(new Steps({ total: 3 }));
  stopListening();
  return runHost({ ...hostEnvironment(process.env), ...secrets, [ENV.driver]: 'process' });
});
