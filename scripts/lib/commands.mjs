/**
 * Runs other programs with their output in a log file, and shows its last lines when they fail.
 *
 * I1. No program outlives the script that started it: a signal to the script ends them first.
 */
import { spawn } from 'node:child_process';
import { accessSync, constants, createWriteStream, mkdirSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { StepFailure } from './steps.mjs';

/** Lines of a failed program's output that are shown: enough for the error, little enough to read. */
const TAIL_LINES = 15;
/** Lines kept for choosing those from. */
const KEPT_LINES = 400;

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();

/**
 * Ends every program started here when the script is told to stop. Call once, early.
 * @returns {() => void} stops listening: from then on somebody else answers the signals
 */
export function stopCommandsOnSignal() {
  const endings = /** @type {const} */ ([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ]);
  const listeners = endings.map(([signal, code]) => {
    const listener = () => {
      for (const child of running) child.kill(signal);
      process.exit(code);
    };
    process.once(signal, listener);
    return () => process.off(signal, listener);
  });
  return () => {
    for (const remove of listeners) remove();
  };
}

/**
 * Runs a program to its end. Throws StepFailure, with the last lines, when it exits with anything but 0.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ log: string, onLine?: (line: string) => void, cwd?: string, env?: NodeJS.ProcessEnv, next?: string[], pick?: (lines: string[]) => string[] }} options
 *   `pick` chooses the lines that tell why it failed; the last ones when absent
 * @returns {Promise<void>}
 */
export async function runLogged(command, args, { log, onLine, cwd, env, next, pick }) {
  mkdirSync(dirname(log), { recursive: true });
  const file = createWriteStream(log, { flags: 'a' });
  file.write(`\n$ ${command} ${args.join(' ')}\n`);
  /** @type {string[]} */
  const lines = [];
  const child = spawn(command, args, { cwd, env: env ?? process.env, stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      file.write(`${line}\n`);
      lines.push(line);
      if (lines.length > KEPT_LINES) lines.shift();
      if (line.trim() !== '') onLine?.(line.trim());
    });
  }
  try {
    const code = await exitOf(child, command);
    if (code !== 0) {
      throw new StepFailure(`\`${command} ${args.join(' ')}\` ended with ${code}.`, {
        why: (pick?.(lines) ?? lines.slice(-TAIL_LINES)).join('\n'),
        log,
        ...(next ? { next } : {}),
      });
    }
  } finally {
    running.delete(child);
    file.end();
  }
}

/**
 * Runs a program on this terminal and returns its exit code.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<number>}
 */
export async function runAttached(command, args, options = {}) {
  const child = spawn(command, args, { ...options, stdio: 'inherit' });
  running.add(child);
  try {
    const code = await exitOf(child, command);
    return typeof code === 'number' ? code : 1;
  } finally {
    running.delete(child);
  }
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @param {string} command
 * @returns {Promise<number | string>} exit code, or the name of the signal that ended it
 */
function exitOf(child, command) {
  return new Promise((resolve, reject) => {
    // `close`, not `exit`: only then have all lines been read.
    child.on('close', (code, signal) => resolve(code ?? signal ?? 'no exit code'));
    child.on('error', (error) => {
      reject(new StepFailure(`\`${command}\` cannot be started.`, { why: error.message, cause: error }));
    });
  });
}

/**
 * Where a program is, or null. Also looks in sbin, which a user's PATH often lacks.
 * @param {string} name
 * @returns {string | null}
 */
export function findProgram(name) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'];
  for (const folder of folders) {
    if (folder === '') continue;
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch (error) {
      if (!isErrno(error, 'ENOENT', 'EACCES', 'ENOTDIR')) throw error;
    }
  }
  return null;
}

/**
 * Whether a thrown value is a system error with one of these codes.
 * @param {unknown} error
 * @param {...string} codes
 * @returns {error is NodeJS.ErrnoException}
 */
export function isErrno(error, ...codes) {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code);
}

export function isRoot() {
  return process.getuid?.() === 0;
}
