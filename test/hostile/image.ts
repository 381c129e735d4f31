/** The agent image with the attacker where the runner stands. Removed after the suite. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleProgram } from '../support/hosted/bundle.ts';

export interface AttackerImage extends Disposable {
  tag: string;
}

/** Throws when Docker does not answer or the agent image is missing. */
export async function buildAttackerImage(base: string): Promise<AttackerImage> {
  const tag = `portolan-hostile:${process.pid}`;
  const context = mkdtempSync(join(tmpdir(), 'portolan-hostile-'));
  try {
    copyFileSync(await bundleProgram('test/hostile/attacker/main.ts'), join(context, 'runner.mjs'));
    writeFileSync(join(context, 'Dockerfile'), `FROM ${base}\nCOPY runner.mjs /app/runner.mjs\n`);
    execFileSync('docker', ['build', '--quiet', '--network', 'none', '--tag', tag, context], {
      env: { ...process.env, DOCKER_BUILDKIT: '0' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  } finally {
    rmSync(context, { recursive: true, force: true });
  }
  return {
    tag,
    [Symbol.dispose]() {
      execFileSync('docker', ['rmi', '--force', tag], { stdio: 'ignore' });
    },
  };
}
