/**
 * A home for one measurement. Under the project's own `data/`, not the system's temporary folder: that
 * may lie in memory, where a commit costs nothing.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../host/config/home.ts';

export interface BenchHome extends Disposable {
  readonly path: string;
}

export function makeBenchHome(): BenchHome {
  const parent = join(projectRoot(), 'data', 'bench');
  mkdirSync(parent, { recursive: true, mode: 0o700 });
  const path = mkdtempSync(join(parent, 'home-'));
  return {
    path,
    [Symbol.dispose]() {
      rmSync(path, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}
