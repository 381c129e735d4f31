/** The contract of providers, kept by `claude`: the real SDK, and a server that speaks its API on loopback. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadProvider } from '../../../container/providers/index.ts';
import { GatewayPort } from '../../../container/runner/gateway-port.ts';
import { startAnthropic } from '../../support/model-servers/anthropic.ts';
import { openRelay } from '../../support/model-servers/relay.ts';
import type { ModelWorld } from '../provider-case.ts';
import { describeProvider } from '../provider-contract.ts';

async function openWorld(): Promise<ModelWorld> {
  const folder = mkdtempSync(join(tmpdir(), 'portolan-gateway-'));
  const socket = join(folder, 'gateway.sock');
  const server = await startAnthropic();
  const relay = await openRelay(socket, {
    anthropic: { baseUrl: server.url, header: 'x-api-key', value: server.key },
  });
  const port = new GatewayPort(socket);
  return {
    server,
    gateway: { port: await port.listen(0) },
    session: { provider: 'claude', service: 'anthropic', api: 'anthropic', model: 'claude-test' },
    shell: (command) => ({ name: 'Bash', input: { command } }),
    toolName: (name) => `mcp__portolan__${name}`,
    shellTool: 'Bash',
    async [Symbol.asyncDispose]() {
      port[Symbol.dispose]();
      await relay[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

describeProvider(
  'claude',
  async () => {
    const provider = await loadProvider('claude');
    if (provider === null) throw new Error('the table has no provider claude');
    return provider;
  },
  openWorld,
);
