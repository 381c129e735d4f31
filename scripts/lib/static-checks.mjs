/** The checks that look at the sources without running them. */
import { join } from 'node:path';
import { runLogged } from './commands.mjs';
import { StepFailure } from './steps.mjs';
import { LOGS, ROOT } from './workspace.mjs';

const LOG = join(LOGS, 'checks.log');

/** A checker's findings are the point of running it: more is shown than of other failures. */
const SHOWN_LINES = 80;

/** @type {readonly { name: string, command: string[], next: string }[]} */
const CHECKS = [
  {
    name: 'Format, lint',
    command: ['npx', 'biome', 'ci', '--colors=off', '--diagnostic-level=warn', '.'],
    next: 'npm run format',
  },
  { name: 'Types', command: ['npx', 'tsc', '-p', '.'], next: 'npx tsc -p .' },
  {
    name: 'Types, page',
    command: ['npx', 'tsc', '-p', 'host/console/web'],
    next: 'npx tsc -p host/console/web',
  },
  { name: 'Unused code', command: ['npx', 'knip'], next: 'npx knip' },
  {
    name: 'Schema',
    command: ['node', 'scripts/dump-schema.mjs', '--check'],
    next: 'npm run schema',
  },
];

export const STATIC_CHECKS = CHECKS.length;

/**
 * Runs them all, each a step, and prints what each finds. Throws StepFailure at the end when any failed.
 * @param {import('./steps.mjs').Steps} steps
 */
export async function runStaticChecks(steps) {
  /** @type {typeof CHECKS[number][]} */
  const failed = [];
  for (const check of CHECKS) {
    try {
      await steps.run(check.name, (progress) => runCheck(check, progress));
    } catch (error) {
      if (!(error instanceof StepFailure)) throw error;
      process.stdout.write(`\n${error.why}\n\n`);
      failed.push(check);
    }
  }
  if (failed.length === 0) return;
  throw new StepFailure(`These checks failed: ${failed.map(({ name }) => name.toLowerCase()).join('; ')}.`, {
    log: LOG,
    next: failed.map(({ next }) => next),
  });
}

/**
 * @param {typeof CHECKS[number]} check
 * @param {import('./steps.mjs').Progress} progress
 */
async function runCheck({ command, next }, progress) {
  const [program = '', ...args] = command;
  await runLogged(program, args, {
    cwd: ROOT,
    log: LOG,
    onLine: progress.detail,
    next: [next],
    pick: (lines) => lines.slice(-SHOWN_LINES),
  });
  return 'good';
}
