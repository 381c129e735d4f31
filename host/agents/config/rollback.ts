/**
 * Back to an earlier config: a new revision with the old content, and nothing is rewritten. What it names is judged
 * by today's rules, and its image is built before the config changes.
 */
import { isDeepStrictEqual } from 'node:util';
import { PROVIDER_NAMES } from '../../../shared/providers.ts';
import type { ApprovalAction } from '../../approvals/approval.ts';
import type { Services } from '../../egress/services.ts';
import type { ImageBuilds } from '../../images/images.ts';
import type { AgentGroup, ConfigContent } from '../../store/agents.ts';
import type { ConfigHistoryStore } from '../../store/config-history.ts';
import type { Mounts } from '../mounts/mounts.ts';
import { pickChoice, planChoice } from '../provider/plan.ts';
import { type AgentConfigs, type ConfigOutcome, contentOf } from './configs.ts';

const LIST_PROVIDERS = 'portolan provider list';
const LIST_MOUNTS = 'see what is allowed now: portolan mounts allowed';

export interface RollbackParts {
  configs: AgentConfigs;
  configHistory: Pick<ConfigHistoryStore, 'get'>;
  images: Pick<ImageBuilds, 'ensure'>;
  mounts: Pick<Mounts, 'check'>;
  services: Pick<Services, 'list'>;
}

export type RollbackOutcome =
  | ConfigOutcome
  | { kind: 'no-such-revision' }
  /** `why` and what to type are for the admin; nothing was changed. */
  | { kind: 'refused'; why: string; next: string }
  /** With the last lines of the build; nothing was changed. */
  | { kind: 'build-failed'; tail: string };

/** What an agent would have to ask for, to have this config changed into that one. Pure. */
export function listAsked(now: ConfigContent, wanted: ConfigContent): ApprovalAction[] {
  const hasNew = (some: readonly string[], than: readonly string[]) => some.some((spec) => !than.includes(spec));
  const { packages, mcpServers } = wanted;
  const asked: [ApprovalAction, boolean][] = [
    ['install_packages', hasNew(packages.apt, now.packages.apt) || hasNew(packages.npm, now.packages.npm)],
    ['request_rebuild', packages.generation > now.packages.generation],
    ['add_mcp_server', mcpServers.some((one) => !now.mcpServers.some((known) => isDeepStrictEqual(one, known)))],
    ['remove_mcp_server', now.mcpServers.some(({ name }) => !mcpServers.some((one) => one.name === name))],
  ];
  return asked.flatMap(([action, isAsked]) => (isAsked ? [action] : []));
}

/** `ifRevision`: the config's revision that the caller saw. Throws the faults of `ImageBuilds.ensure`. */
export function rollBack(
  agent: AgentGroup,
  to: { revision: number; ifRevision: number; by: string },
  { configs, configHistory, images, mounts, services }: RollbackParts,
): Promise<RollbackOutcome> {
  return configs.inTurn(agent.id, async () => {
    const past = configHistory.get(agent.id, to.revision);
    if (past === null) return { kind: 'no-such-revision' };
    // What it would be based on has changed: no image is built for nothing.
    if (agent.config.revision !== to.ifRevision) return { kind: 'stale', agent };
    const { content } = past;
    if (!PROVIDER_NAMES.some((name) => name === content.provider)) {
      return { kind: 'refused', why: `there is no provider ${content.provider} any more`, next: LIST_PROVIDERS };
    }
    // The services of then may be gone.
    const choice = planChoice(pickChoice(content), services.list());
    if (choice.kind === 'refused' && !isDeepStrictEqual(pickChoice(content), pickChoice(agent.config))) {
      return { kind: 'refused', why: choice.why.replace(/\.$/, ''), next: LIST_PROVIDERS };
    }
    for (const mount of content.mounts) {
      const plan = await mounts.check(agent, mount);
      if (plan.kind === 'refuse')
        return { kind: 'refused', why: `the mount ${mount.name} (${mount.path}): ${plan.why}`, next: LIST_MOUNTS };
    }
    if (!isDeepStrictEqual(content.packages, contentOf(agent).packages)) {
      const built = await images.ensure(agent, content.packages, { approvalId: null });
      if (built.kind === 'failed') return { kind: 'build-failed', tail: built.tail };
    }
    const reason = `rolled back to revision ${to.revision}`;
    return configs.change(agent.id, content, { by: to.by, approvalId: null, reason, ifRevision: to.ifRevision });
  });
}
