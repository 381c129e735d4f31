/** Configs and their revisions as the API shows them. */
import { parseUserId } from '../../../shared/ids.ts';
import { MOUNTS_PATH } from '../../../shared/session-files.ts';
import { contentOf } from '../../agents/config/configs.ts';
import { diffConfigs, formatDifference } from '../../agents/config/diff.ts';
import { quoteCommand } from '../../agents/config/quote.ts';
import type { AgentGroup, ConfigContent, Mount } from '../../store/agents.ts';
import type { ConfigRevision } from '../../store/config-history.ts';
import type { AgentConfig, AgentConfigChange } from './config-schemas.ts';
import type { ApiParts } from './ports.ts';

export function presentConfig(agent: AgentGroup, parts: ApiParts): AgentConfig {
  const content = contentOf(agent);
  const past = parts.configHistory.get(agent.id, agent.config.revision);
  const image = parts.images.imageFor(agent);
  return {
    agentId: agent.id,
    agentName: agent.name,
    revision: agent.config.revision,
    changedAt: past?.at ?? agent.createdAt,
    changedBy: presentAuthor(past?.by ?? 'host', parts),
    approvalId: past?.approvalId ?? null,
    reason: past?.reason ?? '',
    ...presentContent(content),
    mcpReports: parts.reports
      .list(agent.id, content.mcpServers)
      .map(({ name, problem, tools, reportedAt }) => ({ name, problem, tools, reportedAt })),
    image: { state: image.kind, reason: 'reason' in image ? image.reason : null },
  };
}

export function presentContent({ resources, packages, mcpServers, mounts, ...rest }: ConfigContent) {
  const { memoryMb = null, cpus = null, pids = null } = resources;
  return {
    ...rest,
    resources: { memoryMb, cpus, pids },
    packages: { apt: packages.apt, npm: packages.npm, rebuilds: packages.generation },
    mcpServers: mcpServers.map((server) => ({
      ...server,
      commandLine: quoteCommand(server.command, server.args, server.env),
    })),
    mounts: mounts.map(presentMount),
  };
}

export function presentMount(mount: Mount) {
  return { ...mount, containerPath: `${MOUNTS_PATH}/${mount.name}` };
}

export function presentChange(
  { agentGroupId, revision, content, by, approvalId, reason, at }: ConfigRevision,
  parts: ApiParts,
): AgentConfigChange {
  const before = parts.configHistory.before(agentGroupId, revision);
  const changes = before === null ? [] : diffConfigs(before.content, content).map(formatDifference);
  return { revision, changedAt: at, changedBy: presentAuthor(by, parts), approvalId, reason, changes };
}

/** A user, an agent, or the host. */
export function presentAuthor(
  by: string,
  { users, agents }: Pick<ApiParts, 'users' | 'agents'>,
): { id: string; name: string } {
  const userId = parseUserId(by);
  if (userId !== null) return { id: by, name: users.get(userId)?.displayName || by };
  // The column holds what a change was given: a user, an agent, or `host`.
  const agent = agents.get(by as AgentGroup['id']);
  return { id: by, name: agent?.name ?? by };
}
