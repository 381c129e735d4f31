import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Choice, mergeChoice, planChoice } from '../../../../host/agents/provider/plan.ts';
import { EFFORTS, findModelProvider } from '../../../../shared/providers.ts';

const SERVICES = [
  { name: 'anthropic', api: 'anthropic' },
  { name: 'openai', api: 'openai' },
  { name: 'ollama', api: 'openai' },
  { name: 'github', api: null },
] as const;
const DEMO: Choice = { provider: 'demo', model: null, service: null, effort: null };
const CLAUDE: Choice = { provider: 'claude', model: 'sonnet', service: null, effort: null };

describe('what an agent thinks with', () => {
  it.each<[string, Partial<Choice>, string]>([
    ['demo alone', {}, 'fits'],
    ['demo through a service', { service: 'ollama' }, 'no_service_taken'],
    ['claude alone: its own alias', { provider: 'claude' }, 'fits'],
    ['claude through an OpenAI service', { provider: 'claude', service: 'ollama' }, 'wrong_api'],
    ['claude through a service without models', { provider: 'claude', service: 'github' }, 'no_model_service'],
    ['claude through nothing known', { provider: 'claude', service: 'nowhere' }, 'unknown_service'],
    ['openai without a model', { provider: 'openai' }, 'model_needed'],
    ['openai with one', { provider: 'openai', model: 'gpt-5' }, 'fits'],
    ['openai through its own server', { provider: 'openai', service: 'ollama', model: 'llama3.2' }, 'fits'],
    ['openai to Anthropic', { provider: 'openai', service: 'anthropic', model: 'claude-sonnet-4-5' }, 'fits'],
  ])('%s', (_, given, expected) => {
    const plan = planChoice(mergeChoice(DEMO, given), SERVICES);
    expect(plan.kind === 'refused' ? plan.code : plan.kind).toBe(expected);
  });

  it('says of a service that the provider cannot talk to which one can', () => {
    const plan = planChoice(mergeChoice(DEMO, { provider: 'claude', service: 'ollama' }), SERVICES);
    expect(plan).toMatchObject({
      why: 'The provider claude cannot talk to ollama, which speaks OpenAI’s Chat Completions API.',
      expected: 'a service that speaks Anthropic’s Messages API: anthropic',
    });
  });

  it('names the address of a server that many run themselves', () => {
    const given = { provider: 'openai', service: 'ollama', model: 'llama3.2' };
    const next = (services: typeof SERVICES | []) => {
      const plan = planChoice(mergeChoice(DEMO, given), services);
      return plan.kind === 'refused' ? plan.next : null;
    };
    expect(next([])).toBe('portolan services add ollama --url http://127.0.0.1:11434/v1 --api openai --private');
    expect(next(SERVICES)).toBeNull();
  });

  it('leaves model, service and effort of another provider behind, and keeps those of the same', () => {
    const now: Choice = { provider: 'openai', model: 'llama3.2', service: 'ollama', effort: 'high' };
    expect(mergeChoice(now, { provider: 'claude' })).toEqual(CLAUDE);
    expect(mergeChoice(now, { provider: 'openai', model: 'qwen3' })).toEqual({ ...now, model: 'qwen3' });
    expect(mergeChoice(now, { effort: null })).toEqual({ ...now, effort: null });
    expect(mergeChoice({ ...CLAUDE, model: 'opus' }, { model: null })).toEqual(CLAUDE);
  });

  it('fits only what can talk to each other, whatever was there before', () => {
    const choice = fc.record<Choice>({
      provider: fc.constantFrom('demo', 'echo', 'claude', 'openai'),
      model: fc.option(fc.constantFrom('a', 'b'), { nil: null }),
      service: fc.option(fc.constantFrom('anthropic', 'openai', 'ollama', 'github', 'nowhere'), { nil: null }),
      effort: fc.option(fc.constantFrom(...EFFORTS), { nil: null }),
    });
    fc.assert(
      fc.property(choice, choice, (now, given) => {
        const plan = planChoice(mergeChoice(now, given), SERVICES);
        if (plan.kind !== 'fits') return plan.why !== '' && plan.next.startsWith('portolan ');
        const provider = findModelProvider(plan.choice.provider);
        if (provider === null) return plan.choice.service === null;
        const service = SERVICES.find(({ name }) => name === (plan.choice.service ?? provider.service));
        const api = service?.api ?? null;
        return api !== null && provider.apis.includes(api) && plan.choice.model !== null;
      }),
    );
  });
});
