/** Adding and removing an MCP server of one's own container: both are an admin's decision. */
import { z } from 'zod';
import { MCP_SERVER_NAME, mcpServerSchema } from '../../shared/mcp-servers.ts';
import { askHost, describeSubmitted } from './ask-host.ts';
import { reasonField } from './reason.ts';
import type { Tool } from './tool.ts';

const { name, command, args, env } = mcpServerSchema.shape;

const addInput = z.object({
  name: name.describe('one word; its tools will be called mcp__<name>__<tool>'),
  command: command.describe('a program of your container, by name or path; no shell runs it'),
  args: args.describe('its arguments, each on its own'),
  env: env.describe('its environment variables; never a secret, because admins read them'),
  reason: reasonField,
});

export const addMcpServer: Tool<typeof addInput> = {
  name: 'add_mcp_server',
  description: 'Ask an admin to run an MCP server in your container; its tools are there after a restart.',
  input: addInput,
  async run({ reason, ...server }, context) {
    return describeSubmitted(await askHost({ action: 'add_mcp_server', server, reason }, context));
  },
};

const removeInput = z.object({
  name: z.string().regex(MCP_SERVER_NAME, 'the name of an MCP server').describe('the server, as it was added'),
  reason: reasonField,
});

export const removeMcpServer: Tool<typeof removeInput> = {
  name: 'remove_mcp_server',
  description: 'Ask an admin to take an MCP server out of your container.',
  input: removeInput,
  async run({ name, reason }, context) {
    if (!context.session.mcpServers.some((server) => server.name === name)) {
      const names = context.session.mcpServers.map((server) => server.name).join(', ') || 'none';
      return { ok: false, text: `You have no MCP server "${name}". Yours are: ${names}.` };
    }
    return describeSubmitted(await askHost({ action: 'remove_mcp_server', name, reason }, context));
  },
};
