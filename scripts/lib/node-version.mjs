/** The one thing that must be there already: Node. */
import { StepFailure } from './steps.mjs';

const OLDEST_MAJOR = 20;

export function requireNode() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major >= OLDEST_MAJOR) return process.version;
  throw new StepFailure(`Node ${process.version} is too old: Portolan needs Node ${OLDEST_MAJOR} or newer.`, {
    why: `This is ${process.execPath}.`,
    next: [`curl -fsSL https://deb.nodesource.com/setup_24.x | sudo bash -`, 'sudo apt-get install -y nodejs'],
  });
}
