/** What a runner may do instead of testing a model: real processes, each with a program of its own. */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ProcessDriver } from '../../../../host/runtime/drivers/process.ts';
import { MAX_PROBES_IN_WINDOW, PROBE_WINDOW_MS } from '../../../../host/runtime/probe/limits.ts';
import { planNextProbe } from '../../../../host/runtime/probe/pace.ts';
import { Prober, type ProberParts } from '../../../../host/runtime/probe/prober.ts';
import { deriveId, makeId } from '../../../../shared/ids.ts';
import { Spine } from '../../../support/spine.ts';
import { until } from '../../../support/until.ts';

const GOOD = { ok: true, status: 200, refusal: null, model: 'm', ms: 5, error: null };

function setUp(program: string, more: Partial<ProberParts> = {}) {
  const spine = new Spine();
  const agent = spine.addAgent();
  spine.configs.change(
    agent.id,
    { provider: 'openai', service: 'local', model: 'm' },
    { by: 'host', approvalId: null, reason: 'x' },
  );
  const home = spine.home.probes;
  const installId = deriveId('install', makeId('install'), 'probes');
  const driver = new ProcessDriver({ installId, home, runnerPath: '/nonexistent' });
  const opened: string[] = [];
  const service = { name: 'local', baseUrl: new URL('http://127.0.0.1:1/v1'), api: 'openai', header: '' } as const;
  const prober = new Prober({
    ...{ places: join(home, 'calls'), installId, driver, runner: [process.execPath, '-e', program, '--'] },
    confirmImage: async () => ({ kind: 'ready', image: 'none' }),
    services: { get: () => ({ ...service, headerValue: '', isPrivate: true, isKnown: false }) },
    credentials: { credentialFor: () => ({ kind: 'none' }) },
    gatewayFor: () => ({
      open: async (_who, path) => void opened.push(path),
      [Symbol.asyncDispose]: async () => void opened.pop(),
    }),
    now: () => spine.now(),
    ...more,
  });
  onTestFinished(async () => {
    await prober[Symbol.asyncDispose]();
    await driver.close();
  });
  const test = async () => {
    const current = spine.agents.get(agent.id);
    if (current === null) throw new Error('no agent');
    return prober.test(current);
  };
  const report = async () => {
    const tested = await test();
    if (tested.kind !== 'report') throw new Error(tested.kind);
    return tested.report;
  };
  return { spine, prober, driver, home, opened, test, report };
}

const say = (word: unknown) => `process.stdout.write(${JSON.stringify(`greetings\n${JSON.stringify(word)}\n`)})`;

describe('a call that tests a model', () => {
  it('leaves nothing behind: no folder, no process, no gateway', async () => {
    const { driver, home, opened, report } = setUp(say(GOOD));
    expect(await report()).toMatchObject({ ok: true, code: 'works' });
    expect(readdirSync(join(home, 'calls'))).toEqual([]);
    expect(await driver.list()).toEqual([]);
    expect(opened).toEqual([]);
  });

  it('is told who it is, and nothing of the agent’s: no server, no key, no environment of the host', async () => {
    process.env.PORTOLAN_TEST_SECRET = 'of-the-host';
    onTestFinished(() => void delete process.env.PORTOLAN_TEST_SECRET);
    const look = `const f = require('fs'); const s = JSON.parse(f.readFileSync(process.env.PORTOLAN_IN + '/session.json', 'utf8'));
      const leak = s.mcpServers.length > 0 || process.env.PORTOLAN_TEST_SECRET !== undefined || s.service !== 'local';
      process.stdout.write(JSON.stringify({ ...${JSON.stringify(GOOD)}, model: leak ? 'LEAK' : s.model + s.api }) + '\\n')`;
    const { spine, report } = setUp(look);
    const server = { name: 'x', command: 'node', args: [], env: { KEY: 'k' } };
    const [agent] = spine.agents.list(1);
    if (agent === undefined) throw new Error('no agent');
    spine.configs.change(agent.id, { mcpServers: [server] }, { by: 'host', approvalId: null, reason: 'x' });
    expect((await report()).text).toContain('reaches mopenai through local');
  });

  it.each([
    ['a link to a file of the host', "f.unlinkSync(w); f.symlinkSync('/etc/hostname', w)"],
    ['a second name of another file', "f.writeFileSync(w + '2', good); f.unlinkSync(w); f.linkSync(w + '2', w)"],
    ['a folder', 'f.unlinkSync(w); f.mkdirSync(w)'],
    ['a pipe that nobody writes', "f.unlinkSync(w); require('child_process').execFileSync('mkfifo', [w])"],
    ['more than is read', "f.writeFileSync(w, 'x'.repeat(64 * 1024) + '\\n' + good)"],
    ['no JSON', 'f.writeFileSync(w, \'{"ok":\')'],
    ['JSON of another shape', 'f.writeFileSync(w, \'{"ok":"yes"}\')'],
    ['nothing', ''],
  ])('finds no word in %s', async (_, act) => {
    const program = `const f = require('fs'); const w = process.env.PORTOLAN_OUT + '/probe.json';
      const good = ${JSON.stringify(JSON.stringify(GOOD))}; ${act}; process.exitCode = 3`;
    expect(await setUp(program).report()).toMatchObject({ ok: false, code: 'no_answer', said: null });
  });

  it('ends one that never ends, in time', async () => {
    const { driver, report } = setUp('setInterval(() => undefined, 1000)', { deadlineMs: 400 });
    expect(await report()).toMatchObject({ code: 'timed_out' });
    expect(await driver.list()).toEqual([]);
  });

  it('is ended by a host that stops: nobody waits a minute for it', async () => {
    const { driver, prober, report } = setUp('setInterval(() => undefined, 1000)');
    const reported = report();
    await until('it runs', async () => (await driver.list()).length === 1);
    const startedAt = performance.now();
    await prober[Symbol.asyncDispose]();
    expect(performance.now() - startedAt).toBeLessThan(30_000);
    expect(await reported).toMatchObject({ code: 'timed_out' });
    expect(await driver.list()).toEqual([]);
  });

  it('starts nothing where there is no key, no image or no model', async () => {
    const never = 'require("fs").writeFileSync("/tmp/never", "x")';
    const why = 'the service local has no secret';
    const missing = { credentialFor: () => ({ kind: 'missing', why, next: 'portolan secrets set local' }) as const };
    expect(await setUp(never, { credentials: missing }).report()).toMatchObject({
      code: 'no_key',
      next: 'portolan secrets set local',
    });
    const waiting = async () => ({ kind: 'waiting', reason: 'Its image is being built.' }) as const;
    expect(await setUp(never, { confirmImage: waiting }).report()).toMatchObject({ code: 'image_waiting' });
  });

  it('runs once at a time for an agent, and so often that nobody pays for a loop', async () => {
    const { spine, test } = setUp(say(GOOD));
    const first = test();
    expect(await test()).toEqual({ kind: 'busy' });
    expect((await first).kind).toBe('report');
    const past = Array.from({ length: MAX_PROBES_IN_WINDOW }, (_, at) => at);
    expect(planNextProbe(past, 5_000)).toBe(PROBE_WINDOW_MS);
    expect(planNextProbe(past, PROBE_WINDOW_MS + 1)).toBe(PROBE_WINDOW_MS + 1);
    expect(planNextProbe(past.slice(1), 5_000)).toBe(5_000);
    expect(spine.quarantined).toEqual([]);
  });

  it('of a host that died is cleared away by the next: folder and process', async () => {
    const { home, prober, driver, report } = setUp('setInterval(() => undefined, 1000)', { deadlineMs: 60_000 });
    void report().catch(() => undefined);
    await until('it runs', async () => (await driver.list()).length === 1);
    mkdirSync(join(home, 'calls', 'old'), { recursive: true });
    writeFileSync(join(home, 'calls', 'old', 'probe.json'), '{}');
    prober.start();
    await until('it is gone', async () => (await driver.list()).length === 0);
    expect(existsSync(join(home, 'calls', 'old'))).toBe(false);
  });

  it('is begun by no host that stops', async () => {
    const { prober, driver, test } = setUp(say(GOOD));
    await prober[Symbol.asyncDispose]();
    await expect(test()).rejects.toMatchObject({ code: 'host_stopping', retryable: true });
    expect(await driver.list()).toEqual([]);
  });
});
