/**
 * The base the agent image stands on: a Debian with Node 24 and npm. From an image registry where one answers,
 * else made here of Debian's packages, the Node binary that an npm package carries, and npm's own package.
 */

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { aptInstall, canAptInstall, isDebianLike } from './apt.mjs';
import { findProgram, isRoot, runLogged } from './commands.mjs';
import { EngineError } from './engine-client.mjs';
import { StepFailure } from './steps.mjs';
import { DIST, LOGS, ROOT } from './workspace.mjs';

/**
 * Silence that counts as no registry, or as a broken download. Higher delays every machine without a
 * registry; lower breaks downloads on slow lines.
 */
const PULL_SILENCE_MS = 30_000;
/** Unpacking a tarball of 250 MB on a slow disk. */
const IMPORT_SILENCE_MS = 300_000;
const QUERY_MS = 30_000;

const LOG = join(LOGS, 'image.log');
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
/** Debian packages beyond its smallest set: certificates to check, and zones for the times agents are told. */
const PACKAGES = ['ca-certificates', 'tzdata'];
/** Emptied in the base: nothing an agent reads. debootstrap also copies this machine's names into it. */
const NOT_NEEDED = [
  'var/cache/apt',
  'var/lib/apt/lists',
  'usr/share/doc',
  'usr/share/man',
  'usr/share/info',
  'usr/share/locale',
];
const HOST_NAMES = ['etc/resolv.conf', 'etc/hostname'];

/** Of npm's package, what a program needs: its manuals are a fifth of it. */
const NPM_LEFT_OUT = ['package/docs', 'package/man'];
/** Where Node's own distributions have npm: its global packages and programs are beside it. */
const NPM_FOLDER = 'usr/local/lib/node_modules/npm';
const NPM_PROGRAMS = ['npm', 'npx'];

/** @typedef {{ package: string, integrity: string }} PinnedPackage an npm package with its exact version */
/** @typedef {{ registryImage: string, debianSuite: string, debianMirror: string, nodeVersion: string, node: Record<string, PinnedPackage>, npm: PinnedPackage }} BaseRecipe */

/** @returns {BaseRecipe} */
export function readBaseRecipe() {
  return JSON.parse(readFileSync(join(ROOT, 'container', 'base.json'), 'utf8'));
}

/**
 * The tag of a base that is on this engine, made or fetched if need be. Throws StepFailure.
 * @param {import('./engine-client.mjs').EngineClient} client
 * @param {import('./steps.mjs').Progress} progress
 * @returns {Promise<string>}
 */
export async function ensureBase(client, progress) {
  const recipe = readBaseRecipe();
  const local = `portolan-base:${recipe.debianSuite}-node${recipe.nodeVersion}-${recipe.npm.package.replace('@', '')}`;
  for (const tag of [recipe.registryImage, local]) {
    if (await hasImage(client, tag)) return tag;
  }
  const refusal = await tryPull(client, recipe.registryImage, progress);
  if (refusal === null) return recipe.registryImage;
  progress.phase(`no image registry answers, so making a base of Debian ${recipe.debianSuite}`);
  await makeBase(client, recipe, local, refusal, progress);
  return local;
}

/**
 * @param {import('./engine-client.mjs').EngineClient} client
 * @param {string} tag
 */
export async function hasImage(client, tag) {
  try {
    await client.text({ method: 'GET', path: `/images/${encodeURIComponent(tag)}/json`, timeoutMs: QUERY_MS });
    return true;
  } catch (error) {
    if (error instanceof EngineError && error.status === 404) return false;
    throw error;
  }
}

/**
 * @param {import('./engine-client.mjs').EngineClient} client
 * @param {string} image
 * @param {import('./steps.mjs').Progress} progress
 * @returns {Promise<string | null>} why it cannot be had, null when it is there now
 */
async function tryPull(client, image, progress) {
  const [name, tag] = image.split(':');
  const query = `fromImage=${name}&tag=${tag}`;
  progress.phase(`asking the image registry for ${image}`);
  try {
    await client.follow({ method: 'POST', path: `/images/create?${query}`, timeoutMs: PULL_SILENCE_MS }, (event) =>
      progress.detail(`${event.status ?? ''} ${event.id ?? ''} ${event.progress ?? ''}`),
    );
    return null;
  } catch (error) {
    if (error instanceof EngineError) return error.message;
    throw error;
  }
}

/**
 * @param {import('./engine-client.mjs').EngineClient} client
 * @param {BaseRecipe} recipe
 * @param {string} tag
 * @param {string} refusal what the registry said
 * @param {import('./steps.mjs').Progress} progress
 */
async function makeBase(client, recipe, tag, refusal, progress) {
  await requireDebootstrap(refusal, progress);
  const { Arch } = JSON.parse(await client.text({ method: 'GET', path: '/version', timeoutMs: QUERY_MS }));
  const binary = recipe.node[Arch];
  if (!binary) {
    throw new StepFailure(`No Node binary is known for the engine's processor (${Arch}).`, {
      why: `container/base.json knows ${Object.keys(recipe.node).join(' and ')}.`,
      next: [`docker pull ${recipe.registryImage}`, 'npm run up'],
    });
  }
  const tarball = await fetchPackage(binary, progress);
  const npm = await fetchPackage(recipe.npm, progress);
  // Not /tmp: it is often mounted noexec or nodev, which debootstrap refuses.
  const work = mkdtempSync('/var/tmp/portolan-base-');
  const rootfs = join(work, 'rootfs');
  try {
    progress.phase(`debootstrap ${recipe.debianSuite} from ${recipe.debianMirror}`);
    await runLogged(
      findProgram('debootstrap') ?? 'debootstrap',
      [
        '--variant=minbase',
        `--include=${PACKAGES.join(',')}`,
        `--arch=${Arch}`,
        `--keyring=${KEYRING}`,
        recipe.debianSuite,
        rootfs,
        recipe.debianMirror,
      ],
      { log: LOG, onLine: (line) => progress.detail(line.replace(/^I: /, '')), next: ['npm run up'] },
    );
    for (const path of NOT_NEEDED) emptyFolder(join(rootfs, path));
    for (const path of HOST_NAMES) rmSync(join(rootfs, path), { force: true });
    await runLogged(
      'tar',
      [
        '-xzf',
        tarball,
        '-C',
        join(rootfs, 'usr/local'),
        '--no-same-owner',
        '--strip-components=1',
        'package/bin/node',
        'package/LICENSE',
      ],
      { log: LOG },
    );
    await addNpm(rootfs, npm);
    progress.phase(`importing it as ${tag}`);
    await importImage(client, rootfs, tag, Arch);
  } finally {
    // One file system: should debootstrap have died with /proc mounted inside, leave that alone.
    await runLogged('rm', ['-rf', '--one-file-system', work], { log: LOG });
  }
}

/**
 * @param {string} refusal
 * @param {import('./steps.mjs').Progress} progress
 */
async function requireDebootstrap(refusal, progress) {
  if (!isRoot()) {
    throw new StepFailure('The base of the agent image can neither be fetched nor made here.', {
      why: `The image registry: ${refusal}\nMaking it of Debian's packages takes root, once; later runs need none.`,
      next: isDebianLike()
        ? [`sudo ${process.execPath} ${join(ROOT, 'scripts', 'build-image.mjs')}`, 'npm run up']
        : [`docker pull ${readBaseRecipe().registryImage}`, 'npm run up'],
    });
  }
  if (findProgram('debootstrap') !== null && existsSync(KEYRING)) return;
  if (!canAptInstall()) {
    throw new StepFailure('The base of the agent image can neither be fetched nor made here.', {
      why: `The image registry: ${refusal}\nMaking it takes debootstrap and ${KEYRING}.`,
      next: [`docker pull ${readBaseRecipe().registryImage}`, 'npm run up'],
    });
  }
  progress.phase('installing debootstrap');
  await aptInstall(['debootstrap', 'debian-archive-keyring'], { log: LOG, onLine: progress.detail });
}

/**
 * npm, as Node's own distributions have it.
 * @param {string} rootfs
 * @param {string} tarball
 */
async function addNpm(rootfs, tarball) {
  const folder = join(rootfs, NPM_FOLDER);
  mkdirSync(folder, { recursive: true });
  const leftOut = NPM_LEFT_OUT.map((path) => `--exclude=${path}`);
  await runLogged('tar', ['-xzf', tarball, '-C', folder, '--no-same-owner', '--strip-components=1', ...leftOut], {
    log: LOG,
  });
  for (const program of NPM_PROGRAMS) {
    symlinkSync(`../lib/node_modules/npm/bin/${program}-cli.js`, join(rootfs, 'usr/local/bin', program));
  }
}

/**
 * An npm package, checked against the integrity in container/base.json.
 * @param {PinnedPackage} pinned
 * @param {import('./steps.mjs').Progress} progress
 * @returns {Promise<string>} path of the tarball
 */
async function fetchPackage(pinned, progress) {
  const folder = join(DIST, 'image');
  mkdirSync(folder, { recursive: true });
  const tarball = join(folder, `${pinned.package.replace('@', '-')}.tgz`);
  if (!hasIntegrity(tarball, pinned.integrity)) {
    progress.phase(`fetching ${pinned.package} with npm`);
    await runLogged('npm', ['pack', pinned.package, '--pack-destination', folder], { cwd: folder, log: LOG });
  }
  if (!hasIntegrity(tarball, pinned.integrity)) {
    throw new StepFailure(`${pinned.package} is not what container/base.json says it is.`, {
      why: `The integrity of ${tarball} differs from ${pinned.integrity}.`,
      next: [`rm ${tarball}`, 'npm run up'],
    });
  }
  return tarball;
}

/**
 * @param {string} file
 * @param {string} integrity `sha512-…`
 */
function hasIntegrity(file, integrity) {
  if (!existsSync(file)) return false;
  return `sha512-${createHash('sha512').update(readFileSync(file)).digest('base64')}` === integrity;
}

/** @param {string} folder */
function emptyFolder(folder) {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true, force: true });
}

/**
 * @param {import('./engine-client.mjs').EngineClient} client
 * @param {string} rootfs
 * @param {string} tag
 * @param {string} architecture
 */
async function importImage(client, rootfs, tag, architecture) {
  const tar = spawn('tar', ['-C', rootfs, '--numeric-owner', '--one-file-system', '-c', '.'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = once(tar, 'close');
  const [repository, version] = tag.split(':');
  const query = new URLSearchParams({
    fromSrc: '-',
    repo: repository ?? '',
    tag: version ?? '',
    platform: `linux/${architecture}`,
    changes: 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  });
  await client.follow(
    {
      method: 'POST',
      path: `/images/create?${query}`,
      body: tar.stdout,
      headers: { 'content-type': 'application/x-tar' },
      timeoutMs: IMPORT_SILENCE_MS,
    },
    () => {},
  );
  const [code] = await ended;
  if (code !== 0)
    throw new StepFailure('Packing the base of the agent image failed.', { why: `tar ended with ${code}` });
}
