/** The tools of this image, and the box through which a provider calls them. */
import { z } from 'zod';
import { TurnOverError } from '../runner/turn-scope.ts';
import { addReaction } from './add-reaction.ts';
import { askUserQuestion } from './ask-user-question.ts';
import type { ToolContext } from './context.ts';
import { createAgent } from './create-agent.ts';
import { createTask } from './create-task.ts';
import { editMessage } from './edit-message.ts';
import { installPackages } from './install-packages.ts';
import { listDestinations } from './list-destinations.ts';
import { addMcpServer, removeMcpServer } from './mcp-server-switches.ts';
import { describeProblems } from './problems.ts';
import { requestAccess } from './request-access.ts';
import { requestRebuild } from './request-rebuild.ts';
import { restart } from './restart.ts';
import { sendFile } from './send-file.ts';
import { sendMessage } from './send-message.ts';
import { listTasks } from './task-list.ts';
import { cancelTask, pauseTask, resumeTask } from './task-switches.ts';
import type { Tool, ToolBox, ToolDescription, ToolResult, ToolSource } from './tool.ts';
import { updateTask } from './update-task.ts';

interface BoundTool extends ToolDescription {
  isAdminOnly: boolean;
  call(input: unknown, context: ToolContext): Promise<ToolResult>;
}

/** Of a name that is no tool's. */
const MAX_SHOWN_CHARS = 80;
/** Of the names that are. */
const MAX_NAMES_CHARS = 2_000;

const TOOLS: readonly BoundTool[] = [
  bind(sendMessage),
  bind(sendFile),
  bind(editMessage),
  bind(addReaction),
  bind(askUserQuestion),
  bind(listDestinations),
  bind(createAgent),
  bind(createTask),
  bind(listTasks),
  bind(updateTask),
  bind(pauseTask),
  bind(resumeTask),
  bind(cancelTask),
  bind(installPackages),
  bind(addMcpServer),
  bind(removeMcpServer),
  bind(requestRebuild),
  bind(requestAccess),
  bind(restart),
];

/** The tools of an agent, whether or not a turn runs. */
export function listTools(isAdmin: boolean): readonly ToolDescription[] {
  return findTools(isAdmin);
}

/** `more` are tools from elsewhere; they may come and go, and cannot take the name of one of these. */
export function createToolBox(context: ToolContext, more: ToolSource): ToolBox {
  const own = findTools(context.session.isAdmin);
  const list = () => [...own, ...more.list()];
  const find = (name: string) => {
    const tool = own.find((candidate) => candidate.name === name);
    if (tool) return (input: unknown) => tool.call(input, context);
    if (!more.list().some((candidate) => candidate.name === name)) return null;
    return (input: unknown) => more.call(name, input, context);
  };
  return {
    list,
    async call(name, input) {
      const run = find(name);
      if (run === null) return { ok: false, text: describeUnknown(name, list()) };
      try {
        return await run(input);
      } catch (error) {
        if (!(error instanceof TurnOverError)) throw error;
        return { ok: false, text: 'The turn is over, so nothing was done. Tools work while you answer a message.' };
      }
    },
  };
}

function describeUnknown(name: string, tools: readonly ToolDescription[]): string {
  const names = tools.map((each) => each.name).join(', ');
  const shown = names.length > MAX_NAMES_CHARS ? `${names.slice(0, MAX_NAMES_CHARS)}…` : names;
  return `There is no tool ${name.slice(0, MAX_SHOWN_CHARS)}. Use one of: ${shown}.`;
}

function findTools(isAdmin: boolean): readonly BoundTool[] {
  return TOOLS.filter((tool) => isAdmin || !tool.isAdminOnly);
}

/** Joins a tool's schema with its function, so that the function only ever sees checked input. */
function bind<Schema extends Tool['input']>(tool: Tool<Schema>): BoundTool {
  const { name, description, input } = tool;
  let schema: ToolDescription['inputSchema'] | null = null;
  return {
    name,
    description,
    // Made when somebody asks for it: nobody does in the first turn of a provider that has rules of its own.
    get inputSchema() {
      schema ??= toJsonSchema(input);
      return schema;
    },
    isAdminOnly: tool.isAdminOnly ?? false,
    async call(raw, context) {
      const parsed = input.safeParse(raw);
      if (parsed.success) return await tool.run(parsed.data, context);
      const problems = describeProblems(parsed.error, raw);
      return { ok: false, text: `${name} was not called: ${problems}. Correct the input and call again.` };
    },
  };
}

function toJsonSchema(input: z.ZodType): ToolDescription['inputSchema'] {
  const { $schema: _dialect, ...schema } = z.toJSONSchema(input, { io: 'input' });
  return { ...schema, type: 'object' };
}
