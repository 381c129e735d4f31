/** Bundles a program of the tests, once per vitest worker, until it ends: a child process starts from one file in milliseconds. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { projectRoot } from '../../../host/config/home.ts';

const bundled = new Map<string, Promise<string>>();

/** `entry` is relative to the project; returns the bundle's path, inside dist/ so that packages and migrations are found. */
export function bundleProgram(entry: string): Promise<string> {
  const known = bundled.get(entry);
  if (known !== undefined) return known;
  const root = projectRoot();
  const folder = join(root, 'dist', 'test');
  mkdirSync(folder, { recursive: true });
  const outfile = join(folder, `${entry.replaceAll('/', '-').replace(/\.ts$/, '')}-${process.pid}.mjs`);
  process.once('exit', () => rmSync(outfile, { force: true }));
  const made = build({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    sourcemap: 'inline',
    logLevel: 'error',
    external: ['better-sqlite3', 'dockerode', 'pino'],
    // Bundled CommonJS packages ask for built-ins by require().
    banner: {
      js: `import { createRequire as portolanRequire } from 'node:module'; const require = portolanRequire(import.meta.url);`,
    },
  }).then(() => outfile);
  bundled.set(entry, made);
  return made;
}
