/**
 * Answers what an agent asks about itself. Changes are asked of an admin and never wait for: the outcome comes to
 * the agent as a message. A restart needs nobody; what the runner reports is noted.
 *
 * I1. What is so already is answered at once, and nobody is asked.
 * I2. A restart is a row for a fresh container alone, committed with the answer: the runtime ends the container
 *     that asked once its turn is over, and that one never takes the row.
 */
import { createHash } from 'node:crypto';
import { type AgentGroupId, deriveMessageId, type SessionId } from '../../../shared/ids.ts';
import type { RequestOf } from '../../../shared/requests.ts';
import type { RequestApproval } from '../../approvals/approval.ts';
import { quoteExactly, showSafely } from '../../approvals/show.ts';
import { assertNever } from '../../config/errors.ts';
import type { Answered, Asked } from '../../sessions/asked.ts';
import type { NewInboundRow } from '../../sessions/inbox-tables.ts';
import type { AgentGroup, AgentStore } from '../../store/agents.ts';
import type { Ledger } from '../../store/ledger.ts';
import type { McpReportStore } from '../../store/mcp-reports.ts';
import { contentOf } from './configs.ts';
import { planSelfChange, type SelfChange } from './plan.ts';
import { formatWait, RestartPace } from './restarts.ts';
import { toPayload } from './rules.ts';

type ChangeRequest = RequestOf<'install_packages' | 'add_mcp_server' | 'remove_mcp_server' | 'request_rebuild'>;
export type SelfRequest = ChangeRequest | RequestOf<'restart' | 'report_mcp_servers'>;

export interface SelfRequestParts {
  agents: AgentStore;
  reports: McpReportStore;
  ledger: Pick<Ledger, 'append' | 'countByMessage'>;
  requestApproval: RequestApproval;
  /** How many sessions an agent has. */
  countSessions: (id: AgentGroupId) => number;
  /** Something that the agent's admins should know; once per key. */
  tellAdmins: (agent: AgentGroup, key: string, text: string) => void;
  /** Rows were queued for the session; plan its container anew. */
  onWorkChanged: (id: SessionId) => void;
  reconcile: (id: SessionId) => void;
}

/** Characters of a container's words about its server that people are shown. */
const MAX_SHOWN_PROBLEM = 600;

export class SelfRequests {
  readonly #parts: SelfRequestParts;
  readonly #pace = new RestartPace();

  constructor(parts: SelfRequestParts) {
    this.#parts = parts;
  }

  answer(asked: Asked<SelfRequest>): Answered {
    const { request } = asked;
    switch (request.action) {
      case 'install_packages':
      case 'add_mcp_server':
      case 'remove_mcp_server':
      case 'request_rebuild':
        return this.#askAdmin({ ...asked, request });
      case 'restart':
        return this.#restart({ ...asked, request });
      case 'report_mcp_servers':
        return this.#noteReports({ ...asked, request });
      default:
        return assertNever(request);
    }
  }

  #askAdmin({ session, messageId, origin, request }: Asked<ChangeRequest>): Answered {
    const agent = this.#parts.agents.get(session.agentGroupId);
    if (agent === null) return refuse('the agent was removed');
    const change = toChange(request);
    const plan = planSelfChange(contentOf(agent), change);
    if (plan.kind === 'refuse') return refuse(plan.why);
    // I1
    if (plan.kind === 'nothing') return { answer: { kind: 'done', note: `nothing is to be done: ${plan.why}` } };
    const payload = toPayload(agent.id, change);
    const requested = this.#parts.requestApproval({
      action: change.kind,
      payload,
      requester: { kind: 'agent', sessionId: session.id, messageId, origin },
      agentGroupId: agent.id,
      subjectKey: `${agent.id}:${hash(payload)}`,
      ...this.#describe(agent, change),
      reason: request.reason,
    });
    if (requested.kind === 'refused') return refuse(requested.why);
    const words = requested.kind === 'asked' ? 'an admin was asked' : 'an admin was asked for this before';
    return { answer: { kind: 'done', note: `${words}; the code is ${requested.code}` } };
  }

  #describe(agent: AgentGroup, change: SelfChange): { title: string; question: string } {
    const name = showSafely(agent.name);
    const sessions = this.#parts.countSessions(agent.id);
    const question = `“${name}” has ${sessions} ${sessions === 1 ? 'session' : 'sessions'}.`;
    switch (change.kind) {
      case 'install_packages':
        return { title: `Install packages for “${name}”?`, question };
      case 'add_mcp_server':
        return { title: `Add the MCP server ${change.server.name} to “${name}”?`, question };
      case 'remove_mcp_server':
        return { title: `Remove the MCP server ${change.name} from “${name}”?`, question };
      case 'request_rebuild':
        return { title: `Build the image of “${name}” anew?`, question };
    }
  }

  /** I2 */
  #restart(asked: Asked<RequestOf<'restart'>>): Answered {
    const { ledger, onWorkChanged, reconcile } = this.#parts;
    const { session, messageId, request, now } = asked;
    const verdict = this.#pace.ask(session.id, messageId, now);
    if (verdict.kind === 'refused') {
      return refuse(
        `a session restarts at most once a minute and 6 times an hour; again in ${formatWait(verdict.waitMs)}`,
      );
    }
    if (ledger.countByMessage(messageId, 'session.restarted') === 0) {
      const entry = { kind: 'session.restarted', sessionId: session.id, messageId, actor: session.agentGroupId };
      ledger.append({ ...entry, detail: { note: request.note } }, now);
    }
    const note = request.note === '' ? '' : ` Your note: “${request.note}”`;
    const text = `Your container was started afresh, as you asked.${note}`;
    const row = makeRow(asked, { event: 'restarted', about: '', text, onWake: true });
    return {
      answer: { kind: 'done' },
      within: (tables) => void tables.append([row]),
      after: () => {
        onWorkChanged(session.id);
        reconcile(session.id);
      },
    };
  }

  /** From the runner: only of servers that the config has. */
  #noteReports(asked: Asked<RequestOf<'report_mcp_servers'>>): Answered {
    const { agents, reports, ledger, tellAdmins, onWorkChanged } = this.#parts;
    const { session, messageId, request, now } = asked;
    const agent = agents.get(session.agentGroupId);
    if (agent === null) return refuse('the agent was removed');
    const news = agent.config.mcpServers.flatMap((server) => {
      const said = request.servers.find(({ name }) => name === server.name);
      if (said === undefined) return [];
      const { problem, tools } = said;
      const isNews = reports.note(agent.id, server, { problem, tools, sessionId: session.id, row: messageId }, now);
      return isNews && problem !== null ? [{ name: server.name, problem }] : [];
    });
    reports.prune(
      agent.id,
      agent.config.mcpServers.map(({ name }) => name),
    );
    if (news.length === 0) return { answer: { kind: 'done' } };
    if (ledger.countByMessage(messageId, 'mcp.failed') === 0) {
      const entry = { kind: 'mcp.failed', sessionId: session.id, messageId, actor: agent.id };
      ledger.append({ ...entry, detail: { servers: news.map(({ name }) => name).join(' ') } }, now);
    }
    const rows = news.map(({ name, problem }) =>
      makeRow(asked, { event: 'mcp_server_failed', about: name, text: describeForAgent(name, problem), onWake: false }),
    );
    return {
      answer: { kind: 'done' },
      within: (tables) => void tables.append(rows),
      after: () => {
        onWorkChanged(session.id);
        for (const { name, problem } of news)
          tellAdmins(agent, `mcp ${name} ${messageId}`, describeForAdmin(agent, name, problem));
      },
    };
  }
}

function toChange(request: ChangeRequest): SelfChange {
  switch (request.action) {
    case 'install_packages':
      // In one order: what was rejected is the same request in another.
      return { kind: 'install_packages', apt: listNames(request.apt), npm: listNames(request.npm) };
    case 'add_mcp_server':
      return { kind: 'add_mcp_server', server: request.server };
    case 'remove_mcp_server':
      return { kind: 'remove_mcp_server', name: request.name };
    case 'request_rebuild':
      return { kind: 'request_rebuild' };
  }
}

function listNames(names: readonly string[]): string[] {
  return [...new Set(names)].toSorted();
}

/** From the host to the session that asked, answering where the request came from. */
function makeRow(
  { session, messageId, traceId, origin, now }: Asked,
  { event, about, text, onWake }: { event: string; about: string; text: string; onWake: boolean },
): NewInboundRow {
  return {
    id: deriveMessageId(session.id, messageId, event, about),
    kind: 'system',
    timestamp: now,
    processAfter: null,
    trigger: true,
    onWake,
    channelType: origin?.channelType ?? null,
    platformId: origin?.platformId ?? null,
    threadId: origin?.threadId ?? null,
    senderId: null,
    sourceSessionId: null,
    inReplyTo: messageId,
    hop: 0,
    traceId,
    content: JSON.stringify({ text, senderName: 'host', attachments: [], event }),
  };
}

function describeForAgent(name: string, problem: string): string {
  return `Your MCP server “${name}” did not come up, so its tools are missing: ${problem}\nAn admin was told. You may ask for it to be changed or removed.`;
}

function describeForAdmin({ name }: AgentGroup, server: string, problem: string): string {
  const words = quoteExactly(problem.slice(0, MAX_SHOWN_PROBLEM));
  return `The MCP server ${server} of “${showSafely(name)}” did not come up; its container says: ${words}`;
}

function hash(payload: unknown): string {
  return createHash('sha256').update(JSON.stringify(payload)).digest('hex').slice(0, 32);
}

function refuse(reason: string): Answered {
  return { answer: { kind: 'refused', reason } };
}
