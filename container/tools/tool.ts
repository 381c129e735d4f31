/** What a tool is, apart from how a provider reaches it: a name, a schema, and a function. */
import type { z } from 'zod';
import type { ToolContext } from './context.ts';

/** `text` is for the model: what happened, or what to do next. */
export type ToolResult =
  | { ok: true; text: string; messageId?: string; seq?: number; data?: unknown }
  | { ok: false; text: string };

export interface Tool<Schema extends z.ZodType = z.ZodType> {
  readonly name: string;
  /** One line. */
  readonly description: string;
  readonly input: Schema;
  /** Admin agents alone have it (I6): for others it does not exist. */
  readonly isAdminOnly?: boolean;
  run(input: z.output<Schema>, context: ToolContext): ToolResult | Promise<ToolResult>;
}

/** A tool as models and programs beside the runner read about it. */
export interface ToolDescription {
  name: string;
  description: string;
  /** JSON Schema of the input, always of an object. */
  inputSchema: { type: 'object'; [key: string]: unknown };
}

/** Tools from elsewhere that join the box: those of MCP servers. */
export interface ToolSource {
  list(): readonly ToolDescription[];
  call(name: string, input: unknown, context: ToolContext): Promise<ToolResult>;
}

/** The tools as a provider sees them, for one turn. */
export interface ToolBox {
  list(): readonly ToolDescription[];
  /** Input is checked here. A mistake of the model is a result with `ok: false`; a broken disk throws. */
  call(name: string, input: unknown): Promise<ToolResult>;
}
