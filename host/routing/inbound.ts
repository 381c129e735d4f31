/** What a channel hands to routing, and what it hears back. */
import type { MessageId, SessionId, UserId } from '../../shared/ids.ts';

export interface InboundFile {
  /** As the platform named it: untrusted. */
  name: string;
  contentType: string;
  sizeBytes: number;
  /** A file of the host's own staging folder; routing copies it and leaves it. */
  path: string;
}

export interface InboundEvent {
  channelType: string;
  platformId: string;
  threadId: string | null;
  senderId: UserId;
  senderName: string;
  text: string;
  files: InboundFile[];
  /** The platform said that the bot is addressed: a mention, a reply to it, a private chat. */
  isMention: boolean;
  isPrivate: boolean;
  /** The platform's id of this message, null when it has none: reactions, edits and replies name it. */
  platformMessageId: string | null;
  /** The platform's id of the message that this one answers. */
  replyToPlatformId: string | null;
  /** This host is the platform: the message's id here is its id there. */
  hostIsPlatform?: boolean;
  /** What the platform calls the chat: untrusted, for a chat that the host does not know yet. */
  chatName?: string;
  /** The platform's own id, or the id that the sender's program made: a repeated event is the same message. */
  clientId: string | null;
  /** When the channel got it, from `stampNow`. */
  receivedAt: number;
}

export interface RoutedMessage {
  sessionId: SessionId;
  messageId: MessageId;
  /** Whether the agent is woken for it; false for context that rides along later. */
  engaged: boolean;
  /** This event was routed before; nothing was written now. */
  repeated: boolean;
}

/** The channel may tell its platform "ok" only after this resolves: everything in it is committed (I8). */
export type ReceiveOutcome =
  | { kind: 'routed'; messages: RoutedMessage[] }
  /** A command, of which nothing is kept in this chat. `tell` is its answer. */
  | { kind: 'answered'; reason: 'command'; tell: string }
  /** Policy said no, and it is recorded. `tell` is for the person, when they should hear of it. */
  | { kind: 'dropped'; reason: string; tell: string | null }
  /** Kept until an admin has decided: it is received then, without the channel. `tell` comes once, not per message. */
  | { kind: 'held'; reason: 'unknown_sender' | 'unwired'; tell: string | null };

/** Throws Fault `disk_full`, `session_busy`, `session_quarantined`: not accepted, the platform keeps it. */
export type Receive = (event: InboundEvent) => Promise<ReceiveOutcome>;
