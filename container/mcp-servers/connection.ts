/** A server that is up: its tools, and calls of them. */
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { ErrorCode, McpError, ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import type { McpServer } from '../../shared/mcp-servers.ts';
import { log } from '../runner/log.ts';
import type { ToolResult } from '../tools/tool.ts';
import type { ServerPlace } from './contract.ts';
import { CALL_TIMEOUT_MS, MAX_LIST_PAGES, RELIST_AFTER_MS, START_DEADLINE_MS } from './limits.ts';
import { ServerGoneError, ServerProgram } from './program.ts';
import { formatResult, resultSchema } from './results.ts';
import { readTools, type ServerTool } from './tool-list.ts';
import { firstWords } from './words.ts';

const pageSchema = z.looseObject({
  tools: z.array(z.unknown()).catch([]),
  nextCursor: z.string().optional().catch(undefined),
});

const CLIENT = { name: 'portolan', version: '1' };

/** What every connection of an agent shares. */
export interface ConnectionParts {
  place: ServerPlace;
  living: Set<ServerProgram>;
  /** Of one server's tools, descriptions and schemas. */
  maxToolBytes: number;
}

export class Connection {
  readonly #server: string;
  readonly #program: ServerProgram;
  readonly #client: Client;
  readonly #maxToolBytes: number;
  #tools: ServerTool[] = [];
  #listedAt = Number.NEGATIVE_INFINITY;
  /** It said that its tools are others now. */
  #isStale = false;
  #isListing = false;
  /** Called once, when it is gone, with why. */
  onGone: ((problem: string) => void) | null = null;

  private constructor(spec: McpServer, { place, living, maxToolBytes }: ConnectionParts) {
    this.#server = spec.name;
    this.#maxToolBytes = maxToolBytes;
    this.#program = new ServerProgram(spec, place, living);
    // No capabilities: whatever a server asks of us, the client refuses by itself.
    this.#client = new Client(CLIENT, { capabilities: {} });
  }

  /** Starts the program, and learns its tools. Throws ServerGoneError, which says why not. */
  static async open(spec: McpServer, parts: ConnectionParts): Promise<Connection> {
    const connection = new Connection(spec, parts);
    try {
      await connection.#begin(AbortSignal.timeout(START_DEADLINE_MS));
      return connection;
    } catch (error) {
      const problem = connection.#explain(error, `it did not come up within ${START_DEADLINE_MS / 1_000} s`);
      await connection.close();
      throw new ServerGoneError(problem, { cause: error });
    }
  }

  get tools(): readonly ServerTool[] {
    return this.#tools;
  }

  /** Learns its tools again, if it said that they changed. Never rejects: the earlier list stays. */
  async refresh(): Promise<void> {
    if (!this.#isStale || this.#isListing || performance.now() - this.#listedAt < RELIST_AFTER_MS) return;
    this.#isListing = true;
    try {
      await this.#list(AbortSignal.timeout(START_DEADLINE_MS));
    } catch (error) {
      log.warn('tools of an MCP server cannot be listed', { server: this.#server, error: this.#explain(error) });
    } finally {
      this.#isListing = false;
    }
  }

  /** Whatever goes wrong on the server's side is a result. Rejects with the signal's reason. */
  async call(tool: ServerTool, input: Record<string, unknown>, signal: AbortSignal): Promise<ToolResult> {
    const request = { method: 'tools/call', params: { name: tool.ownName, arguments: input } } as const;
    // The client would tell the server of an abort after the answer too, so it gets a signal of this call alone.
    const call = new AbortController();
    const abort = () => call.abort(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    try {
      const options = { timeout: CALL_TIMEOUT_MS, signal: call.signal };
      return formatResult(await this.#client.request(request, resultSchema, options));
    } catch (error) {
      signal.throwIfAborted();
      const problem = this.#explain(error, `it did not answer within ${CALL_TIMEOUT_MS / 60_000} minutes`);
      return { ok: false, text: `${tool.name} failed: ${problem}.` };
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  /** Resolves when its program is gone. */
  async close(): Promise<void> {
    this.onGone = null;
    await this.#client.close();
    await this.#program.close();
  }

  async #begin(signal: AbortSignal): Promise<void> {
    this.#client.onclose = () => this.onGone?.(this.#program.describe());
    this.#client.setNotificationHandler(ToolListChangedNotificationSchema, () => {
      this.#isStale = true;
      void this.refresh();
    });
    await this.#client.connect(this.#program, { timeout: START_DEADLINE_MS, signal });
    if (this.#client.getServerCapabilities()?.tools) await this.#list(signal);
  }

  async #list(signal: AbortSignal): Promise<void> {
    this.#isStale = false;
    this.#listedAt = performance.now();
    const listed: unknown[] = [];
    let cursor: string | undefined;
    for (let page = 0; page < MAX_LIST_PAGES; page++) {
      const request = { method: 'tools/list', ...(cursor === undefined ? {} : { params: { cursor } }) } as const;
      const read = await this.#client.request(request, pageSchema, { timeout: START_DEADLINE_MS, signal });
      listed.push(...read.tools);
      cursor = read.nextCursor;
      if (cursor === undefined) break;
    }
    const { tools, leftOut } = readTools(this.#server, listed, this.#maxToolBytes);
    this.#tools = tools;
    if (leftOut > 0) log.warn('tools of an MCP server are left out', { server: this.#server, leftOut });
  }

  /** In words, for the agent and for admins. Throws what is nobody's fault but ours. */
  #explain(error: unknown, late = 'it did not answer in time'): string {
    if (error instanceof ServerGoneError) return error.message;
    const isMcp = error instanceof McpError;
    if (isMcp && error.code === ErrorCode.RequestTimeout) return this.#program.describe(late);
    if (isMcp && error.code !== ErrorCode.ConnectionClosed)
      return `it answers with an error: ${firstWords(error.message)}`;
    if (isMcp || this.#program.isBroken) return this.#program.describe();
    if (!isForeign(error)) throw error;
    return `it does not follow the protocol: ${firstWords(error.message)}`;
  }
}

/** What the client throws of a message that it cannot read, or of a protocol version that it does not know. */
function isForeign(error: unknown): error is Error {
  return error instanceof Error && (error.constructor === Error || /^\$?ZodError$/.test(error.name));
}
