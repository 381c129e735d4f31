/** A model server and the way to it as it is in a container: loopback port, socket, and what a host adds. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GatewayPort } from '../../container/runner/gateway-port.ts';
import type { ModelApi } from '../../shared/providers.ts';
import type { ModelServer } from '../support/model-servers/answers.ts';
import { startAnthropic } from '../support/model-servers/anthropic.ts';
import { startOpenAiServer } from '../support/model-servers/openai.ts';
import { openRelay, type RelayTarget } from '../support/model-servers/relay.ts';
import type { ModelWorld } from './provider-case.ts';

/** What is the provider's own. */
export type ModelHabits = Pick<ModelWorld, 'shell' | 'toolName' | 'shellTool'> & { provider: string };

export async function openModelWorld(api: ModelApi, { provider, ...habits }: ModelHabits): Promise<ModelWorld> {
  const root = mkdtempSync(join(tmpdir(), 'portolan-model-'));
  const socket = join(root, 'gateway.sock');
  const server = await (api === 'openai' ? startOpenAiServer() : startAnthropic());
  const relay = await openRelay(socket, { [api]: targetOf(api, server) });
  const port = new GatewayPort(socket);
  return {
    ...habits,
    server,
    gateway: { port: await port.listen(0) },
    session: { provider, service: api, api, model: api === 'openai' ? 'gpt-test' : 'claude-test' },
    async [Symbol.asyncDispose]() {
      port[Symbol.dispose]();
      await relay[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

function targetOf(api: ModelApi, { url, key }: ModelServer): RelayTarget {
  return api === 'openai'
    ? { baseUrl: `${url}/v1`, header: 'authorization', value: `Bearer ${key}` }
    : { baseUrl: url, header: 'x-api-key', value: key };
}
