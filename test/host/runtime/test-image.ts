/**
 * A small image for driver tests, made from the Node that runs them: no registry, no package, a few
 * seconds once per Node version. Holds node and the libraries it is linked with, and nothing else.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const TAG = `portolan-test-node:${process.version}`;

/** The image's tag; makes it when it is missing. Throws when Docker does not answer. */
export function ensureTestImage(): string {
  if (spawnSync('docker', ['image', 'inspect', TAG], { stdio: 'ignore' }).status === 0) return TAG;
  const root = mkdtempSync(join(tmpdir(), 'portolan-image-'));
  try {
    for (const folder of ['bin', 'tmp', 'app', 'workspace/in', 'workspace/out', 'workspace/state', 'workspace/agent']) {
      mkdirSync(join(root, folder), { recursive: true });
    }
    copyFileSync(process.execPath, join(root, 'bin/node'));
    for (const library of linkedLibraries(process.execPath)) {
      mkdirSync(join(root, dirname(library)), { recursive: true });
      copyFileSync(realpathSync(library), join(root, library));
    }
    const archive = `${root}.tar`;
    execFileSync('tar', ['-C', root, '-cf', archive, '.']);
    execFileSync('docker', ['import', '--change', 'ENV PATH=/bin', archive, TAG], { stdio: 'ignore' });
    rmSync(archive);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
  return TAG;
}

function linkedLibraries(program: string): string[] {
  const lines = execFileSync('ldd', [program], { encoding: 'utf8' }).split('\n');
  return lines.flatMap((line) => /(\/\S+) \(0x/.exec(line)?.[1] ?? []);
}
