/** What `npm run up` does before it does anything: in a folder that has nothing but the scripts. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { projectRoot } from '../../host/config/home.ts';

let clone: string;

beforeAll(() => {
  clone = mkdtempSync(join(tmpdir(), 'portolan-clone-'));
  for (const part of ['scripts', 'host/config/settings.mjs', 'package.json']) {
    cpSync(join(projectRoot(), part), join(clone, part), { recursive: true });
  }
});

afterAll(() => rmSync(clone, { recursive: true }));

function run(script: 'up' | 'dev', args: string[], env: NodeJS.ProcessEnv = {}) {
  const program = join(clone, 'scripts', `${script}.mjs`);
  const ended = spawnSync(process.execPath, [program, ...args], {
    cwd: clone,
    encoding: 'utf8',
    env: { PATH: process.env.PATH, ...env },
    timeout: 60_000,
  });
  return { ...ended, started: existsSync(join(clone, 'node_modules')) || existsSync(join(clone, 'dist')) };
}

test.each(['up', 'dev'] as const)('npm run %s -- --help prints help and starts nothing', (script) => {
  const { status, stdout, started } = run(script, ['--help']);
  expect([status, started]).toEqual([0, false]);
  expect(stdout).toContain(`npm run ${script}:`);
});

test.each([
  ['PORTOLAN_PORT', 'abc', 'PORTOLAN_PORT is "abc": expected a whole number from 0 to 65535.'],
  ['PORTOLAN_DRIVER', 'podman', 'PORTOLAN_DRIVER is "podman": expected docker or process.'],
  ['PORTOLAN_STOP_AFTER_MS', '5s', 'PORTOLAN_STOP_AFTER_MS is "5s": expected a whole number from 100 to 604800000.'],
])('%s=%s is refused before anything is installed or built', (name, value, words) => {
  const { status, stderr, started } = run('up', [], { [name]: value });
  expect([status, started]).toEqual([1, false]);
  expect(stderr).toContain(words);
  expect(stderr).toContain(`unset ${name}`);
});

test('an argument that it does not know is refused, with what to type instead', () => {
  const { status, stderr, started } = run('up', ['--port', '80']);
  expect([status, started]).toEqual([1, false]);
  expect(stderr).toContain('takes no arguments, and was given --port 80');
  expect(stderr).toContain('npm run up -- --help');
});
