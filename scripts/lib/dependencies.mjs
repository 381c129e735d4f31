/**
 * Brings node_modules to what package-lock.json says, and only then.
 *
 * Two looks, the cheap one first: a stamp of the lockfile and this Node; and, when the stamp differs
 * (someone ran npm by hand), the list npm keeps of what it installed plus a try of the one native module.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { aptInstall, canAptInstall } from './apt.mjs';
import { findProgram, isErrno, runLogged } from './commands.mjs';
import { withLock } from './lock.mjs';
import { StepFailure } from './steps.mjs';
import { LOGS, ROOT } from './workspace.mjs';

const STAMP = join(ROOT, 'node_modules', '.portolan-stamp');
const LOG = join(LOGS, 'npm.log');

/** What better-sqlite3 needs to be compiled, where no ready-made binary can be downloaded. */
const COMPILER = { programs: ['g++', 'make', 'python3'], packages: ['g++', 'make', 'python3'] };

/**
 * @param {import('./steps.mjs').Progress} progress
 * @returns {Promise<string>}
 */
export async function ensureDependencies(progress) {
  if (isStamped()) return 'up to date';
  return withLock(
    { scope: ROOT, name: 'dependencies', onWait: (holder) => progress.phase(`waiting for ${holder}`) },
    async () => {
      if (isStamped()) return 'up to date';
      if (matchesLockfile() && nativeModuleLoads()) {
        writeStamp();
        return 'up to date';
      }
      await install(progress);
      writeStamp();
      return 'installed';
    },
  );
}

/** @param {import('./steps.mjs').Progress} progress */
async function install(progress) {
  progress.phase('npm ci, which may compile SQLite for a minute');
  try {
    await npmCi(progress);
  } catch (error) {
    const missing = COMPILER.programs.filter((name) => findProgram(name) === null);
    if (!(error instanceof StepFailure) || missing.length === 0) throw error;
    if (!canAptInstall()) {
      throw new StepFailure(`npm ci failed, and ${missing.join(', ')} to compile SQLite with is missing.`, {
        why: error.why,
        log: LOG,
        next: [`sudo apt-get install -y ${COMPILER.packages.join(' ')}`, 'npm run up'],
        cause: error,
      });
    }
    progress.phase(`installing ${COMPILER.packages.join(', ')} to compile SQLite with`);
    await aptInstall(COMPILER.packages, { log: LOG, onLine: progress.detail });
    progress.phase('npm ci again');
    await npmCi(progress);
  }
}

/** @param {import('./steps.mjs').Progress} progress */
async function npmCi(progress) {
  await runLogged('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=info', '--foreground-scripts'], {
    cwd: ROOT,
    log: LOG,
    env: withoutNpmRun(process.env),
    onLine: progress.detail,
    pick: pickNpmError,
    next: ['npm ci'],
  });
}

/**
 * npm says what went wrong first and ends with pages of advice; a compiler's words come before npm's.
 * @param {string[]} lines
 */
function pickNpmError(lines) {
  const isNpm = (/** @type {string} */ line) => /^npm (error|ERR!)/.test(line);
  const first = lines.findIndex(isNpm);
  if (first < 0) return lines.slice(-15);
  return [...lines.slice(Math.max(0, first - 8), first), ...lines.filter(isNpm).slice(0, 8)];
}

/**
 * npm hands its settings to the scripts it runs as npm_config_*; an npm inside must not take
 * the outer one's for its own.
 * @param {NodeJS.ProcessEnv} env
 */
function withoutNpmRun(env) {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/^npm_(package|lifecycle|command)/.test(name)));
}

function currentStamp() {
  const lock = readFileSync(join(ROOT, 'package-lock.json'));
  // The module version: a native module compiled for another Node does not load.
  return createHash('sha256')
    .update(lock)
    .update(`${process.platform} ${process.arch} ${process.versions.modules}`)
    .digest('hex');
}

function isStamped() {
  try {
    return readFileSync(STAMP, 'utf8') === currentStamp();
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}

function writeStamp() {
  writeFileSync(STAMP, currentStamp());
}

/** Whether what npm says it installed is what the lockfile asks for. */
function matchesLockfile() {
  const listing = join(ROOT, 'node_modules', '.package-lock.json');
  if (!existsSync(listing)) return false;
  const wanted = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).packages ?? {};
  const found = JSON.parse(readFileSync(listing, 'utf8')).packages ?? {};
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === '') continue;
    if (found[path] === undefined ? !entry.optional && !entry.peer : found[path].version !== entry.version)
      return false;
  }
  return Object.keys(found).every((path) => wanted[path] !== undefined);
}

function nativeModuleLoads() {
  try {
    const Database = createRequire(join(ROOT, 'package.json'))('better-sqlite3');
    new Database(':memory:').close();
    return true;
  } catch (error) {
    // Absent, or made for another Node: npm ci mends both, and fails loudly if it cannot.
    if (error instanceof Error) return false;
    throw error;
  }
}
