/**
 * The Claude Agent SDK, as far as it is used here. It is not part of this project: it lies in the image of agents on
 * `claude` alone, and what its program says is parsed before anything believes it.
 */
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { CLAUDE_FOLDER } from '../../../shared/providers.ts';

export type ContentBlock =
  | { type: 'text'; text: string }
  | { type: 'image' | 'document'; title?: string; source: { type: 'base64'; media_type: string; data: string } };

export interface SdkUserMessage {
  type: 'user';
  message: { role: 'user'; content: ContentBlock[] };
  parent_tool_use_id: null;
  session_id: string;
  uuid: string;
  /** As it is written: no `@file` in it is opened, and no `/word` is a command. */
  client_composed?: true;
}

/** One end of an MCP connection inside this process. */
export interface McpTransport {
  onmessage?: (message: unknown) => void;
  send(message: unknown): Promise<void>;
}

export interface McpEndpoint {
  connect(transport: McpTransport): Promise<void>;
  close(): Promise<void>;
}

/** Source: `Options` of the SDK's declarations, 0.3.329. */
export interface SdkOptions {
  cwd: string;
  env: Record<string, string>;
  model?: string;
  effort?: 'low' | 'medium' | 'high' | 'max';
  systemPrompt: { type: 'preset'; preset: 'claude_code'; append: string; snapshot: boolean };
  settingSources: ('project' | 'local' | 'user')[];
  settings: Record<string, unknown>;
  tools: string[];
  mcpServers: Record<string, { type: 'sdk'; name: string; instance: McpEndpoint }>;
  strictMcpConfig: boolean;
  permissionMode: 'bypassPermissions';
  allowDangerouslySkipPermissions: boolean;
  includePartialMessages: boolean;
  resume?: string;
  resumeSessionAt?: string;
  spawnClaudeCodeProcess: (order: SpawnOrder) => ChildProcess;
}

export interface SpawnOrder {
  command: string;
  args: string[];
  cwd?: string;
  env: Record<string, string | undefined>;
}

export interface SdkQuery extends AsyncIterable<unknown> {
  interrupt(): Promise<unknown>;
  close(): void;
}

interface Sdk {
  query(call: { prompt: AsyncIterable<SdkUserMessage>; options: SdkOptions }): SdkQuery;
}

const ENTRY = join(CLAUDE_FOLDER, 'node_modules', '@anthropic-ai', 'claude-agent-sdk', 'sdk.mjs');

/** Null where this image, or this machine, does not have it. */
export async function loadSdk(): Promise<Sdk | null> {
  if (!existsSync(ENTRY)) return null;
  const loaded: unknown = await import(pathToFileURL(ENTRY).href);
  return isSdk(loaded) ? loaded : null;
}

function isSdk(loaded: unknown): loaded is Sdk {
  return typeof loaded === 'object' && loaded !== null && 'query' in loaded && typeof loaded.query === 'function';
}
