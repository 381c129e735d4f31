/**
 * What an agent's provider adds to the base: programs that are too large for everybody's image, or that may not be
 * passed on. Installed from npm on the machine that uses them. Pure, but for the reading of the files.
 *
 *   portolan-agent ◀── portolan-agent-claude ◀── an agent's packages
 *                            │ copied
 *   the next one   ◀── portolan-agent-claude
 *
 * I1. The name says what is in it, and is the same for every install of a machine: so it is built once there.
 * I2. What was installed once is copied to a newer base, and not downloaded again: only from what was installed on a
 *     host's own base, for no agent's image reaches into another's.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CLAUDE_FOLDER } from '../../shared/providers.ts';
import type { Command } from './recipe.ts';

/** Each names its images: `portolan-agent-<name>:<hash>`. */
const LAYER_NAMES = ['claude'] as const;

export interface ProviderLayer {
  name: (typeof LAYER_NAMES)[number];
  /** Files that its commands find in `folder`, by name. */
  files: Readonly<Record<string, string>>;
  /** All that it adds lies here. */
  folder: string;
  /** They fill `folder`. */
  commands: readonly Command[];
  /** They fail where what is in `folder` does not work: also when it was copied. */
  checks: readonly Command[];
  /** Two with the same key are the same. */
  key: string;
}

/** An image of a layer, on whichever base. */
export interface LayerImage {
  id: string;
  names: string[];
  /** Of the layer, where it may be copied from there (I2); else null. */
  key: string | null;
}

/** Rises when the same files are to be installed in another way. */
const RECIPE_VERSION = 1;
const NPM_HOME = '/tmp/npm';
const AGENT_USER = '10001:10001';

/**
 * Only what runs on this machine, by the lockfile's checksums, without scripts and without the packages that the SDK
 * has bundled (`peer`). Its program must then say its version: one for another processor would not.
 */
const CLAUDE_COMMANDS: readonly Command[] = [
  { as: 'root', run: ['install', '-d', '-o', '10001', '-g', '10001', NPM_HOME] },
  { as: 'root', run: ['chown', '-R', AGENT_USER, CLAUDE_FOLDER] },
  {
    as: 'agent',
    run: [
      ...['npm', 'ci', '--prefix', CLAUDE_FOLDER, '--omit=dev', '--omit=peer', '--legacy-peer-deps'],
      ...['--ignore-scripts', '--no-audit', '--no-fund', '--no-update-notifier'],
    ],
  },
  { as: 'root', run: ['rm', '-rf', NPM_HOME] },
  { as: 'root', run: ['chown', '-R', 'root:root', CLAUDE_FOLDER] },
  { as: 'root', run: ['chmod', '-R', 'a+rX,go-w', CLAUDE_FOLDER] },
];
const CLAUDE_CHECKS: readonly Command[] = [{ as: 'agent', run: ['node', `${CLAUDE_FOLDER}/check.mjs`] }];

/** What each provider needs beside the base; null: nothing. Read once. `root` is the project's folder. */
export function providerLayers(root: string): (provider: string) => ProviderLayer | null {
  let claude: ProviderLayer | null = null;
  return (provider) => {
    if (provider !== 'claude') return null;
    claude ??= readClaudeLayer(join(root, 'container', 'claude'));
    return claude;
  };
}

function readClaudeLayer(from: string): ProviderLayer {
  const names = ['package.json', 'package-lock.json', 'check.mjs'];
  const files = names.map((name) => [name, readFileSync(join(from, name), 'utf8')]);
  const made = { folder: CLAUDE_FOLDER, commands: CLAUDE_COMMANDS, checks: CLAUDE_CHECKS };
  const key = createHash('sha256')
    .update(JSON.stringify([RECIPE_VERSION, files, made]))
    .digest('hex');
  return { name: 'claude', files: Object.fromEntries(files), ...made, key };
}

/** The image that the layer is copied from, by id (I2); null: it is to be installed. */
export function findSource(images: readonly LayerImage[], layer: ProviderLayer): string | null {
  return images.find(({ key }) => key === layer.key)?.id ?? null;
}

/** I1 */
export function layerImageName(baseId: string, layer: ProviderLayer): string {
  const hash = createHash('sha256').update(`${baseId}\n${layer.key}`).digest('hex');
  return `${layerRepository(layer.name)}${hash.slice(0, 16)}`;
}

/** Whether an image stands on that provider's layer, and on no other. */
export function hasLayer(image: string, layer: ProviderLayer | null): boolean {
  const found = LAYER_NAMES.find((name) => image.startsWith(layerRepository(name)) || image.includes(`:${name}-`));
  return found === layer?.name;
}

/** What the name of each image of a layer begins with. */
export function layerRepository(name: string): string {
  return `portolan-agent-${name}:`;
}
