/** `runner.mjs --probe` as a process of its own, against servers that speak the real protocols. */
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { familyOf, findNewest, planCall, planSecondCall } from '../../container/runner/probe-call.ts';
import { readRetryAfter } from '../../container/runner/retry-after.ts';
import { makeRefusalBody } from '../../shared/gateway.ts';
import { type ProbeAnswer, probeAnswerSchema } from '../../shared/probe.ts';
import type { SessionFile } from '../../shared/protocol.ts';
import { RUNNER_ENV } from '../../shared/session-files.ts';
import type { ModelAnswer, ModelServer } from '../support/model-servers/answers.ts';
import { startAnthropic } from '../support/model-servers/anthropic.ts';
import { startModelGateway } from '../support/model-servers/gateway.ts';
import { openAiBody, startOpenAiServer } from '../support/model-servers/openai.ts';
import { RUNNER, SessionFixture } from './session-fixture.ts';

const run = promisify(execFile);

async function probe(session: SessionFixture, who: Partial<SessionFile>): Promise<ProbeAnswer> {
  const file = JSON.parse(readFileSync(session.files.session, 'utf8'));
  writeFileSync(session.files.session, JSON.stringify({ ...file, ...who }));
  const { in: inFolder, out, state, agent } = session.folders;
  const env = {
    [RUNNER_ENV.in]: inFolder,
    [RUNNER_ENV.out]: out,
    [RUNNER_ENV.state]: state,
    [RUNNER_ENV.agent]: agent,
  };
  const { stdout } = await run(process.execPath, [RUNNER, '--probe'], { env: { PATH: process.env.PATH, ...env } });
  expect(stdout.split('\n')).toHaveLength(2);
  return probeAnswerSchema.parse(JSON.parse(stdout));
}

const OPENAI = { provider: 'openai', service: 'openai', api: 'openai', model: 'gpt-test' } as const;
const CLAUDE = { provider: 'claude', service: 'anthropic', api: 'anthropic', model: 'claude-test' } as const;

async function withServer(
  api: 'openai' | 'anthropic',
  work: (world: { server: ModelServer; session: SessionFixture; paths: string[] }) => Promise<void>,
): Promise<void> {
  await using session = new SessionFixture();
  const rules = { models: api === 'openai' ? ['gpt-test'] : ['claude-sonnet-9', 'claude-sonnet-8', 'claude-test'] };
  await using server = await (api === 'openai' ? startOpenAiServer({ rules }) : startAnthropic({ rules }));
  await using gateway = await startModelGateway({ [api]: { server, api } }, session.files.gateway);
  await work({ server, session, paths: gateway.paths });
  expect(server.wrong).toEqual([]);
}

describe('one call of the model', () => {
  it.each([
    ['openai', OPENAI, 'gpt-test'],
    ['anthropic', CLAUDE, 'claude-test'],
  ] as const)('says how %s answered, and what it counted', async (api, who, model) => {
    await withServer(api, async ({ server, session, paths }) => {
      server.answer({ kind: 'text', text: 'Hi', usage: { input: 9, output: 1 } });
      expect(await probe(session, who)).toMatchObject({
        ...{ ok: true, status: 200, refusal: null, error: null, model, inputTokens: 9, outputTokens: 1 },
      });
      expect(paths).toHaveLength(1);
      expect(paths[0]).toMatch(new RegExp(`^/model/${api}/`));
      expect(server.requests[0]?.text).toContain('"max_tokens":1,');
    });
  });

  it('finds the newest model of a family that the SDK of Claude knows by a name of its own', async () => {
    await withServer('anthropic', async ({ server, session }) => {
      server.answer({ kind: 'text', text: 'Hi', usage: { input: 9, output: 1 } });
      expect(await probe(session, { ...CLAUDE, model: null })).toMatchObject({ ok: true, model: 'claude-sonnet-9' });
    });
  });

  it('takes the other name of the limit where a server asks for it', async () => {
    await withServer('openai', async ({ server, session }) => {
      const message = "Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens' instead.";
      server.answer((request) =>
        openAiBody(request).max_tokens === undefined
          ? { kind: 'text', text: 'Hi', usage: { input: 9, output: 5 } }
          : { kind: 'status', status: 400, error: { type: 'invalid_request_error', message } },
      );
      expect(await probe(session, OPENAI)).toMatchObject({ ok: true, outputTokens: 5 });
      expect(server.requests).toHaveLength(2);
    });
  });

  it.each<[string, ModelAnswer, Partial<ProbeAnswer>]>([
    ['429', { kind: 'status', status: 429, headers: { 'retry-after': '7' } }, { status: 429, retryAfterMs: 7_000 }],
    ['529', { kind: 'status', status: 529 }, { status: 529 }],
    [
      'what the server says',
      { kind: 'status', status: 400, error: { type: 'x', message: 'no credit left' } },
      { status: 400, message: 'no credit left' },
    ],
  ])('tells of %s', async (_name, answer, expected) => {
    await withServer('openai', async ({ server, session }) => {
      server.answer(answer);
      expect(await probe(session, OPENAI)).toMatchObject({ ok: false, error: 'status', refusal: null, ...expected });
    });
  });

  it('tells of a model that is not there, and of an answer that breaks off', async () => {
    await withServer('openai', async ({ server, session }) => {
      const unknown = await probe(session, { ...OPENAI, model: 'gpt-none' });
      expect(unknown).toMatchObject({ ok: false, error: 'status', status: 404, model: 'gpt-none' });
      server.answer({ kind: 'broken', text: 'Hi' });
      expect(await probe(session, OPENAI)).toMatchObject({ ok: false, error: 'broken', status: null });
    });
  });

  it('tells a refusal of the gateway from a gateway that is not there', async () => {
    await using session = new SessionFixture();
    expect(await probe(session, OPENAI)).toMatchObject({ ok: false, error: 'no_gateway', refusal: 'unreachable' });
    await using gateway = await startModelGateway({}, session.files.gateway);
    gateway.refusal = {
      status: 403,
      body: makeRefusalBody('no_secret', 'openai has no key', 'portolan secrets'),
    };
    expect(await probe(session, OPENAI)).toMatchObject({
      ...{ ok: false, error: 'refused', refusal: 'no_secret', message: 'openai has no key', next: 'portolan secrets' },
    });
  });

  it('says so of a provider without a model, and of an agent without one', async () => {
    await using session = new SessionFixture();
    expect(await probe(session, { provider: 'demo' })).toMatchObject({ ok: false, error: 'bad_answer', status: null });
    expect(await probe(session, { ...OPENAI, model: null })).toMatchObject({ message: 'No model is chosen.' });
  });
});

describe('the parts of the call', () => {
  it('know the families of Claude’s SDK, and nobody else’s', () => {
    expect(familyOf({ provider: 'claude', model: 'Opus' })).toBe('opus');
    expect(familyOf({ provider: 'claude', model: 'sonnet[1m]' })).toBe('sonnet');
    expect(familyOf({ provider: 'claude', model: 'claude-sonnet-4-5' })).toBeNull();
    expect(familyOf({ provider: 'openai', model: 'sonnet' })).toBeNull();
    expect(findNewest('opus', { data: [{ id: 'claude-sonnet-9' }] })).toBeNull();
    expect(findNewest('opus', 'no list')).toBeNull();
  });

  it('ask a second time for that one reason only', () => {
    const call = planCall('openai', 'm');
    const said = { error: { message: 'use max_completion_tokens' } };
    expect(planSecondCall(call, 400, said)?.body).toMatchObject({ max_completion_tokens: 16 });
    expect(planSecondCall(call, 401, said)).toBeNull();
    expect(planSecondCall(call, 400, { error: { message: 'bad' } })).toBeNull();
    expect(planSecondCall(planCall('anthropic', 'm'), 400, said)).toBeNull();
  });

  it.each([
    ['7', 7_000],
    ['0.5', 500],
    ['Sat, 21 Nov 2026 12:00:10 GMT', 10_000],
    ['Sat, 21 Nov 2020 12:00:10 GMT', 0],
    ['999999999', 86_400_000],
    ['-1', null],
    ['soon', null],
    [undefined, null],
  ])('read retry-after %j', (value, expected) => {
    expect(readRetryAfter(value, Date.UTC(2026, 10, 21, 12))).toBe(expected);
  });
});
