/**
 * What the API answers, typed by the schemas of its routes. Types alone: the schemas themselves would load
 * zod, which takes longer than a whole command. Times are epoch ms.
 */
import type * as access from '../../console/api/access-schemas.ts';
import type * as builds from '../../console/api/build-schemas.ts';
import type * as configs from '../../console/api/config-schemas.ts';
import type * as providers from '../../console/api/provider-schemas.ts';
import type * as schemas from '../../console/api/schemas.ts';
import type * as secrets from '../../console/api/secret-schemas.ts';
import type * as usage from '../../console/api/usage-schemas.ts';
import type * as usageSums from '../../console/api/usage-sums.ts';

export type Status = schemas.Status;
export type Vault = schemas.VaultStatus;
export type Secret = secrets.Secret;
export type SecretSet = secrets.SecretSet;
export type SecretUse = secrets.SecretUse;
export type Service = secrets.Service;
export type UsageReport = usage.UsageReportResource;
export type UsageRow = usage.UsageRowResource;
export type UsageSum = usageSums.UsageSumResource;
export type Budget = usage.BudgetResource;
export type BudgetKey = Pick<Budget, 'scope' | 'subject' | 'period' | 'unit'>;
export type ModelPrice = usage.PriceResource;
export type Build = builds.Build;
export type AgentImage = builds.AgentImage;
export type Agent = schemas.Agent;
export type AgentConfig = configs.AgentConfig;
export type AgentConfigRevision = configs.AgentConfigRevision;
export type AgentConfigChange = configs.AgentConfigChange;
export type AgentConfigDiff = configs.AgentConfigDiff;
export type Providers = providers.Providers;
export type AgentProvider = providers.AgentProvider;
export type ProviderTest = providers.ProviderTest;
export type ServiceModels = providers.ServiceModels;
export type AgentMount = configs.AgentMount;
export type AllowedMounts = configs.AllowedMounts;
export type Chat = schemas.Chat;
export type Wiring = schemas.Wiring;
export type Destination = schemas.Destination;
export type AgentRemoval = schemas.AgentRemoval;
export type Refusal = schemas.Refusal;
export type LedgerEntry = schemas.LedgerEntry;
export type Why = schemas.Why;
export type Session = schemas.Session;
export type SessionState = Session['state'];
export type Message = schemas.Message;
export type MessageState = Message['state'];
export type Approval = schemas.Approval;
export type ApprovalDetail = schemas.ApprovalDetail;
export type ApprovalPolicy = schemas.ApprovalPolicy;
export type Attachment = Message['attachments'][number];
export type Task = schemas.Task;
export type TaskDetail = schemas.TaskDetail;
export type Trace = schemas.Trace;
export type TraceStage = Trace['stages'][number];
export type DroppedMessages = schemas.Dropped;
export type AccessRule = access.AccessRuleResource;
export type EgressEntry = access.EgressEntryResource;
export type SignIn = schemas.SignIn;
export type Person = schemas.Person;
export type SignInLink = schemas.SignInLink;

export interface Page<T> {
  items: T[];
  nextCursor: string | null;
}

/** In the order in which people read them. A record, so that the compiler misses none. */
const STATE_ORDER: Record<SessionState, number> = {
  running: 0,
  starting: 1,
  waiting: 2,
  paused: 3,
  stopping: 4,
  idle: 5,
  failed: 6,
  quarantined: 7,
};
export const SESSION_STATES = Object.keys(STATE_ORDER);

export function isSessionState(text: string): text is SessionState {
  return Object.hasOwn(STATE_ORDER, text);
}
