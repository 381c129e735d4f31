/** Bundles a program of the tests, once per vitest worker, and replaced whole: a child process starts from one file in milliseconds. */
import { mkdirSync, renameSync } from 'node:fs';
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
  const outfile = join(folder, `${entry.replaceAll('/', '-').replace(/\.ts$/, '')}.mjs`);
  const making = `${outfile}.${process.pid}`;
  const made = build({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile: making,
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
  }).then(() => {
    renameSync(making, outfile);
    return outfile;
  });
  bundled.set(entry, made);
  return made;
}
