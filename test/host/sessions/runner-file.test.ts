import { describe, expect, it } from 'vitest';
import { describeRunner } from '../../../host/sessions/runner-file.ts';
import type { ContainerConfig } from '../../../host/store/agents.ts';
import { sessionFileSchema } from '../../../shared/protocol.ts';
import type { ModelApi } from '../../../shared/providers.ts';
import { Spine } from '../../support/spine.ts';

const APIS: Record<string, ModelApi> = { anthropic: 'anthropic', openai: 'openai', ollama: 'openai' };

describe('what a runner is told of its model', () => {
  it.each<[Partial<ContainerConfig>, unknown]>([
    [{ provider: 'demo' }, { service: '', api: null, effort: null }],
    [
      { provider: 'demo', service: 'ollama' },
      { service: '', api: null },
    ],
    [{ provider: 'claude' }, { service: 'anthropic', api: 'anthropic' }],
    [{ provider: 'openai' }, { service: 'openai', api: 'openai' }],
    [
      { provider: 'openai', service: 'ollama', model: 'llama3.2', effort: 'max' },
      { service: 'ollama', api: 'openai', model: 'llama3.2', effort: 'max' },
    ],
    // Removed behind its back: the gateway refuses it by name.
    [
      { provider: 'openai', service: 'gone' },
      { service: 'gone', api: null },
    ],
  ])('%j: %j', (config, expected) => {
    const agent = new Spine().addAgent();
    const file = describeRunner(
      { ...agent, config: { ...agent.config, ...config } },
      'ses_x',
      (name) => APIS[name] ?? null,
    );
    expect(sessionFileSchema.parse(file)).toMatchObject(expected as object);
  });
});
