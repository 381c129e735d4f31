/** `/agents` and `/config`: what there is, as far as the person's right reaches. */

import { MAX_AGENTS } from '../../agents/limits.ts';
import { showSafely } from '../../approvals/show.ts';
import type { AgentGroup } from '../../store/agents.ts';
import { foldName } from '../choose-agent.ts';
import { MAX_LISTED } from '../limits.ts';
import { isAdminOf } from '../plan.ts';
import type { Call, CommandParts, Reply } from '../ports.ts';
import { listNames, quote } from '../words.ts';

export function listAgents({ speaker, listeners }: Call, { agents, users }: CommandParts): Reply {
  const here = new Set(listeners.map(({ agent }) => agent.id));
  const seen = agents
    .list(MAX_AGENTS)
    .filter(({ id }) => here.has(id) || isAdminOf(speaker.roles, id) || users.isKnown(speaker.id, id));
  if (seen.length === 0) return { kind: 'said', text: 'There is no agent that you may see.' };
  const lines = seen.slice(0, MAX_LISTED).map((agent) => {
    const facts = [
      ...(here.has(agent.id) ? ['listens here'] : []),
      ...(isAdminOf(speaker.roles, agent.id) ? ['you administer it'] : []),
    ];
    return `- **${showSafely(agent.name)}**${facts.length === 0 ? '' : `: ${facts.join(', ')}`}`;
  });
  const more = seen.length > MAX_LISTED ? [`… and ${seen.length - MAX_LISTED} more.`] : [];
  return { kind: 'said', text: [...lines, ...more].join('\n') };
}

export function showConfig(call: Call, parts: CommandParts): Reply {
  const found = findAgent(call, parts);
  return found.kind === 'found' ? { kind: 'said', text: describeConfig(found.agent) } : found;
}

/**
 * The agent that was named, or without a name the one that listens here, of those that this person administers.
 * One that they do not is answered like one that does not exist.
 */
export function findAgent(
  { rest, speaker, listeners }: Call,
  { agents }: CommandParts,
): { kind: 'found'; agent: AgentGroup } | Exclude<Reply, { kind: 'passed' }> {
  const own = agents.list(MAX_AGENTS).filter(({ id }) => isAdminOf(speaker.roles, id));
  const name = foldName(rest);
  if (name !== '') {
    const named = own.find((agent) => foldName(agent.name) === name);
    if (named !== undefined) return { kind: 'found', agent: named };
    return { kind: 'refused', text: `You administer no agent called ${quote(rest)}. /agents lists yours.` };
  }
  const here = own.filter(({ id }) => listeners.some(({ agent }) => agent.id === id));
  const [only, second] = here.length > 0 ? here : own;
  if (only !== undefined && second === undefined) return { kind: 'found', agent: only };
  if (only === undefined) return { kind: 'refused', text: 'You administer no agent.' };
  const names = listNames((here.length > 0 ? here : own).slice(0, MAX_LISTED).map((agent) => showSafely(agent.name)));
  return { kind: 'usage', text: `Which one: ${names}?` };
}

/** Values of environment variables may be secrets: their names alone are shown. */
function describeConfig({ name, config }: AgentGroup): string {
  const { provider, model, service, effort, timezone, resources, packages, mcpServers, mounts, revision } = config;
  const facts: [string, string][] = [
    ['provider', provider],
    ['model', model ?? 'the default'],
    ['service', service ?? 'the default'],
    ['effort', effort ?? 'the default'],
    ['time zone', timezone],
    ['memory', resources.memoryMb === undefined ? 'the default' : `${resources.memoryMb} MiB`],
    ['processors', resources.cpus === undefined ? 'the default' : String(resources.cpus)],
    ['processes', resources.pids === undefined ? 'the default' : String(resources.pids)],
    ['Debian packages', packages.apt.join(', ') || 'none'],
    ['npm packages', packages.npm.join(', ') || 'none'],
    ['MCP servers', mcpServers.map((server) => server.name).join(', ') || 'none'],
    [
      'mounts',
      mounts.map((mount) => `${mount.name} (${mount.isReadOnly ? 'read only' : 'writable'})`).join(', ') || 'none',
    ],
  ];
  const lines = facts.map(([what, value]) => `- ${what}: \`${value.replaceAll('`', '')}\``);
  return [`**${showSafely(name)}**, revision ${revision} of its config:`, lines.join('\n')].join('\n\n');
}
