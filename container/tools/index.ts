/** The tools of this image, and the box through which a provider calls them. */
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
import { requestRebuild } from './request-rebuild.ts';
import { restart } from './restart.ts';
import { sendFile } from './send-file.ts';
import { sendMessage } from './send-message.ts';
import { listTasks } from './task-list.ts';
import { cancelTask, pauseTask, resumeTask } from './task-switches.ts';
import type { Tool, ToolBox, ToolDescription, ToolResult } from './tool.ts';
import { updateTask } from './update-task.ts';

interface BoundTool extends ToolDescription {
  isAdminOnly: boolean;
  call(input: unknown, context: ToolContext): Promise<ToolResult>;
}

/** Of a name that is no tool's. */
const MAX_SHOWN_CHARS = 80;

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
  bind(restart),
];

/** The tools of an agent, whether or not a turn runs. */
export function listTools(isAdmin: boolean): readonly ToolDescription[] {
  return findTools(isAdmin);
}

export function createToolBox(context: ToolContext): ToolBox {
  const tools = findTools(context.session.isAdmin);
  return {
    list: () => tools,
    async call(name, input) {
      const tool = tools.find((candidate) => candidate.name === name);
      if (!tool) {
        const names = tools.map((each) => each.name).join(', ');
        return { ok: false, text: `There is no tool ${name.slice(0, MAX_SHOWN_CHARS)}. Use one of: ${names}.` };
      }
      try {
        return await tool.call(input, context);
      } catch (error) {
        if (!(error instanceof TurnOverError)) throw error;
        return { ok: false, text: 'The turn is over, so nothing was done. Tools work while you answer a message.' };
      }
    },
  };
}

function findTools(isAdmin: boolean): readonly BoundTool[] {
  return TOOLS.filter((tool) => isAdmin || !tool.isAdminOnly);
}

/** Joins a tool's schema with its function, so that the function only ever sees checked input. */
function bind<Schema extends Tool['input']>(tool: Tool<Schema>): BoundTool {
  const { name, description, input } = tool;
  return {
    name,
    description,
    input,
    isAdminOnly: tool.isAdminOnly ?? false,
    async call(raw, context) {
      const parsed = input.safeParse(raw);
      if (parsed.success) return await tool.run(parsed.data, context);
      const problems = describeProblems(parsed.error, raw);
      return { ok: false, text: `${name} was not called: ${problems}. Correct the input and call again.` };
    },
  };
}
