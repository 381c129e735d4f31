/** The tools of this image, and the box through which a provider calls them. */
import { addReaction } from './add-reaction.ts';
import type { ToolContext } from './context.ts';
import { createTask } from './create-task.ts';
import { editMessage } from './edit-message.ts';
import { listDestinations } from './list-destinations.ts';
import { sendFile } from './send-file.ts';
import { sendMessage } from './send-message.ts';
import type { Tool, ToolBox, ToolDescription, ToolResult } from './tool.ts';

interface BoundTool extends ToolDescription {
  call(input: unknown, context: ToolContext): Promise<ToolResult>;
}

const TOOLS: readonly BoundTool[] = [
  bind(sendMessage),
  bind(sendFile),
  bind(editMessage),
  bind(addReaction),
  bind(listDestinations),
  bind(createTask),
];

export function createToolBox(context: ToolContext): ToolBox {
  return {
    list: () => TOOLS,
    async call(name, input) {
      const tool = TOOLS.find((candidate) => candidate.name === name);
      if (tool) return await tool.call(input, context);
      return { ok: false, text: `There is no tool ${name}. Use one of: ${TOOLS.map((t) => t.name).join(', ')}.` };
    },
  };
}

/** Joins a tool's schema with its function, so that the function only ever sees checked input. */
function bind<Schema extends Tool['input']>(tool: Tool<Schema>): BoundTool {
  const { name, description, input } = tool;
  return {
    name,
    description,
    input,
    async call(raw, context) {
      const parsed = input.safeParse(raw);
      if (parsed.success) return await tool.run(parsed.data, context);
      const problems = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'input'}: ${issue.message}`);
      return {
        ok: false,
        text: `${name} was not called: ${problems.slice(0, 3).join('; ')}. Correct the input and call again.`,
      };
    },
  };
}
