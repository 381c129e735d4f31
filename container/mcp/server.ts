/** The MCP server: lists the runner's tools and calls them. It knows no tool itself, and keeps no state. */
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { CallToolRequestSchema, ErrorCode, ListToolsRequestSchema, McpError } from '@modelcontextprotocol/sdk/types.js';
import { callRunner, RunnerAwayError } from './call-runner.ts';

export function createServer(socketPath: string): Server {
  const server = new Server({ name: 'portolan', version: '1' }, { capabilities: { tools: {} } });
  server.setRequestHandler(ListToolsRequestSchema, async () => {
    const reply = await translate(callRunner(socketPath, { op: 'list' }));
    if (reply.kind !== 'tools') throw new McpError(ErrorCode.InternalError, describe(reply));
    return { tools: reply.tools };
  });
  server.setRequestHandler(CallToolRequestSchema, async ({ params }) => {
    const { name, arguments: input = {} } = params;
    const reply = await translate(callRunner(socketPath, { op: 'call', name, input }));
    if (reply.kind !== 'result') throw new McpError(ErrorCode.InternalError, describe(reply));
    return { content: [{ type: 'text', text: reply.text }], isError: !reply.ok };
  });
  return server;
}

async function translate<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof RunnerAwayError)) throw error;
    throw new McpError(ErrorCode.InternalError, error.message);
  }
}

function describe(reply: { kind: string; text?: string }): string {
  return reply.text ?? `the runner answers with ${reply.kind}`;
}
