import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { collectOutgoing } from '../../../host/sessions/attachments.ts';
import { makeId } from '../../../shared/ids.ts';
import { type SessionPaths, sessionPaths } from '../../../shared/session-files.ts';
import { makeTempHome } from '../../support/temp-home.ts';

const SECRET = 'the host’s own secret';

function makePlace(): { paths: SessionPaths; target: string; secret: string } {
  const { home } = makeTempHome();
  const paths = sessionPaths(home, makeId('agentGroup'), makeId('session'));
  mkdirSync(paths.outFiles, { recursive: true });
  const secret = join(home, 'secrets');
  mkdirSync(secret);
  writeFileSync(join(secret, 'note.txt'), SECRET);
  return { paths, target: join(home, 'staging'), secret };
}

const NOTE = [{ name: 'note.txt', sizeBytes: 1, contentType: 'image/png' }];

/** A hostile neighbour that puts the good thing and a link to the bad one in place of each other, without end. */
async function swapping(good: string, bad: string, name: string): Promise<void> {
  const program = `
    const { renameSync, symlinkSync, unlinkSync } = require('node:fs');
    const [good, bad, name] = process.argv.slice(1);
    process.stdout.write('swapping');
    for (;;) {
      renameSync(good, name);
      renameSync(name, good);
      symlinkSync(bad, name);
      unlinkSync(name);
    }`;
  const child = spawn(process.execPath, ['-e', program, good, bad, name], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
}

test.each([
  ['the file', 'note.txt'],
  ['its folder', ''],
])('broken by its own container: a link swapped for %s meanwhile is not followed', async (_what, leaf) => {
  const { paths, target, secret } = makePlace();
  const id = makeId('message');
  const honest = join(paths.out, 'honest');
  mkdirSync(honest);
  writeFileSync(join(honest, 'note.txt'), 'an honest note');
  if (leaf !== '') mkdirSync(join(paths.outFiles, id));
  await swapping(join(honest, leaf), join(secret, leaf), join(paths.outFiles, id, leaf));
  const seen = new Set<string>();
  const end = Date.now() + 10_000;
  // Until the attack was met from both sides, and often.
  for (let tries = 0; (tries < 500 || seen.size < 3) && Date.now() < end; tries++) {
    const collected = await collectOutgoing(paths, id, NOTE, target, () => true);
    seen.add(collected.kind === 'refused' ? collected.reason : collected.kind);
    if (collected.kind === 'files') expect(readFileSync(join(target, 'note.txt'), 'utf8')).toBe('an honest note');
    rmSync(target, { recursive: true, force: true });
  }
  const link = leaf === '' ? 'a part of its path is not a folder' : 'it is a link';
  expect([...seen].sort()).toEqual(['attachment 1: it does not exist', `attachment 1: ${link}`, 'files'].sort());
});

test('size and type are those of the copy, whatever the container says', async () => {
  const { paths, target } = makePlace();
  const id = makeId('message');
  mkdirSync(join(paths.outFiles, id));
  writeFileSync(join(paths.outFiles, id, 'note.txt'), '<html><script>alert(1)</script>');
  const collected = await collectOutgoing(paths, id, NOTE, target, () => true);
  expect(collected).toMatchObject({ files: [{ name: 'note.txt', sizeBytes: 31, contentType: 'text/plain' }] });
});

test('a refused file leaves no copy of the others', async () => {
  const { paths, target } = makePlace();
  const id = makeId('message');
  mkdirSync(join(paths.outFiles, id));
  writeFileSync(join(paths.outFiles, id, 'note.txt'), 'x');
  const files = [...NOTE, { name: 'missing.txt', sizeBytes: 1, contentType: '' }];
  expect(await collectOutgoing(paths, id, files, target, () => true)).toEqual({
    kind: 'refused',
    reason: 'attachment 2: it does not exist',
  });
  expect(existsSync(target)).toBe(false);
});
