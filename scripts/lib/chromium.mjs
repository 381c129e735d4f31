/** The browser of the browser tests: Debian's own Chromium. */
import { join } from 'node:path';
import { aptInstall, canAptInstall, isDebianLike } from './apt.mjs';
import { findProgram } from './commands.mjs';
import { StepFailure } from './steps.mjs';
import { LOGS } from './workspace.mjs';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

/**
 * Path of a Chromium, installed if need be. Throws StepFailure.
 * @param {import('./steps.mjs').Progress} progress
 * @returns {Promise<string>}
 */
export async function ensureChromium(progress) {
  const found = findChromium();
  if (found !== null) return found;
  if (!canAptInstall()) {
    throw new StepFailure('The browser tests need Chromium, which is not installed.', {
      next: isDebianLike()
        ? ['sudo apt-get install -y chromium', 'npm test']
        : ['npx playwright-core install chromium'],
    });
  }
  progress.phase('installing Chromium (apt-get install chromium)');
  // With a font for emoji, or the screenshots of the documents show boxes.
  await aptInstall(['chromium', 'fonts-noto-color-emoji'], { log: join(LOGS, 'apt.log'), onLine: progress.detail });
  const installed = findChromium();
  if (installed === null) {
    throw new StepFailure('The package chromium is installed, but brought no program of that name.', {
      why: `Looked for ${NAMES.join(', ')}. PORTOLAN_CHROMIUM may name another.`,
    });
  }
  return installed;
}

function findChromium() {
  if (process.env.PORTOLAN_CHROMIUM) return process.env.PORTOLAN_CHROMIUM;
  for (const name of NAMES) {
    const path = findProgram(name);
    if (path !== null) return path;
  }
  return null;
}
