#!/usr/bin/env node
/** `npm run bench`: measures speed through real containers. Arguments go on to the bench (`--json`). */
import { join } from 'node:path';
import { runAttached, stopCommandsOnSignal } from './lib/commands.mjs';
import { SET_UP_STEPS, setUp } from './lib/set-up.mjs';
import { runScript, Steps } from './lib/steps.mjs';
import { DIST, ENV, ROOT } from './lib/workspace.mjs';

await runScript(async () => {
  stopCommandsOnSignal();
  // Progress to the error stream: the output is the table, or JSON for a program to read.
  const { image } = await setUp(new Steps({ total: SET_UP_STEPS, out: process.stderr }), { web: false });
  return runAttached(process.execPath, ['--enable-source-maps', join(DIST, 'bench.mjs'), ...process.argv.slice(2)], {
    cwd: ROOT,
    env: { ...process.env, [ENV.image]: image },
  });
});
