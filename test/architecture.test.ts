/** The walls of the house: which folder may not import which, and why. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { projectRoot } from '../host/config/home.ts';

const root = projectRoot();

/** Low to high: a folder imports from its own rank or below. Several folders may share a rank. */
const RANKS: readonly (readonly string[])[] = [
  ['shared'],
  ['host/config', 'host/observe'],
  ['host/access'],
  ['host/store'],
  ['host/sessions', 'host/vault'],
  ['host/egress'],
  ['host/questions'],
  ['host/approvals'],
  ['host/people', 'host/images', 'host/budgets'],
  ['host/agents', 'host/schedule'],
  ['host/requests', 'host/commands'],
  ['host/routing', 'host/runtime', 'host/delivery'],
  ['host/cli', 'host/console', 'host/channels'],
  ['host', 'host/assembly'],
];

/** Folders of one rank that stay apart all the same, and what would break. */
const FORBIDDEN: readonly { from: string; to: string; because: string }[] = [
  {
    from: 'host',
    to: 'container',
    because: 'they meet at the session folder alone; shared/ is their only common code',
  },
  { from: 'container', to: 'host', because: 'the host’s code has no business in a hostile container' },
  { from: 'shared', to: 'host', because: 'the container uses shared/ too' },
  { from: 'shared', to: 'container', because: 'the host uses shared/ too' },
  { from: 'host/routing', to: 'host/delivery', because: 'a message goes downhill once; what comes back is a new lap' },
  { from: 'host/delivery', to: 'host/routing', because: 'a message goes downhill once; what comes back is a new lap' },
  { from: 'host/runtime', to: 'host/delivery', because: 'containers run without knowing what is sent' },
  { from: 'host/runtime', to: 'host/routing', because: 'containers run without knowing who wrote' },
  { from: 'host/delivery', to: 'host/runtime', because: 'delivery goes on while no container runs' },
  { from: 'host/routing', to: 'host/runtime', because: 'a message is accepted while no engine answers' },
  { from: 'host/access', to: 'host/observe', because: 'decisions are pure' },
  { from: 'host/console/web', to: 'host/store', because: 'the page knows the API, not the tables' },
  { from: 'host/channels', to: 'host/cli', because: 'the command line is one client of the API among others' },
];

/** Packages that one place alone may know. */
const OWNED: readonly { name: RegExp; owners: readonly string[]; because: string }[] = [
  {
    name: /^dockerode$/,
    owners: ['host/runtime/drivers/docker', 'host/images', 'host/cli/doctor'],
    because: 'another engine is another driver',
  },
  {
    name: /^better-sqlite3$/,
    owners: ['host/store', 'host/sessions', 'host/config/lock.ts', 'host/cli/doctor', 'container/runner'],
    because: 'only store/ knows the central database, only sessions/ the session databases',
  },
  { name: /^croner$/, owners: ['host/schedule'], because: 'what a cron expression means is decided in one place' },
  { name: /^(hono|@hono\/.*)$/, owners: ['host/console', 'host/cli'], because: 'HTTP is the console’s' },
  {
    name: /^@modelcontextprotocol\//,
    owners: ['container/mcp', 'container/mcp-servers'],
    because: 'the next major version is another module',
  },
  {
    name: /^(react|react-dom|@mantine\/.*|@tanstack\/.*)$/,
    owners: ['host/console/web'],
    because: 'the page is one folder',
  },
];

interface Import {
  file: string;
  target: string;
}

function listSources(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name) && !entry.parentPath.includes('node_modules'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
}

function listImports(): Import[] {
  const imports: Import[] = [];
  for (const file of ['shared', 'host', 'container'].flatMap(listSources)) {
    const source = readFileSync(join(root, file), 'utf8');
    for (const match of source.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)) {
      const name = match[1] ?? '';
      imports.push({ file, target: name.startsWith('.') ? relative(root, resolve(root, dirname(file), name)) : name });
    }
  }
  return imports;
}

const imports = listImports();

function isIn(path: string, folder: string): boolean {
  return (
    path === folder || path.startsWith(`${folder}/`) || path.startsWith(`${folder}.`) || path.startsWith(`${folder}-`)
  );
}

function rankOf(path: string): number {
  // Deepest folder first, so that `host` stands for the files directly in it.
  return RANKS.findIndex((folders) =>
    folders.some((folder) => (folder === 'host' ? dirname(path) === 'host' : path.startsWith(`${folder}/`))),
  );
}

test('there is something to check', () => {
  expect(imports.length).toBeGreaterThan(200);
});

test('imports go down only', () => {
  const wrong = imports.filter(({ file, target }) => {
    const [from, to] = [rankOf(file), rankOf(target)];
    return from >= 0 && to > from;
  });
  expect(wrong).toEqual([]);
});

test.each(FORBIDDEN)('$from does not import $to: $because', ({ from, to }) => {
  expect(imports.filter(({ file, target }) => file.startsWith(`${from}/`) && target.startsWith(`${to}/`))).toEqual([]);
});

test.each(OWNED)('$name is known to its owners alone: $because', ({ name, owners }) => {
  const wrong = imports.filter(({ file, target }) => name.test(target) && !owners.some((owner) => isIn(file, owner)));
  expect(wrong).toEqual([]);
});

test('every folder of the host has a rank', () => {
  const homeless = listSources('host').filter((file) => rankOf(file) < 0);
  expect(homeless).toEqual([]);
});

test('what a secret is leaves the vault for the gateway’s credentials alone', () => {
  const asking = listSources('host').filter((file) =>
    /\b#?vault\.reveal\(/i.test(readFileSync(join(root, file), 'utf8')),
  );
  expect(asking).toEqual(['host/egress/credentials.ts']);
});
