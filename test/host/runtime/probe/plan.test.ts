import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planReport } from '../../../../host/runtime/probe/plan.ts';
import type { ProbeCode, Probed, ProbeOutcome } from '../../../../host/runtime/probe/report.ts';
import { GATEWAY_REFUSALS } from '../../../../shared/gateway.ts';
import { PROBE_ERRORS, type ProbeAnswer } from '../../../../shared/probe.ts';

const CLAUDE: Probed = {
  ...{ agentName: 'main', provider: 'claude', service: 'anthropic', place: 'api.anthropic.com', model: 'sonnet' },
  hasKey: true,
};
const OLLAMA: Probed = {
  ...{ agentName: 'my agent', provider: 'openai', service: 'ollama', place: '127.0.0.1:11434', model: 'llama3.2' },
  hasKey: false,
};

function answered(more: Partial<ProbeAnswer>, models: string[] | null = null): ProbeOutcome {
  const answer = { ok: false, status: null, refusal: null, model: null, ms: 812, error: null, message: null };
  const counts = { next: null, retryAfterMs: null, inputTokens: null, outputTokens: null };
  return { kind: 'answered', answer: { ...answer, ...counts, ...more }, models };
}

const status = (code: number, more: Partial<ProbeAnswer> = {}) =>
  answered({ status: code, error: 'status', ...more }, ['a', 'b']);

describe('one call to a model, in words', () => {
  it.each<[string, Probed, ProbeOutcome, ProbeCode, string, string | null]>([
    [
      'works',
      CLAUDE,
      answered({ ok: true, status: 200, model: 'claude-sonnet-4-5', inputTokens: 9, outputTokens: 1 }),
      'works',
      'main reaches claude-sonnet-4-5 through anthropic: answered in 812 ms (9 tokens in, 1 out).',
      null,
    ],
    [
      'works, without numbers',
      OLLAMA,
      answered({ ok: true, status: 200 }),
      'works',
      'my agent reaches llama3.2 through ollama: answered in 812 ms.',
      null,
    ],
    [
      'no model',
      { ...CLAUDE, provider: 'demo', service: null },
      { kind: 'no-model' },
      'no_model',
      'needs no model and no key',
      'portolan provider set main claude',
    ],
    [
      'no key',
      CLAUDE,
      { kind: 'no-key', why: 'the service anthropic has no secret', next: 'portolan secrets set anthropic' },
      'no_key',
      'No call was made: the service anthropic has no secret.',
      'portolan secrets set anthropic',
    ],
    [
      'no key any more',
      CLAUDE,
      answered({ status: 403, refusal: 'no_secret', error: 'refused' }),
      'no_key',
      'There is no key for anthropic',
      'portolan secrets set anthropic',
    ],
    ['wrong key', CLAUDE, status(401), 'bad_key', 'does not take the key (401)', 'portolan secrets set anthropic'],
    [
      'no key, where the server of one’s own wants one',
      OLLAMA,
      status(401),
      'bad_key',
      'ollama asks for a key (401), and was given none so far.',
      'portolan secrets set ollama',
    ],
    ['not permitted', CLAUDE, status(403), 'not_permitted', 'may not do this (403)', 'portolan secrets set anthropic'],
    [
      'no such model',
      OLLAMA,
      status(404),
      'unknown_model',
      'ollama knows no model "llama3.2" (404).',
      "portolan provider set 'my agent' openai --service ollama --model <model>",
    ],
    [
      'no such model of the provider’s own service',
      CLAUDE,
      status(404),
      'unknown_model',
      'anthropic knows no model "sonnet" (404).',
      'portolan provider set main claude --model <model>',
    ],
    [
      'too many calls, with a time',
      CLAUDE,
      status(429, { retryAfterMs: 12_300 }),
      'rate_limited',
      'Try again in 13 s.',
      'portolan provider test main',
    ],
    ['too many calls', CLAUDE, status(429), 'rate_limited', 'Try again in a minute.', 'portolan provider test main'],
    [
      'no money, as OpenAI says it',
      CLAUDE,
      status(429, { message: 'You exceeded your current quota' }),
      'no_credit',
      'no money or quota left (429)',
      'portolan provider test main',
    ],
    [
      'no money, as Anthropic says it',
      CLAUDE,
      status(400, { message: 'Your credit balance is too low' }),
      'no_credit',
      'no money or quota left (400)',
      'portolan provider test main',
    ],
    ['overloaded', CLAUDE, status(529), 'overloaded', 'is overloaded (529)', 'portolan provider test main'],
    ['broken inside', CLAUDE, status(500), 'server_failed', 'failed (500)', 'portolan provider test main'],
    [
      'refused for its form',
      CLAUDE,
      status(400),
      'bad_request',
      'refused the call (400)',
      'portolan egress list --agent main',
    ],
    [
      'over budget',
      CLAUDE,
      answered({ status: 403, refusal: 'over_budget', error: 'refused' }),
      'over_budget',
      'The budget of main is spent.',
      'portolan budget list',
    ],
    [
      'a name that leads nowhere',
      CLAUDE,
      answered({ status: 502, refusal: 'no_address', error: 'refused' }),
      'no_address',
      'api.anthropic.com has no address',
      'portolan services list',
    ],
    [
      'nobody listens',
      OLLAMA,
      answered({ status: 502, refusal: 'unreachable', error: 'refused' }),
      'unreachable',
      'ollama does not answer at 127.0.0.1:11434',
      'portolan services list',
    ],
    [
      'an image under way',
      CLAUDE,
      { kind: 'image-waiting', reason: 'Its image is being built.' },
      'image_waiting',
      'Its image is being built.',
      'portolan builds log main --follow',
    ],
    [
      'no Docker',
      CLAUDE,
      { kind: 'engine-away', reason: 'no socket', hint: 'npm run up' },
      'engine_away',
      'Docker is away',
      'npm run up',
    ],
    [
      'no end',
      CLAUDE,
      { kind: 'timed-out', afterMs: 60_000 },
      'timed_out',
      'No answer came within 60 s.',
      'portolan egress list --agent main',
    ],
    ['no word', CLAUDE, { kind: 'silent', exitCode: 137 }, 'no_answer', '(exit code 137)', 'portolan doctor'],
    [
      'another sort of server',
      OLLAMA,
      answered({ status: 200, error: 'bad_answer' }),
      'bad_answer',
      'not what its API gives',
      'portolan services list',
    ],
  ])('%s', (_, probed, outcome, code, text, next) => {
    const report = planReport(probed, outcome);
    expect(report).toMatchObject({ code, text: expect.stringContaining(text), next });
    expect(report.ok).toBe(code === 'works' || code === 'no_model');
    expect(report.models).toEqual(code === 'unknown_model' ? ['a', 'b'] : []);
  });

  it('quotes the server in one bounded line that steers no terminal', () => {
    const said = planReport(CLAUDE, status(400, { message: `\u001b[31mno\u202e\n${'x'.repeat(900)}` })).said ?? '';
    expect(said).toMatch(/^\[31mno x+…$/);
    expect(said).toHaveLength(300);
  });

  it('has words for whatever a container claims, and believes no success without saying so', () => {
    const answer = fc.record<Partial<ProbeAnswer>>({
      ok: fc.boolean(),
      status: fc.option(fc.integer({ min: 100, max: 599 }), { nil: null }),
      refusal: fc.option(fc.constantFrom(...GATEWAY_REFUSALS), { nil: null }),
      error: fc.option(fc.constantFrom(...PROBE_ERRORS), { nil: null }),
      message: fc.option(fc.string(), { nil: null }),
      model: fc.option(fc.string(), { nil: null }),
      next: fc.option(fc.constant('portolan secrets set stolen'), { nil: null }),
    });
    fc.assert(
      fc.property(answer, fc.constantFrom(CLAUDE, OLLAMA), (more, probed) => {
        const report = planReport(probed, answered(more));
        const isClean = !/[\p{Cc}\p{Cf}]/u.test(report.text + (report.said ?? ''));
        return isClean && report.text !== '' && report.ok === (more.ok === true) && !report.next?.includes('stolen');
      }),
    );
  });
});
