/** Runs vitest and counts, so that a machine reads the outcome on one line. */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runAttached } from './commands.mjs';
import { StepFailure } from './steps.mjs';
import { LOGS, ROOT } from './workspace.mjs';

const REPORT = join(LOGS, 'tests.json');

/**
 * Runs the tests on this terminal and prints `N passed, N failed` alone on the last line. A skipped test
 * counts as failed: nothing is left out silently.
 * @param {readonly string[]} args passed on to vitest
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<number>} exit code
 */
export async function runTests(args, env) {
  mkdirSync(LOGS, { recursive: true });
  rmSync(REPORT, { force: true });
  const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
  const report = ['--reporter=default', '--reporter=json', `--outputFile.json=${REPORT}`];
  const code = await runAttached(process.execPath, [vitest, 'run', ...report, ...args], { cwd: ROOT, env });
  const { passed, failed } = readCounts(code);
  process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
  return failed > 0 && code === 0 ? 1 : code;
}

/** @param {number} code vitest's exit code */
function readCounts(code) {
  let text;
  try {
    text = readFileSync(REPORT, 'utf8');
  } catch (cause) {
    throw new StepFailure('vitest ended without a report.', { why: `It ended with ${code}.`, cause });
  }
  const report = JSON.parse(text);
  const brokenFiles = report.testResults.filter(
    (/** @type {{ status: string, assertionResults: unknown[] }} */ file) =>
      file.status === 'failed' && file.assertionResults.length === 0,
  ).length;
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + report.numPendingTests + report.numTodoTests + brokenFiles,
  };
}
