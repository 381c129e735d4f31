import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { sniffContentType } from '../../../host/sessions/content-type.ts';
import { makeTempHome } from '../../support/temp-home.ts';

const PNG = Buffer.from('89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489', 'hex');

test.each([
  ['a picture', 'a.png', PNG, 'image/png'],
  ['a page that calls itself a picture', 'a.png', '<!doctype html><script>alert(1)</script>', 'text/plain'],
  ['a picture that calls itself a text', 'a.txt', PNG, 'image/png'],
  ['a text', 'a.bin', 'höhe 17:42\r\n\tok', 'text/plain'],
  ['a long text whose head ends inside a character', 'a.txt', `x${'ж'.repeat(5_000)}`, 'text/plain'],
  ['nothing', 'a.txt', '', 'text/plain'],
  ['bytes', 'a.txt', Buffer.from([0, 1, 2, 255, 254]), 'application/octet-stream'],
  ['a text with an escape', 'a.txt', 'a\x1b[2J', 'application/octet-stream'],
  ['a program', 'a.png', Buffer.from('7f454c4602010100', 'hex'), 'application/x-elf'],
])('broken by its own container: a file is what its bytes are: %s', async (_what, name, bytes, type) => {
  const path = join(makeTempHome().home, name);
  writeFileSync(path, bytes);
  expect(await sniffContentType(path)).toBe(type);
});

test('a drawing that can hold scripts is no picture that is shown in place', async () => {
  const path = join(makeTempHome().home, 'a.png');
  writeFileSync(path, '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script/></svg>');
  expect(['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/avif']).not.toContain(
    await sniffContentType(path),
  );
});
