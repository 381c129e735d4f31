/**
 * What an agent's image is made of, and how it is made: its name and its Dockerfile. Pure.
 *
 * I1. No text of an agent ever meets a shell: every instruction that runs something is a list of words (exec form),
 *     and each name is checked again here, whoever checked it before.
 * I2. The same base, packages and generation have the same name; anything else has another.
 * I3. User, program, working folder and labels stay those of the base.
 */
import { createHash } from 'node:crypto';
import type { AgentGroupId, InstallId } from '../../shared/ids.ts';
import { type Packages, packagesSchema } from '../../shared/packages.ts';
import type { ProviderLayer } from './provider-layer.ts';

/** What is known of an image on the engine. */
export interface EngineImage {
  /** `sha256:…` */
  id: string;
  sizeBytes: number;
  user: string;
  entrypoint: readonly string[];
  command: readonly string[];
  workingDir: string;
  /** Of the protocol its runner speaks; null without one. */
  protocol: string | null;
}

/** Labels of agents' images and of the containers that builds make; unlike those of sessions' containers. */
export const IMAGE_LABELS = {
  install: 'portolan.image.install',
  generation: 'portolan.image.generation',
  agentGroup: 'portolan.image.agent',
  /** Of a provider's layer alone, which belongs to no agent. */
  layer: 'portolan.image.layer',
  /** The key of that layer, on images that it may be copied from. */
  layerKey: 'portolan.image.layer-key',
} as const;

/** A program and its arguments, run as root or as the user that owns what npm installs. */
export interface Command {
  run: readonly string[];
  as: 'root' | 'agent';
}

/** Programs whose traces become one layer. */
export type Layer = readonly Command[];

/** Owner of what npm installs while it is installed; the user of the base image. */
const AGENT_USER = 10_001;
/** Where npm installs, last in PATH: what comes from there never stands in for the programs of the base. */
const NPM_PREFIX = '/opt/agent';
/** Debian puts some programs there, and the base does not look for them. */
const DEBIAN_GAMES = '/usr/games';
const NPM_HOME = '/tmp/npm';
const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';

/** An agent without packages uses the base itself. */
export function hasPackages({ apt, npm }: Pick<Packages, 'apt' | 'npm'>): boolean {
  return apt.length + npm.length > 0;
}

/** `portolan-agent-<install>`: images of this install alone. */
export function imageRepository(installId: InstallId): string {
  return `portolan-agent-${installId.slice(-8)}`;
}

/** I2. The order of names does not matter. With a provider's layer below the packages, its name is part of the tag. */
export function imageName(
  installId: InstallId,
  baseId: string,
  packages: Packages,
  layer: ProviderLayer | null = null,
): string {
  const { apt, npm, generation } = packages;
  const below = layer === null ? [] : [layer.key];
  const parts = [RECIPE_VERSION, baseId, apt.toSorted(), npm.toSorted(), generation, ...below];
  const hash = createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
  return `${imageRepository(installId)}:${layer === null ? '' : `${layer.name}-`}${hash}`;
}

/** Rises when the same packages are to be built in another way. */
const RECIPE_VERSION = 1;

/** The layers of an agent's image. Throws when a name is not one of a package (I1): whoever let it pass has a bug. */
export function planLayers(packages: Packages): Layer[] {
  const { apt, npm } = packagesSchema.parse(packages);
  const layers: Layer[] = [];
  if (apt.length > 0) layers.push(aptLayer(apt));
  if (npm.length > 0) layers.push(npmLayer(npm));
  return layers;
}

/** A build that is cut off leaves nothing: dpkg need not wait for the disk after each file. */
const APT_SPEED = ['-o', 'Dpkg::Options::=--force-unsafe-io'];
const APT = ['apt-get', '-q', '-y', '-o', 'Acquire::Retries=3', '-o', 'Dpkg::Use-Pty=0', ...APT_SPEED];
/** A name is that one package: apt takes `lib.+` for a pattern, and `ca-certificates-` for one to remove. */
const APT_INSTALL = ['-o', 'APT::Cmd::Pattern-Only=true', '--no-remove', '--no-install-recommends'];

/** What apt keeps for itself goes in the layer that it came in, and so takes no room. */
function aptLayer(names: readonly string[]): Layer {
  return [
    root(...APT, 'update'),
    root(...APT, 'install', ...APT_INSTALL, '--', ...names.toSorted()),
    root('rm', '-rf', '/var/lib/apt/lists', '/var/cache/apt', '/var/log/apt', '/var/log/dpkg.log'),
  ];
}

/**
 * The scripts of npm's packages run, because many packages are nothing without them, but never as root: as a user
 * that owns nothing but the folder they are installed in. That folder is root's afterwards.
 */
function npmLayer(names: readonly string[]): Layer {
  const options = ['--global', '--prefix', NPM_PREFIX, '--no-audit', '--no-fund', '--no-update-notifier'];
  return [
    root('install', '-d', '-o', `${AGENT_USER}`, '-g', `${AGENT_USER}`, NPM_PREFIX, NPM_HOME),
    agent('npm', 'install', ...options, '--foreground-scripts', '--', ...names.toSorted()),
    root('rm', '-rf', NPM_HOME),
    root('chown', '-R', 'root:root', NPM_PREFIX),
    root('chmod', '-R', 'a+rX,go-w', NPM_PREFIX),
  ];
}

function root(...run: string[]): Command {
  return { run, as: 'root' };
}

function agent(...run: string[]): Command {
  return { run, as: 'agent' };
}

/**
 * Runs the commands of a layer, one after the other, and ends with the first that fails. The same text in each
 * Dockerfile; what differs comes as an argument.
 */
const RUN_COMMANDS = [
  "const { spawnSync } = require('node:child_process');",
  'for (const { run: [program, ...args], as } of JSON.parse(process.argv[1])) {',
  "  console.log(['+', program, ...args].join(' '));",
  `  const user = as === 'agent' ? { uid: ${AGENT_USER}, gid: ${AGENT_USER} } : {};`,
  `  const env = as === 'agent' ? { ...process.env, HOME: '${NPM_HOME}' } : process.env;`,
  "  const { status, signal, error } = spawnSync(program, args, { ...user, env, stdio: ['ignore', 'inherit', 'inherit'] });",
  '  if (status === 0) continue;',
  "  console.log(program + ' ended with ' + (error?.code ?? signal ?? status));",
  '  process.exit(1);',
  '}',
].join('\n');

export interface DockerfileParts {
  base: EngineImage;
  installId: InstallId;
  agentGroupId: AgentGroupId;
  generation: number;
  layers: readonly Layer[];
}

/** I1, I3. What comes before the first layer is the same for agents of one generation, so that they share layers. */
export function formatDockerfile({ base, installId, agentGroupId, generation, layers }: DockerfileParts): string {
  return [
    `FROM ${base.id}`,
    label({ [IMAGE_LABELS.install]: installId, [IMAGE_LABELS.generation]: String(generation) }),
    'USER root',
    // For the build alone: an ARG is no part of the image.
    'ARG DEBIAN_FRONTEND=noninteractive',
    `ARG NODE_EXTRA_CA_CERTS=${CERTIFICATES}`,
    ...layers.map(run),
    `ENV PATH="$PATH:${DEBIAN_GAMES}:${NPM_PREFIX}/bin" NODE_PATH="${NPM_PREFIX}/lib/node_modules"`,
    label({ [IMAGE_LABELS.agentGroup]: agentGroupId }),
    ...(base.user === '' ? [] : [`USER ${base.user}`]),
    '',
  ].join('\n');
}

export interface LayerParts {
  base: EngineImage;
  installId: InstallId;
  layer: ProviderLayer;
  /** The image that has it already, by id; null: it is installed. */
  source: string | null;
  /** Whether others may copy it from this one. */
  isSource: boolean;
}

/** Of the image that a provider's layer makes of the base: like the base but for its folder (I3). */
export function formatLayerDockerfile({ base, installId, layer, source, isSource }: LayerParts): string {
  const { name, key } = layer;
  const labels = { [IMAGE_LABELS.install]: installId, [IMAGE_LABELS.layer]: name };
  return [
    `FROM ${base.id}`,
    label(isSource ? { ...labels, [IMAGE_LABELS.layerKey]: key } : labels),
    'USER root',
    ...(source === null ? install(layer) : copy(layer, source)),
    ...(base.user === '' ? [] : [`USER ${base.user}`]),
    '',
  ].join('\n');
}

function install({ files, folder, commands, checks }: ProviderLayer): string[] {
  return [
    `ARG NODE_EXTRA_CA_CERTS=${CERTIFICATES}`,
    `COPY ${JSON.stringify([...Object.keys(files), `${folder}/`])}`,
    run([...commands, ...checks]),
  ];
}

/** With its owners and modes. */
function copy({ folder, checks }: ProviderLayer, source: string): string[] {
  return [`COPY --from=${source} ${JSON.stringify([`${folder}/`, `${folder}/`])}`, run(checks)];
}

function run(layer: Layer): string {
  return `RUN ${JSON.stringify(['node', '-e', RUN_COMMANDS, JSON.stringify(layer)])}`;
}

function label(labels: Record<string, string>): string {
  return `LABEL ${Object.entries(labels)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(' ')}`;
}

/** Null when the result is what an agent may run on; else what is wrong with it. */
export function findImageFlaw(base: EngineImage, made: EngineImage, maxAddedBytes: number): string | null {
  const same = (part: 'user' | 'workingDir' | 'protocol') => base[part] === made[part];
  const sameList = (part: 'entrypoint' | 'command') => JSON.stringify(base[part]) === JSON.stringify(made[part]);
  if (!same('user') || !same('workingDir') || !same('protocol') || !sameList('entrypoint') || !sameList('command')) {
    return 'The image does not run as its base does.';
  }
  const addedBytes = made.sizeBytes - base.sizeBytes;
  if (addedBytes <= maxAddedBytes) return null;
  const inMib = (bytes: number) => `${Math.ceil(bytes / 1024 / 1024)} MiB`;
  return `The packages take ${inMib(addedBytes)}, and an agent may have ${inMib(maxAddedBytes)}.`;
}
