/**
 * The MCP servers of the agent's config, as the runner has them: started before the first turn that shows
 * something to the provider, their tools in its box, and their troubles in its addendum and in a report.
 *
 * I1. What speaks MCP is a bundle of its own, loaded when there are servers: without them nothing is.
 * I2. Whatever servers do, a turn goes on, at the latest after their start's deadline.
 */
import type { SessionFile } from '../../shared/protocol.ts';
import type { RequestOf } from '../../shared/requests.ts';
import type { McpServers, ServerPlace, ServerState } from '../mcp-servers/contract.ts';
import { CALL_SLACK_MS, CALL_TIMEOUT_MS } from '../mcp-servers/limits.ts';
import type { ToolContext } from '../tools/context.ts';
import type { ToolDescription, ToolResult, ToolSource } from '../tools/tool.ts';
import { TurnOverError } from './turn-scope.ts';

/** Reports of one process. Higher: a server that comes and goes tells admins all day. Lower: the last word is missing. */
const MAX_REPORTS = 10;

export type ServerReport = RequestOf<'report_mcp_servers'>;

export class ServerTools implements ToolSource, AsyncDisposable {
  readonly #specs: SessionFile['mcpServers'];
  readonly #place: ServerPlace;
  #loading: Promise<McpServers> | null = null;
  #servers: McpServers | null = null;
  #reported = '';
  #reports = 0;
  #isOver = false;

  constructor(specs: SessionFile['mcpServers'], place: ServerPlace) {
    this.#specs = specs;
    this.#place = place;
  }

  /** A turn begins: starts what is not up, and waits for first starts. Ends early, without more, on abort. */
  async begin(signal: AbortSignal): Promise<void> {
    if (this.#specs.length === 0 || this.#isOver) return;
    this.#servers ??= await this.#load();
    await untilAbort(this.#servers.begin(), signal);
  }

  /** Servers that are not there, for the agent's addendum. */
  problems(): readonly ServerState[] {
    return (this.#servers?.states() ?? []).filter(({ problem }) => problem !== null);
  }

  /** What the host is to be told now: once all first starts are over, and when that is no longer so. */
  planReport(): ServerReport | null {
    const states = this.#servers?.states() ?? [];
    if (states.length === 0 || states.length < this.#specs.length || this.#reports >= MAX_REPORTS) return null;
    // Words differ from start to start (a pid, a time): only what works and what does not is news.
    if (fingerprint(states) === this.#reported) return null;
    return { action: 'report_mcp_servers', servers: states.map((state) => ({ ...state })) };
  }

  /** The host has been told. */
  noteReported(report: ServerReport): void {
    this.#reported = fingerprint(report.servers);
    this.#reports++;
  }

  list(): readonly ToolDescription[] {
    return this.#servers?.tools() ?? [];
  }

  /** Throws TurnOverError. */
  async call(name: string, input: unknown, context: ToolContext): Promise<ToolResult> {
    const { signal } = context;
    if (signal.aborted || this.#servers === null) throw new TurnOverError();
    using _declared = context.declare(name, CALL_TIMEOUT_MS + CALL_SLACK_MS);
    try {
      return await this.#servers.call(name, input, signal);
    } catch (error) {
      if (signal.aborted) throw new TurnOverError();
      throw error;
    }
  }

  async #load(): Promise<McpServers> {
    this.#loading ??= import('../mcp-servers/index.ts').then(({ createMcpServers }) =>
      createMcpServers(this.#specs, this.#place),
    );
    return await this.#loading;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    const servers = await this.#loading;
    await servers?.[Symbol.asyncDispose]();
  }
}

function fingerprint(states: readonly ServerState[]): string {
  return JSON.stringify(states.map(({ name, problem, tools }) => [name, problem === null, tools]));
}

async function untilAbort(work: Promise<void>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  let abort = () => {};
  const aborted = new Promise<void>((resolve) => {
    abort = resolve;
  });
  signal.addEventListener('abort', abort, { once: true });
  try {
    await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
