#!/usr/bin/env node
/** `npm run schema`: writes migrations/central/schema.sql from the migrations; `--check` only compares. */
import { join } from 'node:path';
import { buildOrFail } from './lib/build.mjs';
import { runAttached } from './lib/commands.mjs';
import { runScript } from './lib/steps.mjs';
import { DIST } from './lib/workspace.mjs';

await runScript(async () => {
  await buildOrFail({ web: false, only: ['dump-schema'] });
  return runAttached(process.execPath, [join(DIST, 'dump-schema.mjs'), ...process.argv.slice(2)]);
});
