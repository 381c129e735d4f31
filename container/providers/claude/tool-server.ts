/**
 * The agent's tools as the SDK reaches them: MCP inside this process, so that a tool's row carries the message that
 * the turn answers. Tools of the agent's own MCP servers come through the same box, each server under its name.
 * Source: Model Context Protocol 2025-11-25; the three requests that a client makes of tools, and `ping`.
 */
import { z } from 'zod';
import { describeError, log } from '../../runner/log.ts';
import type { ToolBox, ToolDescription } from '../../tools/tool.ts';
import type { McpEndpoint, McpTransport } from './sdk.ts';

/** The model sees `mcp__portolan__send_message`. */
export const OWN_SERVER = 'portolan';
const METHOD_NOT_FOUND = -32601;
const INTERNAL_ERROR = -32603;

interface ServedTool {
  /** In the box. */
  boxName: string;
  description: ToolDescription;
}

export interface ToolServerParts {
  tools: ToolBox;
  /** Names of the agent's MCP servers. */
  serverNames: readonly string[];
  /** A tool threw: the disk is broken, or we have a bug. */
  onFault: (error: unknown) => void;
}

/** The endpoints by name. */
export function serveTools(parts: ToolServerParts): Record<string, McpEndpoint> {
  const names = parts.serverNames.filter((name) => name !== OWN_SERVER);
  const endpoints = [OWN_SERVER, ...names].map((name) => [name, new ToolServer(name, names, parts)] as const);
  return Object.fromEntries(endpoints);
}

/** Which server a tool of the box is shown under, and its name there. */
export function placeTool(boxName: string, serverNames: readonly string[]): { server: string; name: string } {
  for (const server of serverNames) {
    const prefix = `mcp__${server}__`;
    if (boxName.startsWith(prefix)) return { server, name: boxName.slice(prefix.length) };
  }
  return { server: OWN_SERVER, name: boxName };
}

const requestSchema = z.object({
  id: z.union([z.string(), z.number()]).optional(),
  method: z.string(),
  params: z.record(z.string(), z.unknown()).catch({}),
});
type Request = z.infer<typeof requestSchema>;

type Reply = { result: unknown } | { error: { code: number; message: string } };

class ToolServer implements McpEndpoint {
  readonly #name: string;
  readonly #serverNames: readonly string[];
  readonly #parts: ToolServerParts;

  constructor(name: string, serverNames: readonly string[], parts: ToolServerParts) {
    this.#name = name;
    this.#serverNames = serverNames;
    this.#parts = parts;
  }

  async connect(transport: McpTransport): Promise<void> {
    transport.onmessage = (raw) => {
      const parsed = requestSchema.safeParse(raw);
      // Without an id it is a notice, and answers to requests that were never made are nothing either.
      if (!parsed.success || parsed.data.id === undefined) return;
      void this.#reply(transport, parsed.data);
    };
  }

  async close(): Promise<void> {}

  async #reply(transport: McpTransport, request: Request): Promise<void> {
    let reply: Reply;
    try {
      reply = await this.#answer(request);
    } catch (error) {
      this.#parts.onFault(error);
      reply = { error: { code: INTERNAL_ERROR, message: 'the tool broke' } };
    }
    try {
      await transport.send({ jsonrpc: '2.0', id: request.id, ...reply });
    } catch (error) {
      // The turn ended while the tool ran: nobody waits for it, and the runner goes on.
      log.info('the result of a tool came too late', { error: describeError(error) });
    }
  }

  async #answer({ method, params }: Request): Promise<Reply> {
    switch (method) {
      case 'initialize':
        return {
          result: {
            ...{ protocolVersion: params.protocolVersion, capabilities: { tools: {} } },
            serverInfo: { name: this.#name, version: '1' },
          },
        };
      case 'ping':
        return { result: {} };
      case 'tools/list':
        return { result: { tools: this.#tools().map(({ description }) => description) } };
      case 'tools/call':
        return { result: await this.#call(params) };
      default:
        return { error: { code: METHOD_NOT_FOUND, message: `there is no method ${method}` } };
    }
  }

  #tools(): ServedTool[] {
    return this.#parts.tools.list().flatMap(({ name: boxName, description, inputSchema }) => {
      const { server, name } = placeTool(boxName, this.#serverNames);
      return server === this.#name ? [{ boxName, description: { name, description, inputSchema } }] : [];
    });
  }

  async #call({ name, arguments: input = {} }: Record<string, unknown>) {
    const tool = this.#tools().find(({ description }) => description.name === name);
    // Of one that is gone, the box says what there is.
    const { ok, text } = await this.#parts.tools.call(tool?.boxName ?? String(name), input);
    return { content: [{ type: 'text', text }], isError: !ok };
  }
}
