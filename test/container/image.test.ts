/** The agent image, from inside. */
import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { containerUser } from '../../host/sessions/folder.ts';
import { makeId } from '../../shared/ids.ts';
import { agentImage } from '../support/image.ts';

const LOOK = `
const { getCompileCacheDir } = require('node:module');
const { accessSync, constants, readdirSync, realpathSync } = require('node:fs');
const folder = getCompileCacheDir();
let writable = true;
try { accessSync(folder, constants.W_OK); } catch { writable = false; }
console.log(JSON.stringify({ entries: readdirSync(folder).length, writable }));`;

test.each([
  ['the first session', 0],
  ['the two thousandth', 1_999],
])('the compiled runner serves the user of %s, who cannot write it', (_which, userOffset) => {
  const { uid, gid } = containerUser(0, 0, { userOffset, agentGroupId: makeId('agentGroup') });
  const image = agentImage();
  const options = [
    'run',
    '--rm',
    '--read-only',
    '--network',
    'none',
    '--user',
    `${uid}:${gid}`,
    '--entrypoint',
    'node',
  ];
  const said = execFileSync('docker', [...options, image, '-e', LOOK], { encoding: 'utf8', timeout: 25_000 });
  const found: unknown = JSON.parse(said);
  expect(found).toEqual({ entries: expect.any(Number), writable: false });
  expect((found as { entries: number }).entries).toBeGreaterThan(0);
});
