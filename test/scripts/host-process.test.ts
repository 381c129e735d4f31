import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';

const MODULE = fileURLToPath(new URL('../../scripts/lib/host-process.mjs', import.meta.url));

/** Stands for the host: says each signal that it hears, and ends with 3 after SIGTERM. */
const PROGRAM = `
process.on('SIGINT', () => console.log('SIGINT'));
process.on('SIGTERM', () => { console.log('SIGTERM'); process.exit(3); });
setInterval(() => {}, 1_000);
console.log('ready');
`;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'portolan-host-process-'));
  writeFileSync(join(folder, 'program.mjs'), PROGRAM);
});

afterEach(() => rmSync(folder, { recursive: true }));

test('signals at one press of Ctrl+C reach the host as one, and its exit code is passed on', async () => {
  const script = `import { runHost } from ${JSON.stringify(MODULE)};
    process.exitCode = await runHost(process.env, ${JSON.stringify(join(folder, 'program.mjs'))});`;
  const up = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(up, 'exit');
  const heard: string[] = [];
  for await (const line of createInterface({ input: up.stdout })) {
    heard.push(line);
    // As a terminal and npm do it: the same signal twice, at once.
    if (line === 'ready') for (let copy = 0; copy < 2; copy++) up.kill('SIGINT');
    if (line === 'SIGINT') up.kill('SIGHUP');
  }
  expect(heard).toEqual(['ready', 'SIGINT', 'SIGTERM']);
  expect(await ended).toEqual([3, null]);
});
