/** The tools of the provider `openai`: files, searches and commands, as a model uses and abuses them. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MAX_LISTED, MAX_RESULT_BYTES } from '../../../container/providers/openai/limits.ts';
import { MediaFolder } from '../../../container/providers/openai/media.ts';
import { Toolbelt } from '../../../container/providers/openai/toolbelt.ts';
import { boundText, EndsBuffer } from '../../../container/providers/openai/tools/bounds.ts';
import { compileGlob } from '../../../container/providers/openai/tools/glob.ts';
import type { OwnResult } from '../../../container/providers/openai/tools/own-tool.ts';
import { Shell } from '../../../container/providers/openai/tools/shell.ts';
import { until } from '../../support/until.ts';
import { isAlive, PNG, TestTools } from './openai-fixture.ts';

let root: string;
let shell: Shell;
let belt: Toolbelt;
let abort: AbortController;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'portolan-tools-'));
  abort = new AbortController();
  shell = new Shell({ homeFolder: '/home/of/agent', timezone: 'Europe/Berlin', gatewayPort: 3128 }, root, null);
  const media = new MediaFolder(join(root, '.media'));
  belt = new Toolbelt(new TestTools(), { agentFolder: root, media, shell, signal: abort.signal }, 'openai');
});

afterEach(() => {
  shell[Symbol.dispose]();
  rmSync(root, { recursive: true, force: true });
});

const call = (name: string, input: Record<string, unknown>): Promise<OwnResult> =>
  belt.call({ type: 'call', id: 'c1', name, input });
const write = (name: string, content: string | Buffer) => writeFileSync(join(root, name), content);
const read = (name: string) => readFileSync(join(root, name), 'utf8');

describe('read_file', () => {
  it('gives lines with their numbers, and says how to go on', async () => {
    write('a.txt', 'one\ntwo\r\nthree\nfour\n');
    expect((await call('read_file', { path: 'a.txt' })).text).toBe('1\tone\n2\ttwo\n3\tthree\n4\tfour');
    const part = await call('read_file', { path: join(root, 'a.txt'), offset: 2, limit: 2 });
    expect(part.text).toBe('2\ttwo\n3\tthree\n(more follows: go on with offset 4)');
  });

  it('says what is empty, behind the end, a folder, or not there', async () => {
    write('empty', '');
    write('short', 'x');
    expect(await call('read_file', { path: 'empty' })).toMatchObject({ isOk: true, text: 'empty is empty.' });
    expect((await call('read_file', { path: 'short', offset: 9 })).text).toContain('has 1 lines; offset 9');
    expect((await call('read_file', { path: '.' })).isOk).toBe(false);
    expect((await call('read_file', { path: 'x\0y' })).isOk).toBe(false);
    expect((await call('read_file', { path: 'none' })).text).toBe('none: there is no such file or folder.');
  });

  it('cuts lines and results that are too long', async () => {
    write('wide', `${'ä'.repeat(10_000)}\nend\n`);
    expect((await call('read_file', { path: 'wide' })).text).toMatch(/^1\tä{2000}… \(cut\)\n2\tend$/);
    write('long', 'x'.repeat(1_000).concat('\n').repeat(500));
    const { text } = await call('read_file', { path: 'long' });
    expect(Buffer.byteLength(text)).toBeLessThan(MAX_RESULT_BYTES + 200);
    const [, next] = /go on with offset (\d+)/.exec(text) ?? [];
    const rest = await call('read_file', { path: 'long', offset: Number(next) });
    expect(rest.text.startsWith(`${next}\t`)).toBe(true);
  });

  it('is not held by a pipe, nor by what is no text', async () => {
    execFileSync('mkfifo', [join(root, 'pipe')]);
    expect((await call('read_file', { path: 'pipe' })).text).toContain('no regular file');
    write('binary', Buffer.from([1, 0, 2]));
    expect((await call('read_file', { path: 'binary' })).text).toContain('is no text (3 bytes)');
    expect((await call('read_file', { path: '/dev/zero' })).isOk).toBe(false);
  });

  it('shows a picture, and refuses one that is too large', async () => {
    write('a.png', PNG);
    expect((await call('read_file', { path: 'a.png' })).media).toHaveLength(1);
    write('b.png', Buffer.concat([PNG, Buffer.alloc(6 * 1024 * 1024)]));
    expect(await call('read_file', { path: 'b.png' })).toMatchObject({
      isOk: false,
      text: expect.stringContaining('at most 5 MiB'),
    });
  });
});

describe('write_file and edit_file', () => {
  it('make folders, keep rights, and go through links', async () => {
    expect((await call('write_file', { path: 'a/b/c.sh', content: 'one' })).text).toContain('was made: 3 bytes');
    chmodSync(join(root, 'a/b/c.sh'), 0o750);
    symlinkSync('a/b/c.sh', join(root, 'link'));
    expect((await call('edit_file', { path: 'link', old_text: 'one', new_text: 'two' })).isOk).toBe(true);
    expect(read('a/b/c.sh')).toBe('two');
    expect(statSync(join(root, 'a/b/c.sh')).mode & 0o777).toBe(0o750);
    expect((await call('write_file', { path: 'a/b', content: 'x' })).isOk).toBe(false);
  });

  it('replace what stands exactly once, or everywhere when asked', async () => {
    write('f', 'a b a\n$& $1\n');
    expect((await call('edit_file', { path: 'f', old_text: 'a', new_text: 'c' })).text).toContain('stands 2 times');
    expect((await call('edit_file', { path: 'f', old_text: 'a', new_text: '$&', replace_all: true })).isOk).toBe(true);
    expect(read('f')).toBe('$& b $&\n$& $1\n');
  });

  it('say where a text is that differs by spaces alone', async () => {
    write('f', 'if (x) {\n\treturn  1;\n}\n');
    const { text } = await call('edit_file', { path: 'f', old_text: '  return 1;', new_text: '' });
    expect(text).toContain('Line 2 is like its beginning');
    expect((await call('edit_file', { path: 'f', old_text: 'nothing', new_text: '' })).text).toContain(
      'does not stand in f.',
    );
    expect(read('f')).toContain('return  1');
  });

  it('leave alone what is no text', async () => {
    write('f', Buffer.from([0x61, 0xff, 0x62]));
    expect((await call('edit_file', { path: 'f', old_text: 'a', new_text: 'b' })).isOk).toBe(false);
    expect(readFileSync(join(root, 'f'))).toEqual(Buffer.from([0x61, 0xff, 0x62]));
  });
});

describe('list_files', () => {
  it('lists a folder, or searches below it, without the heavy ones', async () => {
    for (const folder of ['src/deep', 'node_modules/x', '.git']) mkdirSync(join(root, folder), { recursive: true });
    for (const file of ['a.ts', 'src/b.ts', 'src/deep/c.ts', 'src/d.js', 'node_modules/x/e.ts']) write(file, '');
    symlinkSync('.', join(root, 'src/loop'));
    expect((await call('list_files', {})).text.split('\n')).toEqual(['.git/', 'a.ts', 'node_modules/', 'src/']);
    expect((await call('list_files', { pattern: '*.ts' })).text).toBe('a.ts\nsrc/b.ts\nsrc/deep/c.ts');
    expect((await call('list_files', { pattern: 'src/*.{ts,js}' })).text).toBe('src/b.ts\nsrc/d.js');
    expect((await call('list_files', { pattern: 'node_modules/**/*.ts' })).text).toBe('node_modules/x/e.ts');
    expect((await call('list_files', { path: 'src', pattern: '*.py' })).text).toBe('Nothing in src is called *.py.');
    expect((await call('list_files', { pattern: '{a' })).isOk).toBe(false);
    expect((await call('list_files', { path: 'none' })).isOk).toBe(false);
  });

  it('shows a bounded number', async () => {
    for (let index = 0; index < MAX_LISTED + 5; index++) write(`f${index}`, '');
    const { text } = await call('list_files', {});
    expect(text.split('\n')).toHaveLength(MAX_LISTED + 1);
    expect(text).toContain('more than 500');
  });
});

describe('patterns of names', () => {
  it.each<[string, string, boolean]>([
    ['*.ts', 'a/b.ts', true],
    ['*.ts', 'a/b.tsx', false],
    ['src/**/x.md', 'src/x.md', true],
    ['src/**/x.md', 'src/a/b/x.md', true],
    ['src/**', 'src/a/b', true],
    ['a?c', 'abc', true],
    ['a?c', 'a/c', false],
    ['[a-c].txt', 'b.txt', true],
    ['[!a-c].txt', 'b.txt', false],
    ['a.c', 'abc', false],
    ['(a|b)+$', 'a', false],
    ['./x', 'x', true],
  ])('%s and %s: %s', (pattern, name, expected) => {
    const glob = compileGlob(pattern);
    expect(glob.kind === 'glob' && glob.matches(name)).toBe(expected);
  });

  it('never throw, and match themselves when they hold no sign', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const glob = compileGlob(`x${text}`);
        if (glob.kind === 'glob') glob.matches('x/y');
      }),
    );
    const plain = fc.string({ unit: 'grapheme' }).filter((text) => text !== '' && !/[*?[\]{}/,]/.test(text));
    fc.assert(
      fc.property(plain, (text) => {
        const glob = compileGlob(text);
        expect(glob.kind === 'glob' && glob.matches(text)).toBe(true);
      }),
    );
  });
});

describe('grep', () => {
  it('finds lines by expression, with file and number', async () => {
    mkdirSync(join(root, 'node_modules'));
    write('a.ts', 'const one = 1;\nconst two = 2;\n');
    write('b.md', 'One\n');
    write('node_modules/c.ts', 'const one = 3;\n');
    expect((await call('grep', { pattern: 'one|two' })).text.split('\n').sort()).toEqual(
      ['a.ts:1:const one = 1;', 'a.ts:2:const two = 2;'].map((line) => line.replace(/^/, './')),
    );
    expect((await call('grep', { pattern: 'one', ignore_case: true, files: '*.md' })).text).toBe('./b.md:1:One');
    expect((await call('grep', { pattern: 'nine' })).text).toBe('Nothing was found.');
    expect((await call('grep', { pattern: 'a(' })).isOk).toBe(false);
    expect((await call('grep', { pattern: '--help', path: '--version' })).isOk).toBe(false);
  });
});

describe('bash', () => {
  it('keeps where it stands, not its variables, and says how it ended', async () => {
    expect((await call('bash', { command: 'mkdir -p sub && cd sub && X=1 && pwd' })).text).toBe(join(root, 'sub'));
    expect((await call('bash', { command: 'pwd; echo "[$X]"' })).text).toBe(`${join(root, 'sub')}\n[]`);
    const failed = await call('bash', { command: 'echo no >&2; exit 3' });
    expect(failed).toMatchObject({ isOk: false, text: `no\n(exit code 3, in ${join(root, 'sub')})` });
    rmSync(join(root, 'sub'), { recursive: true });
    expect((await call('bash', { command: 'pwd' })).text).toBe(root);
  });

  it('takes here-documents and comments, and has no input', async () => {
    expect((await call('bash', { command: "cat <<'E'\nhello\nE" })).text).toBe('hello');
    expect((await call('bash', { command: 'echo x # end' })).text).toBe('x');
    expect((await call('bash', { command: 'cat; echo done' })).text).toBe('done');
    expect((await call('bash', { command: 'cd /tmp; exec true' })).isOk).toBe(true);
  });

  it('knows of this process only where programs are, and the way out', async () => {
    process.env.SECRET_OF_THE_TEST = 'x';
    const { text } = await call('bash', { command: 'env' });
    delete process.env.SECRET_OF_THE_TEST;
    expect(text).not.toContain('SECRET_OF_THE_TEST');
    expect(text).toContain('HTTPS_PROXY=http://127.0.0.1:3128');
    expect(text).toContain('TZ=Europe/Berlin');
  });

  it('is ended when its time is over, with all of its group', async () => {
    const startedAt = performance.now();
    const result = await call('bash', { command: 'echo begun; sleep 600 & echo $! > pid; sleep 600', timeout_s: 1 });
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    expect(result).toMatchObject({ isOk: false, text: expect.stringMatching(/^begun\n\(ended after 1 s/) });
    await until('it is gone', () => !isAlive(Number(read('pid'))));
  });

  it('gives head and tail of what floods, and ends what never stops', async () => {
    const long = await call('bash', { command: 'seq 1 200000' });
    expect(Buffer.byteLength(long.text)).toBeLessThan(MAX_RESULT_BYTES + 200);
    expect(long.text).toMatch(/^1\n2\n[\s\S]*bytes left out[\s\S]*199999\n200000$/);
    const flood = await call('bash', { command: 'yes', timeout_s: 60 });
    expect(flood.text).toContain('it printed without an end');
  });

  it('declares its time with slack, as its input says', () => {
    const timeout = (input: Record<string, unknown>) => belt.timeoutMs({ type: 'call', id: 'c', name: 'bash', input });
    expect(timeout({ command: 'x' })).toBe(130_000);
    expect(timeout({ command: 'x', timeout_s: 600 })).toBe(610_000);
    expect(timeout({ nonsense: 1 })).toBeNull();
  });
});

describe('bounded texts', () => {
  it('are never longer than their bound and a line, and begin and end as the whole does', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 400 }), fc.integer({ min: 20, max: 200 }), (text, most) => {
        const bounded = boundText(text, most);
        expect(Buffer.byteLength(bounded)).toBeLessThanOrEqual(most + 60);
        if (Buffer.byteLength(text) <= most) expect(bounded).toBe(text);
        expect(bounded.includes('\ufffd') && !text.includes('\ufffd')).toBe(false);
      }),
    );
  });

  it('of a stream do not depend on its pieces', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 300 }), { maxLength: 40 }), (pieces) => {
        const buffer = new EndsBuffer(200);
        for (const piece of pieces) buffer.add(Buffer.from(piece));
        expect(buffer.read()).toBe(boundText(pieces.join(''), 200));
      }),
    );
  });
});
