/** The checks that look at the sources without running them. */
import { join } from 'node:path';
import { runLogged } from './commands.mjs';
import { LOGS, ROOT } from './workspace.mjs';

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
 * Runs them all, each a step. Throws StepFailure at the first that fails.
 * @param {import('./steps.mjs').Steps} steps
 */
export async function runStaticChecks(steps) {
  for (const { name, command, next } of CHECKS) {
    await steps.run(name, async (progress) => {
      const [program = '', ...args] = command;
      await runLogged(program, args, {
        cwd: ROOT,
        log: join(LOGS, 'checks.log'),
        onLine: progress.detail,
        next: [next],
        pick: (lines) => lines.slice(-SHOWN_LINES),
      });
      return 'good';
    });
  }
}
