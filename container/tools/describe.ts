/** The tools as programs beside the runner read about them. */
import { z } from 'zod';
import type { ToolDescription } from './tool.ts';

export interface DescribedTool {
  name: string;
  description: string;
  /** JSON Schema of the input, always of an object. */
  inputSchema: { type: 'object'; [key: string]: unknown };
}

export function describeTools(tools: readonly ToolDescription[]): DescribedTool[] {
  return tools.map(({ name, description, input }) => {
    const { $schema: _dialect, ...schema } = z.toJSONSchema(input, { io: 'input' });
    return { name, description, inputSchema: { ...schema, type: 'object' } };
  });
}
