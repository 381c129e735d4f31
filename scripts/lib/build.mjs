/**
 * Builds what runs: the programs with esbuild, the web page with Vite.
 *
 *   dist/host.mjs  reader.mjs  bench.mjs  dump-schema.mjs     packages stay in node_modules
 *   dist/cli.mjs                                              one file, so that it starts fast
 *   dist/runner.mjs  mcp.mjs  mcp-servers.mjs  openai.mjs     one file each, for the image
 *   dist/web/                                                 the page
 *   dist/build.json                                           fingerprints of what these were built from
 *
 * I1. A file in dist/ is replaced whole (rename), so that a running test or host never reads half of one.
 * I2. A part that does not build leaves no older result behind: nobody runs old code by mistake.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { isErrno } from './commands.mjs';
import { fingerprint } from './fingerprint.mjs';
import { withLock } from './lock.mjs';
import { StepFailure } from './steps.mjs';
import { DIST, ROOT } from './workspace.mjs';

/** @typedef {{ name: string, entry: string, target: string, external?: string[], minify?: boolean }} Program */

/** @type {readonly Program[]} */
const PROGRAMS = [
  { name: 'host', entry: 'host/main.ts', target: 'node20' },
  { name: 'reader', entry: 'host/sessions/reader-process.ts', target: 'node20' },
  // Bundled whole, so that what a command does not need is not loaded: 30 ms to start instead of 80.
  { name: 'cli', entry: 'host/cli/main.ts', target: 'node20', external: ['better-sqlite3'] },
  { name: 'bench', entry: 'test/bench/main.ts', target: 'node20' },
  { name: 'dump-schema', entry: 'scripts/dump-schema.ts', target: 'node20' },
  // Also run by the process driver, on the host's own Node: so no newer target than the host's.
  { name: 'runner', entry: 'container/runner/main.ts', target: 'node20', external: ['better-sqlite3'] },
  { name: 'mcp', entry: 'container/mcp/main.ts', target: 'node20', external: [] },
  // What the runner loads when its agent has MCP servers: the SDK would double the time that each start takes.
  { name: 'mcp-servers', entry: 'container/mcp-servers/index.ts', target: 'node20', external: [] },
  // The AI SDK’s providers, which only agents with such a model load: 0.5 MB.
  { name: 'openai', entry: 'container/providers/openai/index.ts', target: 'node20', external: [], minify: true },
];

const SHARED_INPUTS = ['package-lock.json', 'tsconfig.json', 'scripts/lib/build.mjs', 'shared'];
const PROGRAM_INPUTS = [...SHARED_INPUTS, 'host', 'container', 'test/bench', 'test/support', 'scripts/dump-schema.ts'];
const WEB_FOLDER = 'host/console/web';
const WEB_INPUTS = [...SHARED_INPUTS, 'host/console'];

/**
 * @typedef {object} BuildReport
 * @property {string[]} built
 * @property {string[]} unchanged
 * @property {{ part: string, problem: string }[]} failed
 */

/**
 * Builds the parts whose sources changed. Parts that do not build are reported, not thrown.
 * @param {{ onPart?: (part: string) => void, onWait?: (holder: string) => void, web?: boolean, only?: readonly string[] }} [options]
 *   `only` names programs; all of them when absent
 * @returns {Promise<BuildReport>}
 */
export function buildChanged({ onPart, onWait, web = true, only } = {}) {
  return withLock({ scope: ROOT, name: 'build', ...(onWait ? { onWait } : {}) }, async () => {
    mkdirSync(DIST, { recursive: true });
    const stamps = readStamps();
    /** @type {BuildReport} */
    const report = { built: [], unchanged: [], failed: [] };
    const programs = fingerprint(ROOT, PROGRAM_INPUTS, (path) => path.startsWith(WEB_FOLDER));
    for (const program of PROGRAMS) {
      if (only && !only.includes(program.name)) continue;
      await buildPart(report, stamps, program.name, programs, {
        result: join(DIST, `${program.name}.mjs`),
        build: () => buildProgram(program),
        onPart,
      });
    }
    if (web) {
      await buildPart(report, stamps, 'web', fingerprint(ROOT, WEB_INPUTS), {
        result: join(DIST, 'web'),
        build: buildWeb,
        onPart,
      });
    }
    writeStamps(stamps);
    return report;
  });
}

/**
 * Builds, and throws StepFailure when a part does not build. Returns a few words about what was done.
 * @param {{ onPart?: (part: string) => void, onWait?: (holder: string) => void, web?: boolean, only?: readonly string[] }} [options]
 */
export async function buildOrFail(options) {
  const report = await buildChanged(options);
  const [first] = report.failed;
  if (first) {
    throw new StepFailure(`Building ${report.failed.map(({ part }) => part).join(', ')} failed.`, {
      why: first.problem,
      next: ['npm run build'],
    });
  }
  return report.built.length > 0 ? `built ${report.built.join(', ')}` : 'up to date';
}

/**
 * @param {BuildReport} report
 * @param {Record<string, string>} stamps changed in place
 * @param {string} part
 * @param {string} stamp
 * @param {{ result: string, build: () => Promise<void>, onPart: ((part: string) => void) | undefined }} work
 */
async function buildPart(report, stamps, part, stamp, { result, build, onPart }) {
  if (stamps[part] === stamp && existsSync(result)) {
    report.unchanged.push(part);
    return;
  }
  onPart?.(part);
  delete stamps[part];
  try {
    await build();
    stamps[part] = stamp;
    report.built.push(part);
  } catch (error) {
    rmSync(result, { recursive: true, force: true });
    report.failed.push({ part, problem: error instanceof Error ? error.message : String(error) });
  }
}

/** @param {Program} program */
async function buildProgram({ name, entry, target, external, minify = false }) {
  const esbuild = await import('esbuild');
  const temporary = temporaryName(`${name}.mjs`);
  const result = await esbuild.build({
    absWorkingDir: ROOT,
    entryPoints: [entry],
    outfile: join(DIST, `${name}.mjs`),
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    target,
    minify,
    sourcemap: true,
    logLevel: 'silent',
    // Bundled CommonJS packages ask for built-ins by require().
    ...(external
      ? { external, banner: { js: REQUIRE_BANNER }, legalComments: 'eof', plugins: [ENGLISH_ONLY, LOADED_LATER] }
      : { packages: 'external' }),
  });
  for (const file of result.outputFiles) {
    const suffix = file.path.endsWith('.map') ? '.map' : '';
    writeFileSync(temporary + suffix, file.contents);
  }
  renameSync(`${temporary}.map`, join(DIST, `${name}.mjs.map`));
  renameSync(temporary, join(DIST, `${name}.mjs`)); // I1
}

/**
 * Half of the runner's bundle would be zod's messages in fifty languages, which nobody reads there:
 * without them it starts 8 ms sooner.
 * @type {import('esbuild').Plugin}
 */
const ENGLISH_ONLY = {
  name: 'english-only',
  setup(build) {
    build.onLoad({ filter: /zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, ({ path }) => ({
      contents: "export { default as en } from './en.js';",
      resolveDir: dirname(path),
    }));
  },
};

/** Imported by the runner when it needs them: bundles of their own beside it. */
const BUNDLES_APART = [
  { entry: /\/mcp-servers\/index\.ts$/, path: './mcp-servers.mjs' },
  { entry: /\/openai\/index\.ts$/, path: './openai.mjs' },
];

/**
 * The runner's dynamic imports of those stay imports.
 * @type {import('esbuild').Plugin}
 */
const LOADED_LATER = {
  name: 'loaded-later',
  setup(build) {
    for (const { entry, path } of BUNDLES_APART) {
      build.onResolve({ filter: entry }, ({ kind }) => (kind === 'dynamic-import' ? { path, external: true } : null));
    }
  },
};

const REQUIRE_BANNER = `import { createRequire as portolanRequire } from 'node:module'; const require = portolanRequire(import.meta.url);`;

async function buildWeb() {
  const vite = await import('vite');
  const temporary = temporaryName('web');
  // Vite asks the environment before `mode`, and test runners set it: the page would get React's slow development build.
  const { NODE_ENV } = process.env;
  process.env.NODE_ENV = 'production';
  try {
    await vite.build({
      root: join(ROOT, WEB_FOLDER),
      mode: 'production',
      logLevel: 'error',
      build: { outDir: temporary, emptyOutDir: true, chunkSizeWarningLimit: 2_000 },
    });
  } finally {
    if (NODE_ENV === undefined) delete process.env.NODE_ENV;
    else process.env.NODE_ENV = NODE_ENV;
  }
  const target = join(DIST, 'web');
  const old = temporaryName('web-old');
  try {
    renameSync(target, old);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
  renameSync(temporary, target); // I1
  rmSync(old, { recursive: true, force: true });
}

/** @param {string} name */
function temporaryName(name) {
  return join(DIST, `.${process.pid}-${randomBytes(3).toString('hex')}-${name}`);
}

const STAMPS = join(DIST, 'build.json');

/** @returns {Record<string, string>} */
function readStamps() {
  try {
    const value = JSON.parse(readFileSync(STAMPS, 'utf8'));
    return typeof value === 'object' && value !== null ? value : {};
  } catch (error) {
    // Absent or cut short: build again.
    if (isErrno(error, 'ENOENT') || error instanceof SyntaxError) return {};
    throw error;
  }
}

/** @param {Record<string, string>} stamps */
function writeStamps(stamps) {
  // What a build that was killed left behind; nobody else builds now, we hold the lock.
  for (const name of readdirSync(DIST)) {
    if (/^\.\d+-[0-9a-f]{6}-/.test(name)) rmSync(join(DIST, name), { recursive: true, force: true });
  }
  const temporary = temporaryName(basename(STAMPS));
  writeFileSync(temporary, `${JSON.stringify(stamps, null, 2)}\n`);
  renameSync(temporary, STAMPS);
}
