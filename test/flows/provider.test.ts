/**
 * From demo to a real model, as somebody does it who has just installed: the command line, the whole host, a real
 * container without a network, and a model server on loopback.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { homePaths } from '../../host/config/home.ts';
import { portolan } from '../host/cli/support/run.ts';
import { claudeImage } from '../support/claude-image.ts';
import { FlowHost } from '../support/flow-host.ts';
import type { ModelServer } from '../support/model-servers/answers.ts';
import { startAnthropic } from '../support/model-servers/anthropic.ts';
import { startOpenAiServer } from '../support/model-servers/openai.ts';

const USAGE = { input: 9, output: 1 };

async function setUp(driver: 'docker' | 'process') {
  const server = await startOpenAiServer({ rules: { models: ['llama3.2', 'qwen3'] } });
  onTestFinished(() => server[Symbol.asyncDispose]());
  const flow = await new FlowHost({ driver }).startForTest();
  const paths = homePaths(flow.home);
  const run = (words: string, stdin?: string) =>
    portolan(paths, words.split(' '), stdin === undefined ? {} : { stdin });
  const test = async () => {
    const { code, out, err } = await run('provider test main --json');
    if (err !== '') throw new Error(err);
    return { exit: code, ...JSON.parse(out) };
  };
  return { server, paths, run, test };
}

async function addService(run: Awaited<ReturnType<typeof setUp>>['run'], { url }: Pick<ModelServer, 'url'>) {
  expect((await run(`services add local --url ${url}/v1 --api openai --private`)).code).toBe(0);
}

describe.each(['docker', 'process'] as const)('with %s, from demo to a real model', (driver) => {
  it('each step says what to type next, until a call goes through the whole path', async () => {
    const { server, paths, run, test } = await setUp(driver);
    expect(await test()).toMatchObject({ exit: 0, code: 'no_model' });
    await addService(run, server);

    const unnamed = await run('provider set main openai --service local');
    expect(unnamed.err).toContain('expected: --model with');
    const set = await run('provider set main openai --service local --model lama');
    expect(set.out).toContain('✓ main thinks with openai, model lama, through local');
    expect(set.out).toContain('portolan provider test main');

    // The server asks for a key, and there is none.
    expect(await test()).toMatchObject({ exit: 1, code: 'bad_key', next: 'portolan secrets set local' });
    expect((await run('secrets set local', 'a-wrong-key-of-somebody\n')).code).toBe(0);
    expect((await run('secrets assign local --service local')).code).toBe(0);
    expect(await test()).toMatchObject({
      exit: 1,
      code: 'bad_key',
      said: expect.stringContaining('Incorrect API key'),
    });

    // Rotated without a restart: the model is not one that the server has.
    expect((await run('secrets set local', `${server.key}\n`)).code).toBe(0);
    const unknown = await test();
    expect(unknown).toMatchObject({ exit: 1, code: 'unknown_model', models: ['llama3.2', 'qwen3'] });
    expect(unknown.next).toBe('portolan provider set main openai --service local --model <model>');
    await run('provider set main openai --service local --model llama3.2');

    server.answer({ kind: 'status', status: 429, headers: { 'retry-after': '17' } });
    expect(await test()).toMatchObject({ code: 'rate_limited', text: expect.stringContaining('Try again in 17 s.') });

    server.answer({ kind: 'text', text: 'hi', usage: USAGE });
    const works = await test();
    expect(works).toMatchObject({ exit: 0, code: 'works', next: null });
    expect(works.text).toMatch(/^main reaches llama3\.2 through local: answered in \d+ ms \(9 tokens in, 1 out\)\.$/);
    expect(server.wrong).toEqual([]);

    // Nothing is left of it, and the key is nowhere.
    expect(readdirSync(join(paths.probes, 'calls'))).toEqual([]);
    const log = existsSync(paths.logFile) ? readFileSync(paths.logFile, 'utf8') : '';
    expect(log).not.toContain(server.key);
  }, 120_000);
});

it('with claude, each answer of the service says what to type next', async () => {
  await claudeImage();
  const server = await startAnthropic({ rules: { models: ['claude-sonnet-9', 'claude-sonnet-8'] } });
  onTestFinished(() => server[Symbol.asyncDispose]());
  const { run, test } = await setUp('docker');
  expect((await run(`services add lab --url ${server.url} --api anthropic --private`)).code).toBe(0);
  expect((await run('secrets set lab', 'a-wrong-key-of-somebody\n')).code).toBe(0);
  expect((await run('secrets assign lab --service lab')).code).toBe(0);
  const set = await run('provider set main claude --service lab --model claude-opus-1 --yes');
  expect(set.out).toContain('✓ main thinks with claude, model claude-opus-1, through lab');

  expect(await test()).toMatchObject({
    ...{ exit: 1, code: 'bad_key', next: 'portolan secrets set lab' },
    said: expect.stringContaining('invalid x-api-key'),
  });
  expect((await run('secrets set lab', `${server.key}\n`)).code).toBe(0);
  expect(await test()).toMatchObject({
    ...{ exit: 1, code: 'unknown_model', models: ['claude-sonnet-8', 'claude-sonnet-9'] },
    next: 'portolan provider set main claude --service lab --model <model>',
  });

  // Without a name, the SDK takes the newest of its family.
  expect((await run('provider set main claude --service lab --model default --yes')).code).toBe(0);
  server.answer({ kind: 'text', text: 'hi', usage: USAGE });
  const works = await test();
  expect(works).toMatchObject({ exit: 0, code: 'works', next: null });
  expect(works.text).toMatch(/^main reaches claude-sonnet-9 through lab: answered in \d+ ms \(9 tokens in, 1 out\)\.$/);
  expect(server.wrong).toEqual([]);

  await server[Symbol.asyncDispose]();
  expect(await test()).toMatchObject({ exit: 1, code: 'unreachable', next: 'portolan services list' });
}, 300_000);

it('says of a server that is gone that nothing listens there', async () => {
  const { server, run, test } = await setUp('docker');
  await addService(run, server);
  await run('provider set main openai --service local --model llama3.2');
  await server[Symbol.asyncDispose]();
  expect(await test()).toMatchObject({ exit: 1, code: 'unreachable', next: 'portolan services list' });
}, 120_000);

it('counts what a test costs as usage of the agent without a message', async () => {
  const { server, run, test } = await setUp('process');
  await addService(run, server);
  await run('secrets set local', `${server.key}\n`);
  await run('secrets assign local --service local');
  await run('provider set main openai --service local --model llama3.2');
  server.answer({ kind: 'text', text: 'hi', usage: USAGE });
  expect(await test()).toMatchObject({ code: 'works' });
  const usage = JSON.parse((await run('usage --agent main --json')).out);
  expect(usage).toMatchObject({ sum: { calls: 1, inputTokens: 9, outputTokens: 1 } });
}, 60_000);
