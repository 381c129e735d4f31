/** What the API answers, as the page uses it: the API's own types, so that a change there is seen here. */
import type { z } from 'zod';
import type { AccessRuleResource, EgressEntryResource } from '../../api/access-schemas.ts';
import type { Build } from '../../api/build-schemas.ts';
import type { AgentConfig, AgentConfigChange, AgentConfigDiff, AgentMount } from '../../api/config-schemas.ts';
import type { AgentProvider, Providers, ProviderTest, providerBody } from '../../api/provider-schemas.ts';
import type {
  Agent,
  Approval,
  Destination,
  Dropped,
  LedgerCheck,
  LedgerEntry,
  Me,
  Message,
  Person,
  Refusal,
  Session,
  SessionState,
  SignInLink,
  Task,
  Trace,
  VaultStatus,
  Why,
} from '../../api/schemas.ts';
import type { Secret, SecretSet, Service } from '../../api/secret-schemas.ts';
import type { BudgetResource, PriceResource, UsageReportResource, UsageRowResource } from '../../api/usage-schemas.ts';
import type { UsageSumResource } from '../../api/usage-sums.ts';
import { isRecord } from './fault.ts';

export type {
  Agent,
  AgentConfig,
  AgentConfigChange,
  AgentConfigDiff,
  AgentMount,
  AgentProvider,
  Approval,
  Build,
  Destination,
  Dropped,
  LedgerCheck,
  LedgerEntry,
  Me,
  Message,
  Person,
  Providers,
  ProviderTest,
  Refusal,
  Secret,
  SecretSet,
  Service,
  Session,
  SessionState,
  SignInLink,
  Task,
  Trace,
  Why,
};
export type AccessRule = AccessRuleResource;
export type EgressEntry = EgressEntryResource;
export type ProviderChoice = z.input<typeof providerBody>;
export type UsageReport = UsageReportResource;
export type UsageRow = UsageRowResource;
export type UsageSum = UsageSumResource;
export type MessageUsage = NonNullable<Message['usage']>;
export type Budget = BudgetResource;
export type ModelPrice = PriceResource;
export type Vault = VaultStatus;
export type Role = Person['roles'][number];
export type TaskAct = 'pause' | 'resume' | 'cancel';
export type Question = NonNullable<Message['question']>;
export type Attachment = Message['attachments'][number];

export interface Page<T> {
  items: T[];
  nextCursor: string | null;
}

/** Whether parsed JSON is a message, as far as the page's bookkeeping needs it to be. */
export function isMessage(data: unknown): data is Message {
  return (
    isRecord(data) &&
    typeof data.id === 'string' &&
    typeof data.sessionId === 'string' &&
    typeof data.position === 'number' &&
    typeof data.revision === 'number'
  );
}

export function isSession(data: unknown): data is Session {
  return isRecord(data) && typeof data.id === 'string' && typeof data.state === 'string';
}
