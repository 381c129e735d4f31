/** A fresh folder for one test, gone afterwards. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type HomePaths, prepareHome } from '../../host/config/home.ts';

export function makeTempHome(): HomePaths {
  const folder = mkdtempSync(join(tmpdir(), 'portolan-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  return prepareHome(join(folder, 'home'));
}
