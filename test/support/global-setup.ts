/**
 * Runs once for each vitest project, before its tests: dist/ is built from the sources as they are,
 * because hosts, readers and runners of the tests are those programs. A part that does not build is
 * named here and removed from dist/, so that a test which needs it fails instead of running older code.
 */
import type { TestProject } from 'vitest/node';
import { buildChanged } from '../../scripts/lib/build.mjs';

export default async function setup(project: TestProject): Promise<void> {
  // Only whole-system suites open the page, and it is the slowest part to build.
  const report = await buildChanged({ web: project.name === 'whole' });
  if (report.built.length > 0) console.log(`built ${report.built.join(', ')}`);
  for (const { part, problem } of report.failed) console.error(`\ndist: ${part} does not build\n${problem}\n`);
}
