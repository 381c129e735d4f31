/** What the runner knows of MCP servers: the part that is loaded always, so that the rest is loaded only when there are any. */
import type { ProgramPlace } from '../runner/process-group.ts';
import type { ToolDescription, ToolResult } from '../tools/tool.ts';

/** Where servers run: the same for all of an agent. */
export interface ServerPlace extends ProgramPlace {
  agentFolder: string;
}

export interface ServerState {
  name: string;
  /** Null: it is up. */
  problem: string | null;
  tools: number;
}

export interface McpServers extends AsyncDisposable {
  /** Starts what is not up; waits for each server's first start, 10 s at most. Never rejects. */
  begin(): Promise<void>;
  /** Of those whose first start is over. */
  states(): readonly ServerState[];
  tools(): readonly ToolDescription[];
  /** By the name in `tools`. Whatever the server does is a result; rejects with the signal's reason alone. */
  call(name: string, input: unknown, signal: AbortSignal): Promise<ToolResult>;
}
