/** The list of faults in this folder's README names tests that exist, or says why there is none yet. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { projectRoot } from '../host/config/home.ts';

/** Rows of the list. A fault that is added or taken out changes it knowingly. */
const ROWS = 58;

const ROW = /^\| (?<fault>[^|]+?) +\| (?:`(?<file>[^`]+\.test\.ts)`|(?<absent>not here yet)) +\| (?<name>[^|]+?) +\|$/;
const HEAD = /^\| (?:fault |-)/;

/** `test('title'`, `it("title"`, `test.each(…)('title'`; neither `describe` nor `pattern.test('text')`. */
const TITLE =
  /(?<![.\w])(?:test|it)(?:\.each\([\s\S]*?\))?\(\s*(?<quote>['"`])(?<title>(?:\\.|(?!\k<quote>).)*)\k<quote>,/g;

const lines =
  readFileSync(join(projectRoot(), 'test', 'README.md'), 'utf8').split('\n## Faults seen elsewhere\n')[1] ?? '';
const listed = lines.split('\n').filter((line) => line.startsWith('|') && !HEAD.test(line));
const rows = listed.map((line) => ROW.exec(line)?.groups ?? { fault: line });

test('every fault has its row, with a test or the reason why there is none yet', () => {
  expect(rows.filter(({ name }) => name === undefined)).toEqual([]);
  expect(new Set(rows.map(({ fault }) => fault)).size).toBe(ROWS);
});

test.each(rows.filter(({ file }) => file !== undefined))('“$fault” has its test', ({ file = '', name = '' }) => {
  const path = join(projectRoot(), 'test', file);
  expect(existsSync(path), file).toBe(true);
  const source = readFileSync(path, 'utf8');
  const titles = [...source.matchAll(TITLE)].map(({ groups }) => groups?.title ?? '');
  expect(
    titles.filter((title) => isTitle(title, name, source)),
    `${file} has no test called “${name}”`,
  ).not.toEqual([]);
});

/** Whether `name` is a title or a part of it. What it has for `%s` or `$name` is a text of the test's own table. */
function isTitle(title: string, name: string, source: string): boolean {
  if (title.includes(name)) return true;
  const parts = title.replaceAll(/\\(.)/g, '$1').split(/%s|\$\w+/);
  const pattern = parts.map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('(.+)');
  const given = new RegExp(`^${pattern}$`).exec(name)?.slice(1);
  return given?.every((text) => ["'", '"', '`'].some((quote) => source.includes(quote + text + quote))) ?? false;
}
