/** What an agent is to think with, while it is being filled in at the page: pure. */
import { describe, expect, it } from 'vitest';
import {
  type ChoiceDraft,
  FIRST_CHOICE,
  findAsker,
  findSpeaker,
  type KnownProvider,
  readChoice,
  switchProvider,
} from '../../../../host/console/web/agents/choice.ts';
import type { Providers } from '../../../../host/console/web/client/types.ts';

const none = { defaultModel: null, defaultService: null, notice: null };
const demo: KnownProvider = { ...none, name: 'demo', needsModel: false, services: [] };
const claude: KnownProvider = {
  ...{ name: 'claude', needsModel: true, notice: 'terms' },
  ...{ defaultModel: 'sonnet', defaultService: 'anthropic', services: ['anthropic', 'mirror'] },
};
const openai: KnownProvider = {
  ...{ ...none, name: 'openai', needsModel: true },
  ...{ defaultService: 'openai', services: ['anthropic', 'mirror', 'openai', 'ollama'] },
};
const drafted = (change: Partial<ChoiceDraft>): ChoiceDraft => ({ ...FIRST_CHOICE, ...change });

describe('a choice that is filled in', () => {
  it('begins with what needs nothing', () => {
    expect(readChoice(FIRST_CHOICE, demo)).toEqual({ provider: 'demo', model: null, service: null, effort: null });
  });

  it('names what differs from the provider’s own alone', () => {
    const draft = drafted({ provider: 'claude', service: 'anthropic', model: '  ', effort: 'high' });
    expect(readChoice(draft, claude)).toEqual({ provider: 'claude', model: null, service: null, effort: 'high' });
    expect(readChoice({ ...draft, service: 'mirror', model: ' opus ' }, claude)).toMatchObject({
      ...{ model: 'opus', service: 'mirror' },
    });
  });

  it('is none while its provider is not known, or a model is missing that must be named', () => {
    const draft = drafted({ provider: 'openai', service: 'ollama' });
    expect(readChoice(draft, undefined)).toBeNull();
    expect(readChoice(draft, openai)).toBeNull();
    expect(readChoice({ ...draft, model: 'llama' }, openai)).toMatchObject({ model: 'llama', service: 'ollama' });
  });

  it('keeps service and model with a provider that speaks to that service, and leaves them with another', () => {
    const draft = drafted({ provider: 'claude', service: 'mirror', model: 'opus', effort: 'low' });
    expect(switchProvider(draft, claude, openai)).toEqual({ ...draft, provider: 'openai' });
    const other = drafted({ provider: 'openai', service: 'ollama', model: 'llama' });
    expect(switchProvider(other, openai, claude)).toMatchObject({ service: 'anthropic', model: '' });
    expect(readChoice(switchProvider(draft, claude, demo), demo)).toMatchObject({
      service: null,
      model: null,
      effort: null,
    });
  });

  it('leaves a service that came with the provider before, and keeps it when it was chosen', () => {
    const came = drafted({ provider: 'claude', service: 'anthropic', model: 'opus' });
    expect(switchProvider(came, claude, openai)).toMatchObject({ service: 'openai', model: '' });
    const chosen = drafted({ provider: 'openai', service: 'anthropic', model: 'opus' });
    expect(switchProvider(chosen, openai, claude)).toMatchObject({ service: 'anthropic', model: 'opus' });
  });
});

describe('a service that is asked for its models where no agent is meant', () => {
  const agent = (agentId: string, service: string | null) => ({ agentId, service }) as Providers['agents'][number];
  const known = (...agents: Providers['agents']): Providers => ({
    ...{ providers: [demo, claude, openai], services: [], agents },
  });

  it('is asked through an agent that uses it, else through any, else through nobody', () => {
    expect(findAsker(known(agent('a', null), agent('b', 'ollama')), 'ollama')).toBe('b');
    expect(findAsker(known(agent('a', null), agent('b', 'ollama')), 'openai')).toBe('a');
    expect(findAsker(known(), 'openai')).toBeNull();
  });

  it('is asked by a provider that speaks its language', () => {
    expect(findSpeaker(known(), 'ollama')).toBe('openai');
    expect(findSpeaker(known(), 'anthropic')).toBe('claude');
    expect(findSpeaker(known(), 'github')).toBeNull();
  });
});
