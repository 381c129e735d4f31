/** What packages print is hostile text: it steers no terminal, fills no disk, and nobody who reads slows a build. */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { cleanLine, LineCutter } from '../../../host/images/clean-text.ts';
import { LOG_HEAD_BYTES, LOG_TAIL_BYTES, MAX_LINE_CHARS } from '../../../host/images/limits.ts';
import { BuildLog, noteCutOff } from '../../../host/images/log.ts';
import { makeTempHome } from '../../support/temp-home.ts';

const ESC = String.fromCharCode(27);
const BEL = String.fromCharCode(7);

describe('a line', () => {
  test.each([
    ['colours', `${ESC}[91mred${ESC}[0m`, 'red'],
    ['a title', `${ESC}]0;owned${BEL}text`, 'text'],
    ['a link', `${ESC}]8;;https://evil.example${ESC}\\click${ESC}]8;;${ESC}\\`, 'click'],
    ['a cleared screen', `${ESC}[2J${ESC}[Htext`, 'text'],
    ['an unfinished sequence', `text${ESC}[`, 'text'],
    ['control characters', 'a\u0000b\u0008c\u007fd\u009b31me', 'abcd31me'],
    ['text that runs backward', 'safe\u202etxt.exe', 'safetxt.exe'],
    ['a progress bar', 'Reading 5%\rReading 50%\rReading done\r', 'Reading done'],
    ['tabs', 'a\tb', 'a    b'],
  ])('loses %s', (_what, line, clean) => {
    expect(cleanLine(line)).toBe(clean);
  });

  test('of sequences without an end takes linear time', () => {
    const line = `${ESC}]`.repeat(50_000);
    const started = performance.now();
    cleanLine(line);
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  test('without an end is broken', () => {
    const cutter = new LineCutter();
    const lines = cutter.push('x'.repeat(3 * MAX_LINE_CHARS));
    expect(lines.map((line) => line.length)).toEqual([MAX_LINE_CHARS, MAX_LINE_CHARS]);
    expect([...cutter.push('y\nz'), ...cutter.end()].map((line) => line.length)).toEqual([MAX_LINE_CHARS, 1, 1]);
  });
});

describe('a log', () => {
  test('of a build that prints without end keeps begin and end, and says what is left out', async () => {
    const path = join(makeTempHome().buildLogs, 'x.log');
    const log = new BuildLog(path);
    for (let at = 0; at < 40; at++) log.write(`${`${at} ${'x'.repeat(1_000)}\n`.repeat(100)}`);
    log.write('the very last line\n');
    await log.end();
    expect(statSync(path).size).toBeLessThan(LOG_HEAD_BYTES + LOG_TAIL_BYTES + 200);
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    expect(lines[0]).toMatch(/^0 x/);
    expect(lines.at(-1)).toBe('the very last line');
    const left = lines.findIndex((line) => line.startsWith('…'));
    const [, count] = /^… (\d+) lines are left out here …$/.exec(lines[left] ?? '') ?? [];
    expect(lines.length - 1 + Number(count)).toBe(4_001);
    expect(log.last(1)).toEqual(['the very last line']);
  });

  test('is read by number, and goes on after what was dropped', () => {
    const log = new BuildLog(join(makeTempHome().buildLogs, 'x.log'));
    log.write('one\ntwo\nthree');
    expect(log.read(0, 10)).toEqual([
      { number: 1, text: 'one' },
      { number: 2, text: 'two' },
    ]);
    expect(log.read(1, 10)).toEqual([{ number: 2, text: 'two' }]);
    log.note('four');
    expect(log.read(2, 10).map(({ text }) => text)).toEqual(['three', 'four']);
    for (let at = 0; at < 20; at++) log.write(`${'x'.repeat(1_000)}\n`.repeat(100));
    log.write('last\n');
    const newest = log.read(2_000, 10).at(-1);
    expect(newest).toEqual({ number: 2_005, text: 'last' });
    // Every number once, in order, a gap where lines were dropped.
    const numbers: number[] = [];
    for (let after = 0; ; ) {
      const lines = log.read(after, 100);
      if (lines.length === 0) break;
      numbers.push(...lines.map(({ number }) => number));
      after = numbers.at(-1) ?? after;
    }
    expect(numbers).toEqual([...new Set(numbers)].toSorted((one, other) => one - other));
    expect(numbers.length).toBeLessThan(2_005);
  });

  test('tells who waits for more, and who waits at its end', async () => {
    const log = new BuildLog(join(makeTempHome().buildLogs, 'x.log'));
    const more = log.changed();
    log.write('one\n');
    await more;
    const end = log.changed();
    await log.end();
    await end;
    await log.changed();
    expect(log.isEnded).toBe(true);
  });

  test('whose file cannot be written goes on', async () => {
    const home = makeTempHome();
    const log = new BuildLog(join(home.home, 'no-such-folder', 'x.log'));
    log.write('one\n');
    await log.end();
    expect(log.last(1)).toEqual(['one']);
  });
});

test('a log that its host did not live to end says so in its last line; where there is none, none is made', () => {
  const { buildLogs } = makeTempHome();
  const path = join(buildLogs, 'cut.log');
  writeFileSync(path, 'Step 1\nStep 2, which was being wri');
  noteCutOff(path);
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  expect(lines.slice(0, 2)).toEqual(['Step 1', 'Step 2, which was being wri']);
  expect(lines.at(-1)).toMatch(/^The host stopped in the middle of this build\./);
  noteCutOff(join(buildLogs, 'other.log'));
  expect(existsSync(join(buildLogs, 'other.log'))).toBe(false);
});
