/** The provider `claude` where it is meant to run: the real SDK in its own image, in a container without a network. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { projectRoot } from '../../../host/config/home.ts';
import { claudeImage } from '../../support/claude-image.ts';

const VITEST = [
  'node',
  'node_modules/vitest/vitest.mjs',
  'run',
  '--config',
  'test/contracts/inside/vitest.config.ts',
  '--configLoader',
  'native',
];
/** Of the image, when it must be built, and of a suite that starts a program of 370 MB some forty times. */
const DEADLINE_MS = 600_000;

test('keeps the contract of providers, with its real SDK and no network', { timeout: DEADLINE_MS }, async () => {
  const root = projectRoot();
  const container = [
    ...[
      'run',
      '--rm',
      '--init',
      '--name',
      `portolan-test-${randomUUID()}`,
      '--network',
      'none',
      '--user',
      '10001:10001',
    ],
    ...['--read-only', '--tmpfs', '/tmp:rw,exec,size=256m,mode=1777', '--cap-drop', 'ALL'],
    ...[
      '--security-opt',
      'no-new-privileges',
      '--memory',
      '2g',
      '--pids-limit',
      '512',
      '--env',
      'HOME=/tmp',
      '--env',
      'NO_COLOR=1',
    ],
    ...['--volume', `${root}:${root}:ro`, '--workdir', root],
  ];
  const child = spawn(
    'docker',
    [...container, '--entrypoint', VITEST[0] ?? '', await claudeImage(), ...VITEST.slice(1)],
    { stdio: 'pipe' },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const [code] = await once(child, 'close');
  expect(code, output).toBe(0);
  // An empty suite passes, too.
  expect(Number(/Tests +(\d+) passed/.exec(output)?.[1])).toBeGreaterThan(20);
});
