/** Debian's and Ubuntu's own packages, when we are root there. */
import { readFileSync } from 'node:fs';
import { findProgram, isErrno, isRoot, runLogged } from './commands.mjs';
import { withLock } from './lock.mjs';
import { StepFailure } from './steps.mjs';

/** apt waits this long for another apt: unattended upgrades take minutes; for ever would look stuck. */
const APT_LOCK_TIMEOUT_S = 300;

/**
 * The distribution's id and its relatives (`ubuntu`, `debian`), from os-release; empty when unknown.
 * @returns {string[]}
 */
export function distribution() {
  let text = '';
  try {
    text = readFileSync('/etc/os-release', 'utf8');
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
  const fields = [...text.matchAll(/^(ID|ID_LIKE)="?([^"\n]*)"?$/gm)].map((match) => match[2] ?? '');
  return fields.flatMap((field) => field.split(/\s+/)).filter((word) => word !== '');
}

export function isDebianLike() {
  return distribution().some((id) => id === 'debian' || id === 'ubuntu') && findProgram('apt-get') !== null;
}

export function canAptInstall() {
  return isRoot() && isDebianLike();
}

/**
 * Installs packages. Throws StepFailure.
 * @param {readonly string[]} packages
 * @param {{ log: string, onLine?: (line: string) => void }} options
 */
export function aptInstall(packages, { log, onLine }) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', NEEDRESTART_SUSPEND: '1' };
  const lockTimeout = `DPkg::Lock::Timeout=${APT_LOCK_TIMEOUT_S}`;
  const run = (/** @type {string[]} */ args) =>
    runLogged('apt-get', ['-o', lockTimeout, ...args], {
      log,
      env,
      ...(onLine ? { onLine } : {}),
      next: ['apt-get update', `apt-get install -y ${packages.join(' ')}`],
    });
  return withLock({ scope: 'machine', name: 'apt' }, async () => {
    try {
      await run(['install', '-y', ...packages]);
    } catch (error) {
      if (!(error instanceof StepFailure)) throw error;
      // A fresh machine has no package lists, an old one has lists of packages that are gone.
      await run(['update']);
      await run(['install', '-y', ...packages]);
    }
  });
}
