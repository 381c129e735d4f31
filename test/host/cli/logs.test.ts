import { appendFileSync, mkdirSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { HomePaths } from '../../../host/config/home.ts';
import { makeTempHome } from '../../support/temp-home.ts';
import { until } from '../../support/until.ts';
import { portolan } from './support/run.ts';

const ESCAPE = String.fromCharCode(27);

function line(msg: string, fields: Record<string, unknown> = {}): string {
  return `${JSON.stringify({ level: 30, time: '2026-11-21T07:51:45.946Z', part: 'host', ...fields, msg })}\n`;
}

function makeLog(text: string): HomePaths {
  const paths = makeTempHome();
  mkdirSync(paths.logs, { recursive: true });
  writeFileSync(paths.logFile, text);
  return paths;
}

describe('portolan logs', () => {
  it('shows the last lines for people: time, level, part, message and fields', async () => {
    const paths = makeLog(line('first') + line('second') + line('third', { count: 3 }));
    const { code, out } = await portolan(paths, ['logs', '-n', '2']);
    expect(code).toBe(0);
    expect(out).not.toContain('first');
    expect(out).toMatch(/INFO.*: host: second\n.*INFO.*: host: third.*"count":3/s);
  });

  it('chooses by level and by a part of the session id', async () => {
    const session = 'ses_0mb2k9x0q17h3kq0v9z1c';
    const paths = makeLog(
      line('quiet', { sessionId: session }) +
        line('loud', { level: 50, sessionId: session }) +
        line('other', { level: 50 }),
    );
    const { out } = await portolan(paths, ['logs', '--level', 'warn', '--session', 'v9z1c', '--json']);
    expect(
      out
        .trim()
        .split('\n')
        .map((text) => JSON.parse(text).msg),
    ).toEqual(['loud']);
  });

  it('shows a line that is no JSON as it is, and nothing that could steer the terminal', async () => {
    const paths = makeLog(`Error: crash ${ESCAPE}[2J\n${line(`x${ESCAPE}[31m`, { [`k${ESCAPE}`]: `v${ESCAPE}]0;t` })}`);
    const { out } = await portolan(paths, ['logs']);
    expect(out).toContain('Error: crash [2J');
    expect(out).not.toContain(ESCAPE);
  });

  it('finds the last lines of a log of many chunks', async () => {
    const paths = makeLog(Array.from({ length: 5_000 }, (_, at) => line(`number ${at}`)).join(''));
    const { out } = await portolan(paths, ['logs', '-n', '1500', '--json']);
    const numbers = out
      .trim()
      .split('\n')
      .map((text) => JSON.parse(text).msg);
    expect(numbers).toHaveLength(1_500);
    expect(numbers[0]).toBe('number 3500');
    expect(numbers.at(-1)).toBe('number 4999');
  });

  it('ends with 4 and the next command when there is no log yet', async () => {
    const { code, err } = await portolan(makeTempHome(), ['logs']);
    expect(code).toBe(4);
    expect(err).toContain('npm run up');
  });

  it('follows over rotation and truncation without losing or doubling a line', async () => {
    const paths = makeLog(line('a'));
    const interrupted = new AbortController();
    let seen: string[] = [];
    const running = portolan(paths, ['logs', '-f', '--json'], {
      interrupted: interrupted.signal,
      onOut: (out) => {
        seen = out
          .trim()
          .split('\n')
          .map((text) => JSON.parse(text).msg);
      },
    });
    const sees = (msg: string) => until(`line ${msg}`, () => seen.includes(msg));
    await sees('a');
    appendFileSync(paths.logFile, line('b'));
    await sees('b');
    // Half a line waits for its end.
    const half = line('c');
    appendFileSync(paths.logFile, half.slice(0, 20));
    appendFileSync(paths.logFile, half.slice(20));
    await sees('c');
    // Written to the old file just before, and to the new one just after the rotation.
    appendFileSync(paths.logFile, line('d'));
    renameSync(paths.logFile, `${paths.logFile}.1`);
    // Longer than what comes after the truncation, which cannot be told from no change otherwise.
    writeFileSync(paths.logFile, line('e'.repeat(40)));
    await sees('e'.repeat(40));
    truncateSync(paths.logFile);
    writeFileSync(paths.logFile, line('f'));
    await sees('f');
    appendFileSync(paths.logFile, line('g'));
    await sees('g');
    interrupted.abort();
    expect((await running).code).toBe(0);
    expect(seen).toEqual(['a', 'b', 'c', 'd', 'e'.repeat(40), 'f', 'g']);
  });
});
