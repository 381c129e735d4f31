/** The central database and one store per table of it. */
import { join } from 'node:path';
import type { Closers } from '../closers.ts';
import { type HomePaths, projectRoot } from '../config/home.ts';
import { AccessRuleStore } from '../store/access-rules.ts';
import { AgentRoutes } from '../store/agent-routes.ts';
import { AgentStore } from '../store/agents.ts';
import { ApprovalPolicyStore } from '../store/approval-policies.ts';
import { ApprovalVoices } from '../store/approval-voices.ts';
import { ApprovalStore } from '../store/approvals.ts';
import { BudgetStore } from '../store/budgets.ts';
import { ChatStore } from '../store/chats.ts';
import { ConfigHistoryStore } from '../store/config-history.ts';
import { openCentralDb } from '../store/database.ts';
import { DestinationStore } from '../store/destinations.ts';
import { DroppedStore } from '../store/dropped.ts';
import { EgressLogStore } from '../store/egress-log.ts';
import { HeldStore } from '../store/held.ts';
import { IdentityCodeStore } from '../store/identity-codes.ts';
import { ImageBuildStore } from '../store/image-builds.ts';
import { Ledger } from '../store/ledger.ts';
import { LedgerSearch } from '../store/ledger-search.ts';
import { LoginStore } from '../store/logins.ts';
import { McpReportStore } from '../store/mcp-reports.ts';
import { ModelCallStore } from '../store/model-calls.ts';
import { ModelPriceStore } from '../store/model-prices.ts';
import { PeerStore } from '../store/peers.ts';
import { PersonStore } from '../store/persons.ts';
import { QuestionStore } from '../store/questions.ts';
import { ReadMarkStore } from '../store/read-marks.ts';
import { SecretUseStore } from '../store/secret-uses.ts';
import { SecretStore } from '../store/secrets.ts';
import { ServiceStore } from '../store/services.ts';
import { SessionStore } from '../store/sessions.ts';
import { SettingsStore } from '../store/settings.ts';
import { TaskFiringStore } from '../store/task-firings.ts';
import { TaskStore } from '../store/tasks.ts';
import { Transcript } from '../store/transcript.ts';
import { TurnedAwayStore } from '../store/turned-away.ts';
import { Unchanged } from '../store/unchanged.ts';
import { UserStore } from '../store/users.ts';
import { VisibleStore } from '../store/visible.ts';
import { WiringStore } from '../store/wirings.ts';

export type Stores = ReturnType<typeof openStores>;

/** Closes the transcript, which commits what it was told, before the database. Throws Fault `database_newer`, `database_unusable`. */
export function openStores(paths: HomePaths, closers: Closers) {
  const db = openCentralDb(paths.centralDb, join(projectRoot(), 'migrations', 'central'));
  closers.add(() => {
    db.close();
  });
  const transcript = new Transcript(db);
  closers.add(() => transcript.close());
  return {
    /** Runs the work in one transaction of the central database. */
    commit: <T>(work: () => T): T => db.transaction(work)(),
    settings: new SettingsStore(db),
    agents: new AgentStore(db),
    configHistory: new ConfigHistoryStore(db),
    mcpReports: new McpReportStore(db),
    agentRoutes: new AgentRoutes(db),
    chats: new ChatStore(db),
    wirings: new WiringStore(db),
    destinations: new DestinationStore(db),
    users: new UserStore(db),
    persons: new PersonStore(db),
    identityCodes: new IdentityCodeStore(db),
    visible: new VisibleStore(db),
    accessRules: new AccessRuleStore(db),
    egressLog: new EgressLogStore(db),
    modelCalls: new ModelCallStore(db),
    modelPrices: new ModelPriceStore(db),
    budgets: new BudgetStore(db),
    sessions: new SessionStore(db),
    peers: new PeerStore(db),
    tasks: new TaskStore(db),
    taskFirings: new TaskFiringStore(db),
    dropped: new DroppedStore(db),
    questions: new QuestionStore(db),
    approvals: new ApprovalStore(db),
    approvalPolicies: new ApprovalPolicyStore(db),
    approvalVoices: new ApprovalVoices(db),
    held: new HeldStore(db),
    turnedAway: new TurnedAwayStore(db),
    imageBuilds: new ImageBuildStore(db),
    services: new ServiceStore(db),
    secrets: new SecretStore(db),
    secretUses: new SecretUseStore(db),
    ledger: new Ledger(db),
    ledgerSearch: new LedgerSearch(db),
    logins: new LoginStore(db),
    readMarks: new ReadMarkStore(db),
    transcript,
    unchanged: new Unchanged(db),
  };
}
