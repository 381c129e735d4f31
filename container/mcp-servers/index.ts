/** The MCP servers of an agent's config: a bundle of its own, loaded when there are any. */
import type { McpServer } from '../../shared/mcp-servers.ts';
import type { ConnectionParts } from './connection.ts';
import type { McpServers, ServerPlace } from './contract.ts';
import { MAX_TOOLS_BYTES } from './limits.ts';
import type { ServerProgram } from './program.ts';
import { AgentServer } from './server.ts';

/** Starts nothing yet. Dispose it, or the servers outlive the runner until it exits. */
export function createMcpServers(specs: readonly McpServer[], place: ServerPlace): McpServers {
  const living = new Set<ServerProgram>();
  const parts: ConnectionParts = { place, living, maxToolBytes: Math.floor(MAX_TOOLS_BYTES / specs.length) };
  const servers = specs.map((spec) => new AgentServer(spec, parts));
  // However the runner ends, short of being killed itself: then its container ends, and all that is in it.
  const killAll = () => {
    for (const program of living) program.kill();
  };
  process.once('exit', killAll);
  return {
    async begin() {
      await Promise.all(servers.map((server) => server.begin()));
    },
    states: () => servers.flatMap((server) => server.state ?? []),
    tools: () => servers.flatMap((server) => server.tools),
    async call(name, input, signal) {
      for (const server of servers) {
        const tool = server.tools.find((candidate) => candidate.name === name);
        if (tool) return await server.call(tool, input, signal);
      }
      return { ok: false, text: `There is no tool ${name} any longer.` };
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
      // Those whose start was under way.
      killAll();
      process.off('exit', killAll);
    },
  };
}
