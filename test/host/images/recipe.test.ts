/** What an agent's image is made of: nothing that an agent writes becomes anything but a package's name. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type EngineImage,
  findImageFlaw,
  formatDockerfile,
  imageName,
  planLayers,
} from '../../../host/images/recipe.ts';
import { makeId } from '../../../shared/ids.ts';
import { APT_PACKAGE, NPM_PACKAGE, type Packages } from '../../../shared/packages.ts';

const BASE: EngineImage = {
  id: `sha256:${'a'.repeat(64)}`,
  sizeBytes: 1_000,
  user: '10001:10001',
  entrypoint: ['node', '/app/runner.mjs'],
  command: [],
  workingDir: '/workspace/agent',
  protocol: '3',
};
const installId = makeId('install');
const agentGroupId = makeId('agentGroup');
const format = (packages: Packages) =>
  formatDockerfile({
    base: BASE,
    installId,
    agentGroupId,
    generation: packages.generation,
    layers: planLayers(packages),
  });

const HOSTILE_APT = [
  '-o=Dpkg::Pre-Invoke::=id',
  '--reinstall',
  './evil.deb',
  '/tmp/evil.deb',
  'cowsay/../../x',
  'cowsay ; rm -rf /',
  'cowsay\nRUN id',
  'cowsay && id',
  '$(id)',
  '`id`',
  'https://evil.example/x.deb',
  'cowsay-',
  'cowsay+ ',
  '^task',
  'x'.repeat(500),
  '',
];
const HOSTILE_NPM = [
  '--ignore-scripts=false',
  '-g',
  'file:../../etc',
  './evil',
  '/etc',
  '../evil',
  '~/evil',
  'evil.tgz/../x',
  'git+ssh://git@evil.example/x.git',
  'git+https://evil.example/x.git',
  'github:evil/x',
  'evil/x',
  'https://evil.example/x.tgz',
  'alias@npm:evil',
  'left-pad@npm:evil@1.0.0',
  // Files of the folder it runs in.
  'evil.tgz',
  'evil.tar.gz',
  'evil.tar',
  'left-pad@1.0.0-evil.tgz',
  '@a/b@1.0.0+evil.TAR.GZ',
  'left-pad@file:../x',
  'left-pad@https://evil.example/x.tgz',
  'left-pad@>=1 || *',
  'left-pad\nUSER root',
  'left-pad ; id',
  '',
];

describe('names that are not names of packages', () => {
  test.each(HOSTILE_APT)('apt does not get to see %j', (name) => {
    expect(() => planLayers({ apt: [name], npm: [], generation: 0 })).toThrow();
  });

  test.each(HOSTILE_NPM)('npm does not get to see %j', (name) => {
    expect(() => planLayers({ apt: [], npm: [name], generation: 0 })).toThrow();
  });
});

describe('the Dockerfile', () => {
  test('runs lists of words alone, whatever the names are: no shell, no further instruction', () => {
    const apt = fc.array(fc.stringMatching(APT_PACKAGE), { minLength: 1, maxLength: 20 });
    const npm = fc.array(
      fc.stringMatching(NPM_PACKAGE).filter((name) => !/\.t(ar|gz)/i.test(name)),
      { minLength: 1, maxLength: 20 },
    );
    fc.assert(
      fc.property(apt, npm, (someApt, someNpm) => {
        const lines = format({ apt: someApt, npm: someNpm, generation: 0 }).trimEnd().split('\n');
        expect(lines.map((line) => line.split(' ', 1)[0])).toEqual([
          ...['FROM', 'LABEL', 'USER', 'ARG', 'ARG', 'RUN', 'RUN', 'ENV', 'LABEL', 'USER'],
        ]);
        for (const line of lines.filter((each) => each.startsWith('RUN '))) {
          const words: unknown = JSON.parse(line.slice(4));
          expect(words).toEqual([expect.stringMatching(/^node$/), '-e', expect.any(String), expect.any(String)]);
        }
      }),
      { numRuns: 200 },
    );
  });

  test('has apt take a name as that one package, and remove nothing', () => {
    const [layer] = planLayers({ apt: ['lib.+'], npm: [], generation: 0 });
    const install = layer?.find(({ run }) => run.includes('install'));
    expect(install?.run).toEqual(expect.arrayContaining(['APT::Cmd::Pattern-Only=true', '--no-remove']));
  });

  test('gives each name as a word of its own behind the end of options', () => {
    const [layer] = planLayers({ apt: ['g++', 'cowsay'], npm: [], generation: 0 });
    const install = layer?.find(({ run }) => run.includes('install'));
    expect(install?.run.slice(-3)).toEqual(['--', 'cowsay', 'g++']);
  });

  test('lets the scripts of npm packages run, but never as root', () => {
    const [layer] = planLayers({ apt: [], npm: ['esbuild'], generation: 0 });
    expect(layer?.filter(({ run }) => run[0] === 'npm').map(({ as }) => as)).toEqual(['agent']);
  });

  test('ends as the user of the base, and begins on its exact id', () => {
    const lines = format({ apt: ['cowsay'], npm: [], generation: 0 })
      .trimEnd()
      .split('\n');
    expect(lines[0]).toBe(`FROM ${BASE.id}`);
    expect(lines.at(-1)).toBe('USER 10001:10001');
  });
});

describe('the name of an image', () => {
  const packages: Packages = { apt: ['cowsay', 'jq'], npm: ['left-pad'], generation: 0 };

  test('is the same for the same packages in any order', () => {
    expect(imageName(installId, BASE.id, { ...packages, apt: ['jq', 'cowsay'] })).toBe(
      imageName(installId, BASE.id, packages),
    );
  });

  test('is another one for another base, install, version or generation', () => {
    const names = [
      imageName(installId, BASE.id, packages),
      imageName(installId, `sha256:${'b'.repeat(64)}`, packages),
      imageName(makeId('install'), BASE.id, packages),
      imageName(installId, BASE.id, { ...packages, npm: ['left-pad@1.3.0'] }),
      imageName(installId, BASE.id, { ...packages, generation: 1 }),
      imageName(installId, BASE.id, { apt: ['cowsay'], npm: ['jq', 'left-pad'], generation: 0 }),
    ];
    expect(new Set(names).size).toBe(names.length);
  });
});

describe('an image that was built', () => {
  test.each([
    ['runs as root', { user: '' }],
    ['runs another program', { entrypoint: ['sh'] }],
    ['has another folder', { workingDir: '/' }],
    ['speaks another protocol', { protocol: null }],
  ])('is refused when it %s', (_what, changes) => {
    expect(findImageFlaw(BASE, { ...BASE, ...changes }, 10)).toMatch(/does not run as its base/);
  });

  test('is refused when its packages take more than an agent may have', () => {
    expect(findImageFlaw(BASE, { ...BASE, sizeBytes: BASE.sizeBytes + 11 }, 10)).toMatch(/The packages take/);
    expect(findImageFlaw(BASE, { ...BASE, sizeBytes: BASE.sizeBytes + 10 }, 10)).toBeNull();
  });
});
