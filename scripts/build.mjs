#!/usr/bin/env node
/** `npm run build`: builds the parts whose sources changed. */
import { buildOrFail } from './lib/build.mjs';
import { stopCommandsOnSignal } from './lib/commands.mjs';
import { ensureDependencies } from './lib/dependencies.mjs';
import { requireNode } from './lib/node-version.mjs';
import { runScript, Steps } from './lib/steps.mjs';

await runScript(async () => {
  stopCommandsOnSignal();
  const steps = new Steps({ total: 3 });
  await steps.run('Node', requireNode);
  await steps.run('Dependencies', ensureDependencies);
  await steps.run('Build', (progress) =>
    buildOrFail({ onPart: progress.phase, onWait: (holder) => progress.phase(`waiting for ${holder}`) }),
  );
  return 0;
});
