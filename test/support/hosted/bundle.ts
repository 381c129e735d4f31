/** Bundles a program of the tests, once per vitest worker, and replaced whole: a child process starts from one file in milliseconds. */
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { projectRoot } from '../../../host/config/home.ts';

const bundled = new Map<string, Promise<string>>();

/** With SSH and gRPC behind it, it takes a third of a host's start, and a host of the process driver makes none. */
const DOCKERODE_WHEN_USED: Plugin = {
  name: 'dockerode-when-used',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^dockerode$/ }, () => ({ path: 'dockerode', namespace: 'when-used' }));
    onLoad({ filter: /./, namespace: 'when-used' }, () => ({
      contents: `export default function Docker(options) {
        return new (portolanRequire(import.meta.url)('dockerode'))(options);
      }`,
    }));
  },
};

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
    // Beside the bundle: in it, a start would read three times as much.
    sourcemap: 'external',
    logLevel: 'error',
    external: ['better-sqlite3', 'pino'],
    plugins: [DOCKERODE_WHEN_USED],
    // Bundled CommonJS packages ask for built-ins by require().
    banner: {
      js: `import { createRequire as portolanRequire } from 'node:module'; const require = portolanRequire(import.meta.url);`,
    },
  }).then(() => {
    renameSync(`${making}.map`, `${outfile}.map`);
    renameSync(making, outfile);
    return outfile;
  });
  bundled.set(entry, made);
  return made;
}

/** What a bundled program printed, with the places of its stacks named as in the sources. */
export function nameSources(printed: string, program: string): string {
  const place = /(?:file:\/\/)?(\/[^\s()]+\.mjs):(\d+):(\d+)/g;
  let map: SourceMap | null = null;
  return printed.replace(place, (text, file: string, line: string, column: string) => {
    if (file !== program || !existsSync(`${program}.map`)) return text;
    // Written by esbuild, above.
    map ??= new SourceMap(JSON.parse(readFileSync(`${program}.map`, 'utf8')));
    const entry = map.findEntry(Number(line) - 1, Number(column) - 1);
    if (!('originalSource' in entry)) return text;
    const source = relative(projectRoot(), resolve(dirname(program), entry.originalSource));
    return `${source}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
  });
}
