/** Runs vitest and sums up: what failed by name, and the outcome on one line for a machine. */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { runAttached } from './commands.mjs';
import { StepFailure } from './steps.mjs';
import { LOGS, ROOT } from './workspace.mjs';

const REPORT = join(LOGS, 'tests.json');

/**
 * Runs the tests on this terminal. At the very end it names what failed, a line each, and prints `N passed, N
 * failed` alone on the last line. A skipped test counts as failed: nothing is left out silently.
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
  const { passed, failed } = summariseReport(readReport(code), ROOT, code);
  const names = failed.map((name) => `✗ ${name}\n`).join('');
  process.stdout.write(`\n${names}${passed} passed, ${failed.length} failed\n`);
  return failed.length > 0 && code === 0 ? 1 : code;
}

/**
 * @param {number} code vitest's exit code
 * @returns {Report}
 */
function readReport(code) {
  try {
    return JSON.parse(readFileSync(REPORT, 'utf8'));
  } catch (cause) {
    throw new StepFailure('vitest ended without a report.', { why: `It ended with ${code}.`, cause });
  }
}

/** @typedef {{ status: string, title: string, ancestorTitles: string[] }} ReportedTest */
/** @typedef {{ name: string, status: string, assertionResults: ReportedTest[] }} ReportedFile */
/** @typedef {{ testResults: ReportedFile[] }} Report vitest's JSON report, as far as it is read here */

/**
 * How many passed, and the names of those that did not: tests that failed or were skipped, files that broke before
 * their first test, and what vitest failed for beside all tests.
 * @param {Report} report
 * @param {string} root paths are shown from here
 * @param {number} code vitest's exit code
 */
export function summariseReport(report, root, code) {
  /** @type {string[]} */
  const failed = [];
  let passed = 0;
  for (const file of report.testResults) {
    const path = relative(root, file.name);
    for (const { status, ancestorTitles, title } of file.assertionResults) {
      if (status === 'passed') passed++;
      else failed.push([path, ...ancestorTitles, title].join(' > ') + (status === 'failed' ? '' : ` (${status})`));
    }
    if (file.status === 'failed' && !file.assertionResults.some(({ status }) => status === 'failed')) {
      failed.push(`${path} (the file itself)`);
    }
  }
  // A rejection that nobody awaited, mostly: the report does not hold it.
  if (code !== 0 && failed.length === 0) failed.push('vitest > an error outside every test, printed above');
  return { passed, failed };
}
