/** What may be asked of an admin, and what follows from the decision. */
import type { AgentGroupId, ApprovalId, MessageId, SessionId, UserId } from '../../shared/ids.ts';
import type { Origin } from '../sessions/asked.ts';
import type { Approval, JsonValue } from '../store/approvals.ts';

/** Everything the host asks an admin about, one word each. */
export const APPROVAL_ACTIONS = [
  /** Let a person talk to an agent. */
  'admit_sender',
  /** Wire a chat that nobody listens in to an agent. */
  'wire_chat',
  /** Let two agents go on that exchanged too much. */
  'resume_peers',
  /** Add programs to an agent's own image. */
  'install_packages',
  /** Run an MCP server in an agent's containers. */
  'add_mcp_server',
  'remove_mcp_server',
  /** Build an agent's image anew. */
  'request_rebuild',
  /** Let an agent out to a host, or give it a service. */
  'allow_access',
  /** Let models cost more than a budget allows. */
  'raise_budget',
] as const;
export type ApprovalAction = (typeof APPROVAL_ACTIONS)[number];

/** Who asks. The card goes to the channel that the request came from, if it can. */
export type Requester =
  /** The host by itself; `sessionId` is the conversation that it is about. */
  | { kind: 'host'; sessionId: SessionId | null }
  /** An agent, which is told the outcome. `messageId` is its row that asks: told twice, it asks once. */
  | { kind: 'agent'; sessionId: SessionId; messageId: MessageId; origin: Origin | null };

export interface ApprovalRequest {
  action: ApprovalAction;
  /** All that carrying it out needs: the approval holds for exactly this (I5). An agent's is shown whole on the card. */
  payload: { [key: string]: JsonValue };
  /** What it is about: of one action and subject one approval is open, and other content takes its place. */
  subjectKey: string;
  /** Its admins are asked first and may decide; null: global admins and owners alone. */
  agentGroupId: AgentGroupId | null;
  requester: Requester;
  /** One line of the host's words; what others chose in it has gone through `show.ts`. */
  title: string;
  /** The host's words like the title. */
  question: string;
  /** Why, in the agent's words: shown as a quotation, and no part of what is approved. */
  reason?: string;
  /** “Approve” and “Reject” when absent. */
  options?: readonly string[];
  /** Those of `options` that approve; the others reject. Names the first of the options when absent. */
  approving?: readonly string[];
  /** Epoch ms; what the action's policy says when absent, 24 hours from now by default. */
  expiresAt?: number;
}

/** `why` is in words for whoever asked. `known`: the same was asked before, and nobody is asked again. */
export type Requested = { kind: 'asked' | 'known'; id: ApprovalId; code: string } | { kind: 'refused'; why: string };

/** How it ended: an admin chose, or nobody did in time, or nothing is left to decide (`expired`). */
export type Decision = { kind: 'approved' | 'rejected'; choice: string; by: UserId } | { kind: 'expired' };

/** What approving would do compared with today; the same while nothing that matters changed. */
export type Description =
  /** One line each, in the host's words; what others chose in them has gone through `show.ts`. */
  | { kind: 'possible'; lines: string[] }
  /** `why` is in words for whoever asked. */
  | { kind: 'impossible'; why: string };

export interface CarriedOut {
  /** What came of it, in words for people and the agent that asked. */
  outcome: string;
  /** The outcome is for the agent's next container alone: `after` replaces the one that runs. */
  isForFresh?: boolean;
  /** Runs once the agents that asked have the outcome in their inboxes. A crash may leave it out. */
  after?: () => void;
}

/**
 * Does what follows from a decision, and says in words what came of it. Runs again after a crash: it must be
 * idempotent. A Fault that is retryable is tried again; any other error makes the approval `failed`.
 */
export type ApprovalHandler = (approval: Approval, decision: Decision) => Promise<CarriedOut>;

/** What the host knows of one action. */
export interface ActionRules {
  /** Asked when it is requested and again at the click, in one turn of the event loop with what it guards. */
  describe(payload: ApprovalRequest['payload']): Description;
  carryOut: ApprovalHandler;
}

export type ApprovalTable = Record<ApprovalAction, ActionRules>;

/** Asks an admin. See `Approvals.requestApproval`. */
export type RequestApproval = (request: ApprovalRequest) => Requested;
