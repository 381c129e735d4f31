/** Specs for driver tests: real folders, and small programs that show what happens to them. */
import { chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ContainerSpec } from '../../../host/runtime/drivers/driver.ts';
import { type InstallId, makeId } from '../../../shared/ids.ts';
import type { Behaviour } from '../../contracts/driver.ts';

export const TEST_USER = { uid: 10_001, gid: 10_001 };

const MIB = 1024 * 1024;

export interface Workspace {
  folder: string;
  makeSpec(installId: InstallId, image: string, command: readonly string[]): ContainerSpec;
  remove(): void;
}

export function makeWorkspace(): Workspace {
  const folder = mkdtempSync(join(tmpdir(), 'portolan-runtime-'));
  return {
    folder,
    makeSpec: (installId, image, command) => {
      const sessionId = makeId('session');
      const mounts = {
        in: join(folder, sessionId, 'in'),
        out: join(folder, sessionId, 'out'),
        state: join(folder, sessionId, 'state'),
        agent: join(folder, sessionId, 'agent'),
      };
      for (const [name, path] of Object.entries(mounts)) {
        mkdirSync(path, { recursive: true });
        if (name !== 'in' && process.getuid?.() === 0) chownSync(path, TEST_USER.uid, TEST_USER.gid);
      }
      return {
        ...{ sessionId, installId, image, mounts, command },
        agentGroupId: makeId('agentGroup'),
        epoch: 1,
        configVersion: 1,
        user: TEST_USER,
        env: { PATH: '/bin:/usr/bin' },
        limits: { memoryBytes: 256 * MIB, cpus: 1, pids: 64, fileSizeBytes: 4 * MIB, openFiles: 256 },
      };
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** The behaviours of the contract suite as a program for `node -e`; it ticks into `out/ticks`. */
export function nodeProgram(behaviour: Behaviour): string {
  if (behaviour.kind === 'exit') return `process.exit(${behaviour.code})`;
  const onTerm = behaviour.kind === 'obey' ? 'process.exit(0)' : '';
  return `const fs = require('fs');
process.on('SIGTERM', () => { ${onTerm} });
const file = (process.env.PORTOLAN_OUT ?? '/workspace/out') + '/ticks';
setInterval(() => fs.appendFileSync(file, '.'), 2);`;
}

export function readTicks(spec: ContainerSpec): number {
  try {
    return readFileSync(join(spec.mounts.out, 'ticks')).length;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 0;
    throw error;
  }
}
