/**
 * Runs the host in the foreground and passes its end on.
 *
 *   terminal Ctrl+C ─→ npm, this script        host: a process group of its own, hears only what we pass on
 *
 * I1. One Ctrl+C reaches the host once. The terminal signals npm and this script, and npm passes its copy
 *     on too: signals closer together than a person presses keys count as one.
 * I2. The host's exit code is ours.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { StepFailure } from './steps.mjs';
import { DIST, ROOT } from './workspace.mjs';

/** Repeats within this time are the same key press. Higher swallows a person's second, impatient one. */
const SAME_PRESS_MS = 400;

/** @type {Partial<Record<NodeJS.Signals, number>>} What a shell says of a command that a signal ended. */
const STOPPED_BY = { SIGINT: 130, SIGTERM: 143 };

/**
 * @param {NodeJS.ProcessEnv} env
 * @param {string} [program] the host's; tests give another
 * @returns {Promise<number>} exit code
 */
export async function runHost(env, program = join(DIST, 'host.mjs')) {
  const child = spawn(process.execPath, ['--enable-source-maps', program], {
    cwd: ROOT,
    env,
    stdio: 'inherit',
    detached: true,
  });
  /** @type {Map<NodeJS.Signals, number>} */
  const passedAt = new Map();
  /** @param {NodeJS.Signals} signal */
  const pass = (signal) => {
    const now = performance.now();
    if (now - (passedAt.get(signal) ?? Number.NEGATIVE_INFINITY) >= SAME_PRESS_MS) child.kill(signal); // I1
    passedAt.set(signal, now);
  };
  // A closed terminal is a wish to stop, not a wish to reload.
  const signals = /** @type {const} */ ([
    ['SIGINT', () => pass('SIGINT')],
    ['SIGTERM', () => pass('SIGTERM')],
    ['SIGHUP', () => pass('SIGTERM')],
  ]);
  for (const [signal, listener] of signals) process.on(signal, listener);
  try {
    const [code, signal] = await once(child, 'exit');
    // It was told to stop before it listened for it: nothing had begun.
    if (signal !== null && passedAt.has(signal)) return STOPPED_BY[/** @type {NodeJS.Signals} */ (signal)] ?? 1;
    if (signal !== null) throw new StepFailure(`The host was ended by ${signal}.`, { next: ['bin/portolan doctor'] });
    return code;
  } finally {
    for (const [signal, listener] of signals) process.off(signal, listener);
  }
}
