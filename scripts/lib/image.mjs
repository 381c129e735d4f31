/**
 * The agent image, named by what it is made of: `portolan-agent:<first 12 digits of the inputs' hash>`.
 * The name is the cache: an image of that name is never built twice, and two clones never take each other's.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { appendFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ensureBase, hasImage } from './base-image.mjs';
import { runLogged } from './commands.mjs';
import { EngineError } from './engine-client.mjs';
import { fingerprint } from './fingerprint.mjs';
import { withLock } from './lock.mjs';
import { StepFailure } from './steps.mjs';
import { DIST, LOGS, ROOT } from './workspace.mjs';

const REPOSITORY = 'portolan-agent';
const INPUTS = [
  'container/Dockerfile',
  'container/base.json',
  'container/package.json',
  'container/package-lock.json',
  'scripts/lib/image.mjs',
];
/** What runs in the image, from dist/. */
const BUNDLES = ['runner.mjs', 'mcp.mjs', 'mcp-servers.mjs', 'openai.mjs'];
/** Of the packages, what Node loads at run time; the rest of better-sqlite3 is 10 MB of C and other platforms. */
const PACKAGE_PARTS = ['package.json', 'LICENSE', 'lib'];
const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';

/** Older images of other inputs are removed beyond this many, unless a container uses them. Each costs a few MB. */
const KEEP_IMAGES = 12;
const BUILD_SILENCE_MS = 300_000;
const QUERY_MS = 30_000;
const LOG = join(LOGS, 'image.log');
const TAIL_LINES = 15;

/** The tag this clone's image has, or would have. Needs the bundles. */
export function imageTag() {
  const missing = BUNDLES.find((bundle) => !existsSync(join(DIST, bundle)));
  if (missing !== undefined) {
    throw new StepFailure(`The agent image needs dist/${missing}, which is not built.`, { next: ['npm run build'] });
  }
  // dist/ is no input elsewhere, so the bundles are taken by a root of their own.
  const inputs = createHash('sha256').update(fingerprint(ROOT, INPUTS)).update(fingerprint(DIST, BUNDLES));
  return `${REPOSITORY}:${inputs.digest('hex').slice(0, 12)}`;
}

/**
 * Makes sure this clone's image is on the engine; returns its tag. Throws StepFailure.
 * @param {import('./engine-client.mjs').EngineClient} client
 * @param {import('./steps.mjs').Progress} progress
 * @returns {Promise<{ tag: string, built: boolean }>}
 */
export async function ensureImage(client, progress) {
  const tag = imageTag();
  if (await hasImage(client, tag)) return { tag, built: false };
  // Machine-wide: two clones that both lack the base make it once.
  const lock = { scope: 'machine', name: 'image' };
  const onWait = (/** @type {string} */ holder) => progress.phase(`waiting for ${holder}`);
  return withLock({ ...lock, onWait }, async () => {
    if (await hasImage(client, tag)) return { tag, built: false };
    mkdirSync(LOGS, { recursive: true });
    const base = await ensureBase(client, progress);
    progress.phase(`building ${tag} on ${base}`);
    const context = await prepareContext(client, progress);
    await buildImage(client, { base, tag, context }, progress);
    await removeOldImages(client, tag);
    return { tag, built: true };
  });
}

/**
 * Everything the Dockerfile copies, made here so that its build needs no network.
 * @param {import('./engine-client.mjs').EngineClient} client
 * @param {import('./steps.mjs').Progress} progress
 */
async function prepareContext(client, progress) {
  const packages = join(DIST, 'image', 'packages');
  const context = join(DIST, 'image', 'context');
  for (const folder of [packages, context]) rmSync(folder, { recursive: true, force: true });
  mkdirSync(packages, { recursive: true });
  for (const file of ['package.json', 'package-lock.json']) cpSync(join(ROOT, 'container', file), join(packages, file));
  progress.detail('npm ci of the runner');
  await runLogged('npm', ['ci', '--ignore-scripts', '--omit=dev', '--no-audit', '--no-fund'], {
    cwd: packages,
    log: LOG,
    onLine: progress.detail,
  });

  const { Arch } = JSON.parse(await client.text({ method: 'GET', path: '/version', timeoutMs: QUERY_MS }));
  const binary = `prebuilds/linux-${Arch === 'amd64' ? 'x64' : Arch}.node`;
  const app = join(context, 'app');
  for (const part of [...PACKAGE_PARTS, binary]) {
    const path = join('node_modules', 'better-sqlite3', part);
    cpSync(join(packages, path), join(app, path), { recursive: true });
  }
  for (const bundle of BUNDLES) cpSync(join(DIST, bundle), join(app, bundle));
  cpSync(join(ROOT, 'container', 'Dockerfile'), join(context, 'Dockerfile'));
  mkdirSync(join(context, 'certs'), { recursive: true });
  if (existsSync(CERTIFICATES)) cpSync(CERTIFICATES, join(context, 'certs', 'ca-certificates.crt'));
  return context;
}

/**
 * @param {import('./engine-client.mjs').EngineClient} client
 * @param {{ base: string, tag: string, context: string }} image
 * @param {import('./steps.mjs').Progress} progress
 */
async function buildImage(client, { base, tag, context }, progress) {
  const query = new URLSearchParams([
    ['t', tag],
    ['t', `${REPOSITORY}:latest`],
    ['buildargs', JSON.stringify({ BASE: base, PROTOCOL_VERSION: protocolVersion() })],
    ['networkmode', 'none'],
    ['rm', '1'],
    ['forcerm', '1'],
  ]);
  // Owners and times of this machine stay out, so that the same inputs make the same layers.
  const tar = spawn(
    'tar',
    [
      '-C',
      context,
      '--sort=name',
      '--owner=0',
      '--group=0',
      '--numeric-owner',
      '--mode=a+rX,u+w,go-w',
      '--mtime=@0',
      '-c',
      '.',
    ],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  const ended = once(tar, 'close');
  /** @type {string[]} */
  const tail = [];
  try {
    await client.follow(
      {
        method: 'POST',
        path: `/build?${query}`,
        body: tar.stdout,
        headers: { 'content-type': 'application/x-tar' },
        timeoutMs: BUILD_SILENCE_MS,
      },
      (event) => {
        const text = String(event.stream ?? '').trimEnd();
        if (text === '') return;
        appendFileSync(LOG, `${text}\n`);
        tail.push(text);
        if (tail.length > TAIL_LINES) tail.shift();
        progress.detail(text);
      },
    );
    await ended;
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    throw new StepFailure(`Building the agent image ${tag} failed.`, {
      why: `${tail.join('\n')}\n${error.message}`,
      log: LOG,
      next: ['npm run up'],
      cause: error,
    });
  }
}

/**
 * @param {import('./engine-client.mjs').EngineClient} client
 * @param {string} current
 */
async function removeOldImages(client, current) {
  const filters = encodeURIComponent(JSON.stringify({ reference: [REPOSITORY] }));
  /** @type {{ Created: number, RepoTags: string[] | null }[]} */
  const images = JSON.parse(
    await client.text({ method: 'GET', path: `/images/json?filters=${filters}`, timeoutMs: QUERY_MS }),
  );
  const old = images
    .sort((one, other) => other.Created - one.Created)
    .slice(KEEP_IMAGES)
    .flatMap((image) => image.RepoTags ?? [])
    .filter((tag) => tag !== current && tag.startsWith(`${REPOSITORY}:`));
  for (const tag of old) {
    try {
      await client.text({ method: 'DELETE', path: `/images/${encodeURIComponent(tag)}`, timeoutMs: QUERY_MS });
    } catch (error) {
      // 409: a container uses it. 404: another clone was faster.
      if (!(error instanceof EngineError) || (error.status !== 409 && error.status !== 404)) throw error;
    }
  }
}

/** From its one place, shared/protocol.ts, without running TypeScript. */
function protocolVersion() {
  const source = readFileSync(join(ROOT, 'shared', 'protocol.ts'), 'utf8');
  const version = /^export const PROTOCOL_VERSION = (\d+);$/m.exec(source)?.[1];
  if (version === undefined)
    throw new Error('shared/protocol.ts has no line `export const PROTOCOL_VERSION = <number>;`');
  return version;
}
