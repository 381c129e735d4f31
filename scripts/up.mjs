#!/usr/bin/env node
/** `npm run up`: from a fresh clone to a running host, in the foreground. Run again, it changes nothing. */
import { stopCommandsOnSignal } from './lib/commands.mjs';
import { runHost } from './lib/host-process.mjs';
import { SET_UP_STEPS, setUp } from './lib/set-up.mjs';
import { printedHelp, requireSettings, takeSecretSettings } from './lib/settings.mjs';
import { runScript, Steps } from './lib/steps.mjs';
import { ENV, hostEnvironment } from './lib/workspace.mjs';

const HELP = `npm run up: installs, builds, starts Docker when it is needed, then runs Portolan in this terminal.

It prints one link that signs you in. Ctrl+C stops it. Run again, it changes nothing and starts at once.

  PORTOLAN_HOME   where everything is kept, default data/ in this folder
  PORTOLAN_PORT   of the web console, default 4180; 0 lets the system choose

For example:
  PORTOLAN_HOME=/srv/portolan PORTOLAN_PORT=4301 npm run up

README.md lists the other settings. Without Docker: npm run dev.`;

await runScript(async () => {
  if (printedHelp(process.argv.slice(2), { command: 'npm run up', help: HELP })) return 0;
  requireSettings(process.env, 'npm run up');
  const secrets = takeSecretSettings(process.env);
  const stopListening = stopCommandsOnSignal();
  const { image } = await setUp(new Steps({ total: SET_UP_STEPS }));
  stopListening();
  return runHost({ ...hostEnvironment(process.env), ...secrets, [ENV.image]: process.env[ENV.image] || image });
});
