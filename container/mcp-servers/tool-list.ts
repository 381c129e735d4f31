/** A server's tools as a model gets them: named, bounded, and each checked by itself. Pure. */
import { z } from 'zod';
import type { ToolDescription } from '../tools/tool.ts';
import { MAX_DESCRIPTION_CHARS, MAX_SCHEMA_BYTES, MAX_TOOLS } from './limits.ts';

export interface ServerTool extends ToolDescription {
  /** As the server calls it. */
  ownName: string;
}

const toolSchema = z.looseObject({
  name: z.string().min(1),
  description: z.string().catch(''),
  inputSchema: z.looseObject({ type: z.literal('object') }),
});

/** What model interfaces take as a tool's name, less what stands before it. */
const MAX_NAME_CHARS = 128;

export interface ToolReading {
  tools: ServerTool[];
  /** Tools that cannot be offered: without a name or schema, too large, or too many. */
  leftOut: number;
}

/** `maxBytes` is for all of them together, descriptions and schemas as JSON. */
export function readTools(server: string, listed: readonly unknown[], maxBytes: number): ToolReading {
  const tools = new Map<string, ServerTool>();
  let bytes = 0;
  for (const raw of listed) {
    const tool = readTool(server, raw);
    if (tool === null || tools.size >= MAX_TOOLS || tools.has(tool.name)) continue;
    const schemaBytes = jsonBytes(tool.inputSchema);
    const all = bytes + schemaBytes + jsonBytes(tool.description) + tool.name.length;
    if (schemaBytes > MAX_SCHEMA_BYTES || all > maxBytes) continue;
    bytes = all;
    tools.set(tool.name, tool);
  }
  return { tools: [...tools.values()], leftOut: listed.length - tools.size };
}

function readTool(server: string, raw: unknown): ServerTool | null {
  const parsed = toolSchema.safeParse(raw);
  if (!parsed.success) return null;
  const { name: ownName, description, inputSchema } = parsed.data;
  const name = `mcp__${server}__${ownName.replace(/[^A-Za-z0-9_-]/g, '_')}`;
  if (name.length > MAX_NAME_CHARS) return null;
  return { name, ownName, description: cut(description.trim()), inputSchema };
}

function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

function cut(text: string): string {
  if (text.length <= MAX_DESCRIPTION_CHARS) return text;
  return `${text.slice(0, MAX_DESCRIPTION_CHARS).replace(/\p{Surrogate}$/u, '')}…`;
}
