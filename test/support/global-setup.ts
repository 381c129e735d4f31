/**
 * Runs once for each vitest project, before its tests: dist/ and the agent image are built from the
 * sources as they are, because the hosts, readers and runners of the tests are those programs. What does
 * not build is named here and removed from dist/, so that a test which needs it fails instead of running
 * older code. `npm test` has done all this before, and stops at the first failure.
 */
import type { TestProject } from 'vitest/node';
import { buildChanged } from '../../scripts/lib/build.mjs';
import { reachEngine } from '../../scripts/lib/engine.mjs';
import { ensureImage } from '../../scripts/lib/image.mjs';
import { StepFailure } from '../../scripts/lib/steps.mjs';

export default async function setup(project: TestProject): Promise<void> {
  // Only whole-system suites open the page, and it is the slowest part to build.
  const report = await buildChanged({ web: project.name === 'whole' });
  if (report.built.length > 0) console.log(`built ${report.built.join(', ')}`);
  for (const { part, problem } of report.failed) console.error(`\ndist: ${part} does not build\n${problem}\n`);
  // Workers inherit this environment.
  process.env.PORTOLAN_IMAGE ??= await prepareImage();
}

/** The exact image of these sources; where there can be none, a name that no image has. */
async function prepareImage(): Promise<string> {
  const client = await reachEngine();
  if (client === null) {
    console.error('\nNo Docker Engine answers: tests with containers will fail. `npm test` starts or installs one.\n');
    return 'portolan-agent:no-docker-engine-answers';
  }
  try {
    return (await ensureImage(client, { phase: console.log, detail: () => undefined })).tag;
  } catch (error) {
    if (!(error instanceof StepFailure)) throw error;
    console.error(`\n${error.message}\n${error.why}\n`);
    return 'portolan-agent:not-built';
  }
}
