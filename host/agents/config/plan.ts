/**
 * What a request of an agent about itself makes of its config as it is now. Pure.
 *
 * Asked twice it comes to the same: what is there already is no change.
 */

import { isDeepStrictEqual } from 'node:util';
import { MAX_MCP_SERVERS, type McpServer } from '../../../shared/mcp-servers.ts';
import { MAX_PACKAGES, type Packages, packageName } from '../../../shared/packages.ts';
import type { ConfigContent } from '../../store/agents.ts';
import { quoteCommand } from './quote.ts';

/** What an approval is asked for, and carries. `agentGroupId` names whom it is about. */
export type SelfChange =
  | { kind: 'install_packages'; apt: string[]; npm: string[] }
  | { kind: 'add_mcp_server'; server: McpServer }
  | { kind: 'remove_mcp_server'; name: string }
  | { kind: 'request_rebuild' };

export type SelfPlan =
  /** `lines`: what approving does, compared with now; `needsBuild`: the image first. */
  | { kind: 'change'; config: ConfigContent; lines: string[]; needsBuild: boolean }
  /** All of it is there already. */
  | { kind: 'nothing'; why: string }
  /** For the agent: what was wrong, and what to do instead. */
  | { kind: 'refuse'; why: string };

export function planSelfChange(config: ConfigContent, change: SelfChange): SelfPlan {
  switch (change.kind) {
    case 'install_packages':
      return planInstall(config, change);
    case 'add_mcp_server':
      return planAddServer(config, change.server);
    case 'remove_mcp_server':
      return planRemoveServer(config, change.name);
    case 'request_rebuild':
      return planRebuild(config);
  }
}

function planInstall(config: ConfigContent, asked: { apt: string[]; npm: string[] }): SelfPlan {
  const apt = mergePackages(config.packages.apt, asked.apt);
  const npm = mergePackages(config.packages.npm, asked.npm);
  const lines = [...describePackages('apt', apt), ...describePackages('npm', npm)];
  if (lines.length === 0) return { kind: 'nothing', why: 'all of these packages are installed already' };
  const total = apt.packages.length + npm.packages.length;
  if (total > MAX_PACKAGES) {
    return { kind: 'refuse', why: `that would make ${total} packages, and an agent may have ${MAX_PACKAGES}` };
  }
  const packages: Packages = { ...config.packages, apt: apt.packages, npm: npm.packages };
  return { kind: 'change', config: { ...config, packages }, lines, needsBuild: true };
}

interface Merge {
  packages: string[];
  added: string[];
  replaced: { before: string; after: string }[];
}

/** A later version of a name takes the place of the earlier one; of the same name asked twice, the last counts. */
function mergePackages(present: readonly string[], asked: readonly string[]): Merge {
  const wanted = new Map(asked.map((spec) => [packageName(spec), spec]));
  const known = new Map(present.map((spec) => [packageName(spec), spec]));
  const added = [...wanted].flatMap(([name, spec]) => (known.has(name) ? [] : [spec]));
  const replaced = [...wanted].flatMap(([name, after]) => {
    const before = known.get(name);
    return before === undefined || before === after ? [] : [{ before, after }];
  });
  const packages = [...present.map((spec) => wanted.get(packageName(spec)) ?? spec), ...added];
  return { packages, added, replaced };
}

function describePackages(kind: 'apt' | 'npm', { added, replaced }: Merge): string[] {
  const noun = added.length === 1 ? 'package' : 'packages';
  return [
    ...(added.length === 0 ? [] : [`adds the ${kind} ${noun} ${added.map(code).join(', ')}`]),
    ...replaced.map(({ before, after }) => `replaces the ${kind} package ${code(before)} by ${code(after)}`),
  ];
}

function planAddServer(config: ConfigContent, server: McpServer): SelfPlan {
  const known = config.mcpServers.find(({ name }) => name === server.name);
  if (isDeepStrictEqual(known, server))
    return { kind: 'nothing', why: `the MCP server ${server.name} is there already` };
  if (known === undefined && config.mcpServers.length >= MAX_MCP_SERVERS) {
    return { kind: 'refuse', why: `an agent may have ${MAX_MCP_SERVERS} MCP servers; remove one first` };
  }
  const line = showCommand(server);
  const lines =
    known === undefined
      ? [`adds the MCP server ${server.name}, which runs: ${line}`]
      : [`replaces the MCP server ${server.name}, which ran: ${showCommand(known)}`, `and from then on runs: ${line}`];
  const mcpServers =
    known === undefined
      ? [...config.mcpServers, server]
      : config.mcpServers.map((one) => (one.name === server.name ? server : one));
  return { kind: 'change', config: { ...config, mcpServers }, lines, needsBuild: false };
}

function planRemoveServer(config: ConfigContent, name: string): SelfPlan {
  const known = config.mcpServers.find((server) => server.name === name);
  if (known === undefined) {
    const others = config.mcpServers.map((server) => server.name).join(', ');
    return { kind: 'nothing', why: `there is no MCP server ${name}${others === '' ? '' : `; there are ${others}`}` };
  }
  const mcpServers = config.mcpServers.filter((server) => server.name !== name);
  const lines = [`removes the MCP server ${name}, which runs: ${showCommand(known)}`];
  return { kind: 'change', config: { ...config, mcpServers }, lines, needsBuild: false };
}

function planRebuild(config: ConfigContent): SelfPlan {
  const { apt, npm, generation } = config.packages;
  if (apt.length + npm.length === 0) {
    return { kind: 'nothing', why: 'it has no packages of its own: its image is the base, which the host keeps new' };
  }
  const packages = { apt, npm, generation: generation + 1 };
  const lines = [`takes the newest versions of ${[...apt, ...npm].map(code).join(', ')}`];
  return { kind: 'change', config: { ...config, packages }, lines, needsBuild: true };
}

/** On a card, where nothing in it is taken for markup. */
function code(text: string): string {
  return `\`${text}\``;
}

function showCommand({ command, args, env }: McpServer): string {
  return code(quoteCommand(command, args, env));
}
