/** What the API needs of the rest of the host; `host.ts` hands it in. */
import type { AgentGroupId, MessageId, SessionId, UserId } from '../../../shared/ids.ts';
import type { AccessRules } from '../../agents/access/rules.ts';
import type { AgentConfigs } from '../../agents/config/configs.ts';
import type { AgentMaker } from '../../agents/maker.ts';
import type { Mounts } from '../../agents/mounts/mounts.ts';
import type { Removals } from '../../agents/removals.ts';
import type { Approvals } from '../../approvals/apply.ts';
import type { BudgetChanges } from '../../budgets/changes.ts';
import type { UsageReports } from '../../budgets/reports.ts';
import type { Assignments } from '../../egress/assignments.ts';
import type { Credentials } from '../../egress/credentials.ts';
import type { EgressLog } from '../../egress/egress-log.ts';
import type { MeteredDoor } from '../../egress/model/metered-door.ts';
import type { Services } from '../../egress/services.ts';
import type { ImageBuilds } from '../../images/images.ts';
import type { People } from '../../people/apply.ts';
import type { Questions } from '../../questions/apply.ts';
import type { Receive } from '../../routing/inbound.ts';
import type { Prober } from '../../runtime/probe/prober.ts';
import type { TaskRequests } from '../../schedule/requests.ts';
import type { SessionRef } from '../../sessions/inbox.ts';
import type { AgentStore } from '../../store/agents.ts';
import type { ApprovalStore } from '../../store/approvals.ts';
import type { ChatStore } from '../../store/chats.ts';
import type { ConfigHistoryStore } from '../../store/config-history.ts';
import type { DestinationStore } from '../../store/destinations.ts';
import type { DroppedStore } from '../../store/dropped.ts';
import type { EgressLogStore } from '../../store/egress-log.ts';
import type { Ledger } from '../../store/ledger.ts';
import type { LedgerSearch } from '../../store/ledger-search.ts';
import type { LoginStore } from '../../store/logins.ts';
import type { McpReportStore } from '../../store/mcp-reports.ts';
import type { ModelCallStore } from '../../store/model-calls.ts';
import type { ModelPriceStore } from '../../store/model-prices.ts';
import type { ReadMarkStore } from '../../store/read-marks.ts';
import type { Session, SessionStore } from '../../store/sessions.ts';
import type { TaskFiringStore } from '../../store/task-firings.ts';
import type { TaskStore } from '../../store/tasks.ts';
import type { Transcript } from '../../store/transcript.ts';
import type { UserStore } from '../../store/users.ts';
import type { VisibleStore } from '../../store/visible.ts';
import type { WiringStore } from '../../store/wirings.ts';
import type { Vault } from '../../vault/vault.ts';
import type { Feed } from './feed.ts';
import type { SessionState, Status } from './schemas.ts';

/** What people see of a session's container. */
export interface LiveState {
  state: SessionState;
  reason: string | null;
  /** With `waiting`: when it tries again, epoch ms; null when that depends on others. */
  untilMs: number | null;
}

export interface SessionControl {
  liveState(session: Session): LiveState;
  /** Stops the container; it starts again with the next message. */
  stop(id: SessionId): Promise<void>;
  /** Out of quarantine or failure: the session may start again. */
  release(id: SessionId, by: UserId): Promise<void>;
}

export interface DeliveryControl {
  resend(ref: SessionRef, messageId: MessageId, by: UserId): Promise<'queued' | 'not-possible'>;
  drop(ref: SessionRef, messageId: MessageId, by: UserId): Promise<'dropped' | 'not-possible'>;
}

export interface ApiParts {
  installId: string;
  /** Who comes in by the Unix socket or with the bearer token. */
  owner: UserId;
  home: string;
  uploads: string;
  /** dist/web, or null when there is no page. */
  webFolder: string | null;
  agents: AgentStore;
  chats: ChatStore;
  wirings: WiringStore;
  destinations: DestinationStore;
  users: UserStore;
  visible: VisibleStore;
  sessions: SessionStore;
  tasks: TaskStore;
  taskFirings: TaskFiringStore;
  taskRequests: TaskRequests;
  dropped: DroppedStore;
  ledger: Pick<Ledger, 'listRefusals' | 'get' | 'append' | 'head' | 'verify' | 'listAbout' | 'firstOf'>;
  ledgerSearch: LedgerSearch;
  approvals: Pick<ApprovalStore, 'findByRequest'>;
  /** Runs the work in one transaction of the central database. */
  commit: <T>(work: () => T) => T;
  transcript: Transcript;
  logins: LoginStore;
  readMarks: ReadMarkStore;
  feed: Feed;
  receive: Receive;
  control: SessionControl;
  deliveries: DeliveryControl;
  asked: Pick<Questions, 'get' | 'answer'>;
  decisions: Pick<
    Approvals,
    | 'get'
    | 'findByCode'
    | 'list'
    | 'listVotes'
    | 'mayDecide'
    | 'lostRight'
    | 'askerOf'
    | 'decide'
    | 'whereAsked'
    | 'policies'
  >;
  maker: Pick<AgentMaker, 'make'>;
  people: Pick<People, 'get' | 'list' | 'grant' | 'revoke' | 'join' | 'part'>;
  removals: Pick<Removals, 'remove' | 'restore'>;
  configs: AgentConfigs;
  mounts: Pick<Mounts, 'allowed' | 'check'>;
  images: Pick<ImageBuilds, 'ensure' | 'imageFor' | 'retry' | 'get' | 'list' | 'logOf'>;
  /** Agents' tools stay in containers: not with the process driver. */
  isConfined: boolean;
  credentials: Pick<Credentials, 'credentialFor'>;
  prober: Pick<Prober, 'test' | 'listModels'>;
  reports: McpReportStore;
  vault: Vault;
  services: Services;
  assignments: Assignments;
  access: Pick<AccessRules, 'list' | 'allow' | 'remove'>;
  egressLog: Pick<EgressLogStore, 'page'>;
  egressTail: Pick<EgressLog, 'onRow'>;
  configHistory: ConfigHistoryStore;
  modelCalls: Pick<ModelCallStore, 'ofMessages'>;
  modelPrices: Pick<ModelPriceStore, 'list'>;
  modelDoor: Pick<MeteredDoor, 'spending'>;
  budgetChanges: BudgetChanges;
  usage: UsageReports;
  /** Creates a chat of this channel with an agent: messaging group, wiring, destination and session. */
  openChat(agentId: AgentGroupId, channel: 'web' | 'terminal', title: string | undefined, by: UserId): Session | null;
  /** Charts of running containers follow at once. */
  onDestinationsChanged(agentId: AgentGroupId): void;
  status(): Promise<Status>;
  metrics(): Promise<string>;
  ready(): { ok: boolean; reason: string | null };
  /** A folder where files that channels of this host sent are kept, by message id. */
  sentFiles: string;
  shutdown(): void;
  now(): number;
}
