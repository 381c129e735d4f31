/** What commands work with, and what they hand on. */
import type { ApprovalId, MessageId, MessagingGroupId, SessionId, UserId } from '../../shared/ids.ts';
import type { Role } from '../access/answer.ts';
import type { UsageReports } from '../budgets/reports.ts';
import type { Spending } from '../egress/model/spending.ts';
import type { PeopleCommands } from '../people/commands.ts';
import type { Speaker as Person } from '../people/speaker.ts';
import type { Inboxes } from '../sessions/inbox.ts';
import type { EndFiring } from '../sessions/settle.ts';
import type { AgentGroup, AgentStore } from '../store/agents.ts';
import type { Approval } from '../store/approvals.ts';
import type { ChatStore, MessagingGroup } from '../store/chats.ts';
import type { DroppedStore } from '../store/dropped.ts';
import type { Ledger } from '../store/ledger.ts';
import type { QuestionStore } from '../store/questions.ts';
import type { Session, SessionStore } from '../store/sessions.ts';
import type { Transcript } from '../store/transcript.ts';
import type { UserStore } from '../store/users.ts';
import type { Wiring, WiringStore } from '../store/wirings.ts';

/** A person's message as a channel handed it over, as far as it can be a command. */
export interface Spoken {
  channelType: string;
  platformId: string;
  threadId: string | null;
  senderId: UserId;
  senderName: string;
  text: string;
  files: readonly unknown[];
  isMention: boolean;
  isPrivate: boolean;
  platformMessageId: string | null;
  /** This host is the platform: the message's id here is its id there. */
  hostIsPlatform?: boolean;
  /** The platform's own id: told twice, it is one command. */
  clientId: string | null;
  /** When the channel got it, epoch ms. */
  receivedAt: number;
}

/** Who gives a command, and where; with what they may, looked up now. */
export interface Speaker extends Person {
  roles: readonly Role[];
}

/** Decisions that wait, and how they are made. */
export interface ApprovalPort {
  /** Newest first. */
  list(limit: number, before: null, state: 'pending'): Approval[];
  /** By the roles that this person has now. */
  mayDecide(id: ApprovalId, by: UserId): boolean;
  /** `words` say what came of it. */
  decideByCode(given: {
    code: string;
    choice: string;
    note: string;
    by: UserId;
    byName: string;
    from: MessagingGroupId | null;
  }): { kind: 'accepted' | 'refused'; words: string };
}

/** What people see of a session's container. */
export interface LiveState {
  state: 'idle' | 'starting' | 'running' | 'paused' | 'stopping' | 'waiting' | 'failed' | 'quarantined';
  reason: string | null;
}

export interface LifePort {
  liveState(session: Session): LiveState;
  /** Ends the run of its container, busy or not. */
  endRun(id: SessionId): void;
  /** Rows were queued or ended. */
  workChanged(id: SessionId): void;
}

export interface CommandParts {
  home: string;
  agents: AgentStore;
  chats: ChatStore;
  wirings: WiringStore;
  users: Pick<UserStore, 'rolesOf' | 'isKnown' | 'isKnownAnywhere' | 'get'>;
  sessions: SessionStore;
  transcript: Transcript;
  inboxes: Inboxes;
  questions: QuestionStore;
  dropped: DroppedStore;
  ledger: Ledger;
  people: PeopleCommands;
  approvals: ApprovalPort;
  usage: Pick<UsageReports, 'ofSession' | 'ofAgent'>;
  spending: Pick<Spending, 'statesFor'>;
  life: LifePort;
  endFiring: EndFiring;
  /** Sends a message of the host's that stands in the transcript. */
  send: (id: MessageId) => void;
  now: () => number;
}

/** An agent that listens where the command was given. */
export interface Listener {
  wiring: Wiring;
  agent: AgentGroup;
  isKnown: boolean;
  /** Hears this person, by the wiring and the chat. */
  isHeard: boolean;
  /** Of this place; null: nobody has talked to it here yet. */
  session: Session | null;
}

/** One command on its way to what it does. */
export interface Call {
  /** The same for the same message, however often it is told. */
  id: MessageId;
  /** What follows the name. */
  rest: string;
  /** As people see it afterwards: without codes. */
  shownText: string;
  spoken: Spoken;
  speaker: Speaker;
  /** Null: the host does not know the chat. */
  chat: MessagingGroup | null;
  /** Highest priority first. */
  listeners: readonly Listener[];
}

export interface CommandMessage {
  sessionId: SessionId;
  messageId: MessageId;
  engaged: boolean;
  /** This command was carried out before. */
  repeated: boolean;
}

export type Reply =
  | { kind: 'said'; text: string }
  /** For want of a right. */
  | { kind: 'refused'; text: string }
  /** What was typed cannot be understood: the answer shows how it is used. */
  | { kind: 'usage'; text: string }
  /** The message is before agents, who answer it; `text` is what the host adds, if anything. */
  | { kind: 'passed'; messages: CommandMessage[]; text: string | null };
