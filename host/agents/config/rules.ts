/**
 * What an agent may ask to be changed about itself: what approving does, compared with now, and doing it.
 *
 * I1. First the image, then the config: when the build fails nothing has changed, and the old image stays in use.
 * I2. Approvals of one agent are carried out one after another, each on top of the config then.
 * I3. Carried out again after a crash, it finds what it changed (AgentConfigs I2) or what it built.
 */
import { z } from 'zod';
import { type AgentGroupId, type ApprovalId, isId } from '../../../shared/ids.ts';
import { MCP_SERVER_NAME, mcpServerSchema } from '../../../shared/mcp-servers.ts';
import { aptPackageSchema, npmPackageSchema } from '../../../shared/packages.ts';
import type { ActionRules, ApprovalTable, CarriedOut, Decision, Description } from '../../approvals/approval.ts';
import { Fault } from '../../config/errors.ts';
import type { ImageBuilds } from '../../images/images.ts';
import { failpoint } from '../../observe/failpoint.ts';
import type { AgentGroup, AgentStore } from '../../store/agents.ts';
import type { Approval, JsonValue } from '../../store/approvals.ts';
import type { ConfigHistoryStore } from '../../store/config-history.ts';
import { type AgentConfigs, contentOf } from './configs.ts';
import { planSelfChange, type SelfChange } from './plan.ts';

type SelfAction = SelfChange['kind'];

export interface SelfRuleParts {
  agents: AgentStore;
  configs: AgentConfigs;
  configHistory: ConfigHistoryStore;
  images: Pick<ImageBuilds, 'ensure' | 'describe'>;
  /** What agents run stays in a container: not with the process driver. */
  isConfined: boolean;
  /** The agent's sessions follow its config. */
  onConfigChanged: (id: AgentGroupId) => void;
}

const agentGroupId = z.string().refine((text): text is AgentGroupId => isId('agentGroup', text), 'an agent id');

/** What an approval carries: read back from its row, it is checked like anything from outside. */
const SCHEMAS = {
  install_packages: z.object({ agentGroupId, apt: z.array(aptPackageSchema), npm: z.array(npmPackageSchema) }),
  add_mcp_server: z.object({ agentGroupId, server: mcpServerSchema }),
  remove_mcp_server: z.object({ agentGroupId, name: z.string().regex(MCP_SERVER_NAME) }),
  request_rebuild: z.object({ agentGroupId }),
} as const;

/** A change as an approval carries it. */
export function toPayload(id: AgentGroupId, { kind: _, ...change }: SelfChange): { [key: string]: JsonValue } {
  return { agentGroupId: id, ...change };
}

function readPayload(action: SelfAction, payload: unknown): { id: AgentGroupId; change: SelfChange } {
  const { agentGroupId: id, ...change } = SCHEMAS[action].parse(payload);
  // The schema was chosen by `action`, which the compiler cannot follow through the lookup.
  return { id, change: { kind: action, ...change } as SelfChange };
}

export class SelfRules {
  readonly #parts: SelfRuleParts;

  constructor(parts: SelfRuleParts) {
    this.#parts = parts;
  }

  table(): Pick<ApprovalTable, SelfAction> {
    return {
      install_packages: this.#rulesOf('install_packages'),
      add_mcp_server: this.#rulesOf('add_mcp_server'),
      remove_mcp_server: this.#rulesOf('remove_mcp_server'),
      request_rebuild: this.#rulesOf('request_rebuild'),
    };
  }

  /** What approving this change of this agent would do now. */
  describe(id: AgentGroupId, change: SelfChange): Description {
    const agent = this.#parts.agents.get(id);
    if (agent === null) return { kind: 'impossible', why: 'the agent was removed' };
    const plan = planSelfChange(contentOf(agent), change);
    if (plan.kind !== 'change') return { kind: 'impossible', why: plan.why };
    const build = plan.needsBuild ? this.#parts.images.describe(agent, plan.config.packages) : null;
    if (build?.kind === 'impossible') return build;
    return { kind: 'possible', lines: [...plan.lines, ...this.#warnOf(change), ...(build?.lines ?? []), RESTARTS] };
  }

  #warnOf({ kind }: SelfChange): string[] {
    return kind === 'add_mcp_server' && !this.#parts.isConfined ? [UNCONFINED] : [];
  }

  #rulesOf(action: SelfAction): ActionRules {
    return {
      describe: (payload) => {
        // It may have been asked for when the host took other names.
        if (!SCHEMAS[action].safeParse(payload).success) {
          return { kind: 'impossible', why: 'this host does not take such a request any more' };
        }
        const { id, change } = readPayload(action, payload);
        return this.describe(id, change);
      },
      carryOut: (approval, decision) => this.#carryOut(action, approval, decision),
    };
  }

  async #carryOut(action: SelfAction, approval: Approval, decision: Decision): Promise<CarriedOut> {
    if (decision.kind !== 'approved') return { outcome: 'Nothing was changed.' };
    const { id, change } = readPayload(action, approval.payload);
    // I2
    return this.#parts.configs.inTurn(id, () => this.#apply(id, change, approval.id, decision.by));
  }

  async #apply(id: AgentGroupId, change: SelfChange, approvalId: ApprovalId, by: string): Promise<CarriedOut> {
    const { agents, configs, configHistory, images } = this.#parts;
    const agent = agents.get(id);
    if (agent === null) throw new Fault('agent_gone', 'the agent was removed meanwhile');
    // I3
    const past = configHistory.findByApproval(approvalId);
    if (past !== null) return this.#done(agent, change, past.revision);
    const plan = planSelfChange(contentOf(agent), change);
    if (plan.kind === 'nothing') return { outcome: `Nothing was to be changed: ${plan.why}.` };
    if (plan.kind === 'refuse') throw new Fault('config_refused', plan.why);
    if (plan.needsBuild) {
      const built = await images.ensure(agent, plan.config.packages, { approvalId });
      if (built.kind === 'failed') {
        throw new Fault('build_failed', `the image could not be built, and nothing was changed\n${built.tail}`);
      }
    }
    failpoint('config.ready');
    // What a build takes time for is changed in turn alone; the rest may have been changed meanwhile, and stays.
    const patch = plan.needsBuild ? { packages: plan.config.packages } : { mcpServers: plan.config.mcpServers };
    const outcome = configs.change(id, patch, { by, approvalId, reason: describeReason(change) });
    if (outcome.kind !== 'changed') throw new Fault('agent_gone', 'the agent was removed meanwhile');
    return this.#done(outcome.agent, change, outcome.agent.config.revision);
  }

  #done(agent: AgentGroup, change: SelfChange, revision: number): CarriedOut {
    return {
      outcome: `${describeDone(change)} (config revision ${revision})`,
      isForFresh: true,
      after: () => this.#parts.onConfigChanged(agent.id),
    };
  }
}

const UNCONFINED =
  'the program runs unconfined, as the user of the host: without containers it reads and changes all that this user may';
const RESTARTS = 'restarts its sessions, each when it is idle';

function describeReason(change: SelfChange): string {
  switch (change.kind) {
    case 'install_packages':
      return `packages installed: ${[...change.apt, ...change.npm].join(', ')}`;
    case 'add_mcp_server':
      return `MCP server ${change.server.name} added`;
    case 'remove_mcp_server':
      return `MCP server ${change.name} removed`;
    case 'request_rebuild':
      return 'image built anew';
  }
}

function describeDone(change: SelfChange): string {
  switch (change.kind) {
    case 'install_packages':
      return `Installed: ${[...change.apt, ...change.npm].map((spec) => `\`${spec}\``).join(', ')}.`;
    case 'add_mcp_server':
      return `The MCP server ${change.server.name} is part of every new container.`;
    case 'remove_mcp_server':
      return `The MCP server ${change.name} is gone from every new container.`;
    case 'request_rebuild':
      return 'The image was built anew, with the newest versions of its packages.';
  }
}
