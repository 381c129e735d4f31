/** The provider `openai` keeps the contract with both of its APIs. */
import { makeOpenAiProvider } from '../../container/providers/openai/index.ts';
import type { ModelApi } from '../../shared/providers.ts';
import { startAnthropic } from '../support/model-servers/anthropic.ts';
import { startModelGateway } from '../support/model-servers/gateway.ts';
import { startOpenAiServer } from '../support/model-servers/openai.ts';
import type { ModelWorld } from './provider-case.ts';
import { describeProvider } from './provider-contract.ts';

async function openWorld(api: ModelApi): Promise<ModelWorld> {
  const server = api === 'openai' ? await startOpenAiServer() : await startAnthropic();
  const gateway = await startModelGateway({ models: { server, api } });
  return {
    server,
    gateway,
    session: { provider: 'openai', service: 'models', api, model: 'test-model' },
    shell: (command) => ({ name: 'bash', input: { command } }),
    toolName: (name) => name,
    shellTool: 'bash',
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

const make = () => Promise.resolve(makeOpenAiProvider());

for (const api of ['openai', 'anthropic'] as const) {
  describeProvider(`openai, which speaks to ${api}`, make, () => openWorld(api));
}
