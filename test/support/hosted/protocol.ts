/** What a test and its hosted process say to each other over IPC. JSON both ways. */
import type { OutgoingFile, ProbeOutcome, SendOutcome } from '../../../host/delivery/channel.ts';
import type { ContainerConfig } from '../../../host/store/agents.ts';
import type { TranscriptMessage } from '../../../host/store/transcript.ts';

export type Idempotency = 'native' | 'probe' | 'none';

/** Channel types of the test's platforms, by idempotency class. */
export const CHANNEL_OF: Record<Idempotency, string> = {
  native: 'platform-native',
  probe: 'platform-probe',
  none: 'platform-none',
};

export interface AgentSetUp {
  name: string;
  provider: string;
  /** Null: the host's own. */
  image?: string | null;
  resources?: ContainerConfig['resources'];
}

export interface ChatSetUp {
  agent: string;
  idempotency: Idempotency;
  platformId: string;
}

/**
 * How a process ends: at once, or in order, as a service manager (SIGTERM) or a person at a terminal (SIGINT) asks
 * for it, while everything goes on around it.
 */
export type EndSignal = 'SIGKILL' | 'SIGTERM' | 'SIGINT';

/** Where the process sends itself the signal. */
export type EndPlan = { signal: EndSignal } & (
  | { /** At the `nth` time that it comes to the boundary of this name. */ kind: 'named'; name: string; nth: number }
  | { /** At the `nth` boundary of any name. */ kind: 'counted'; nth: number }
);

export interface HostedOptions {
  home: string;
  driver: 'docker' | 'process';
  image: string;
  pauseAfterMs: number;
  stopAfterMs: number;
  maxRunning: number;
  agents: AgentSetUp[];
  chats: ChatSetUp[];
  /** Pairs of agents: the first knows the second under its name. */
  acquaintances?: [from: string, to: string][];
  /** Boundaries count from the first statement of the start. */
  end: EndPlan | null;
}

/** A file as the channel was handed it: the first bytes of its content, as Latin-1 text. */
export interface SentFile extends Pick<OutgoingFile, 'name' | 'sizeBytes'> {
  head: string;
}

export interface PlatformCall {
  call: number;
  channelType: string;
  platformId: string;
  threadId: string | null;
  key: string;
  text: string;
  files: SentFile[];
}

export interface ReportedSession {
  id: string;
  agent: string;
  agentId: string;
  state: string;
  reason: string | null;
  quarantineReason: string | null;
  runtimeState: string;
  failures: number;
}

/** What a host holds once everything that nobody uses any more is collected. */
export interface MemoryUse {
  rssBytes: number;
  heapBytes: number;
  /** Outside the heap: buffers and what SQLite allocates for JavaScript. */
  externalBytes: number;
}

export interface Report {
  pid: number;
  messages: Pick<
    TranscriptMessage,
    | 'id'
    | 'sessionId'
    | 'direction'
    | 'kind'
    | 'text'
    | 'state'
    | 'stateReason'
    | 'inReplyTo'
    | 'clientId'
    | 'platformMessageId'
  >[];
  sessions: ReportedSession[];
  /** Rows of agents that were refused, newest first, from the ledger. */
  refusals: { sessionId: string | null; reason: string }[];
  /** The first broken link of the ledger's chain, null when it holds. */
  ledgerBreak: unknown;
}

/** What must never change, without all that a report carries: taken often, it must not be what fills the host. */
export interface Vitals extends Pick<Report, 'pid' | 'ledgerBreak'> {}

export type ToHosted =
  | { op: 'receive'; call: number; channelType: string; platformId: string; text: string; clientId: string | null }
  | { op: 'report'; call: number }
  | { op: 'vitals'; call: number }
  | { op: 'sessions'; call: number }
  | { op: 'message'; call: number; messageId: string }
  | { op: 'memory'; call: number }
  | { op: 'quarantine'; call: number; sessionId: string; reason: string }
  | { op: 'census'; call: number }
  | { op: 'sent'; call: number; outcome: SendOutcome }
  | { op: 'probed'; call: number; outcome: ProbeOutcome };

export type FromHosted =
  | { op: 'ready'; tookMs: number }
  | { op: 'done'; call: number; value: unknown }
  | { op: 'refused'; call: number; code: string; message: string }
  | ({ op: 'send' } & PlatformCall)
  | { op: 'probe'; call: number; channelType: string; key: string };
