/** A model for the provider `claude` inside one container: its server, the host's side of the socket, and the port. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GatewayPort } from '../../../container/runner/gateway-port.ts';
import { startAnthropic } from '../../support/model-servers/anthropic.ts';
import { type ModelGateway, startModelGateway } from '../../support/model-servers/gateway.ts';
import type { ModelWorld } from '../provider-case.ts';

export async function openClaudeWorld(): Promise<ModelWorld & { outside: ModelGateway }> {
  const folder = mkdtempSync(join(tmpdir(), 'portolan-gateway-'));
  const socket = join(folder, 'gateway.sock');
  const server = await startAnthropic();
  const outside = await startModelGateway({ anthropic: { server, api: 'anthropic' } }, socket);
  const port = new GatewayPort(socket);
  return {
    ...{ server, outside },
    gateway: { port: await port.listen(0) },
    session: { provider: 'claude', service: 'anthropic', api: 'anthropic', model: 'claude-test' },
    shell: (command) => ({ name: 'Bash', input: { command } }),
    toolName: (name) => `mcp__portolan__${name}`,
    shellTool: 'Bash',
    async [Symbol.asyncDispose]() {
      port[Symbol.dispose]();
      await outside[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
