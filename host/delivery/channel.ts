/**
 * What a channel is to delivery. A channel translates; it decides nothing about who may send where.
 *
 * Idempotency classes (what to do with a send whose answer was lost):
 *   native  the platform takes a key: send again with the same key
 *   probe   ask the platform whether it has the message, then decide
 *   none    never send again blindly: the delivery becomes `unknown`, a person decides
 */
import type { MessageId } from '../../shared/ids.ts';

/** A place on a platform: a chat, and a thread in it when the platform has them. */
export interface ChannelAddress {
  platformId: string;
  threadId: string | null;
}

export interface OutgoingFile {
  name: string;
  sizeBytes: number;
  contentType: string;
  /** A copy that the host made and owns; readable until the send resolves. */
  path: string;
}

/** A question with its answers to choose from. */
export interface OutgoingQuestion {
  title: string;
  question: string;
  options: string[];
}

export interface OutgoingMessage {
  messageId: MessageId;
  /** The same for every attempt of this message. */
  idempotencyKey: string;
  address: ChannelAddress;
  text: string;
  /** With `canAsk` alone: shown as buttons under `text`, which names no options then. A click is the option's text. */
  question: OutgoingQuestion | null;
  files: OutgoingFile[];
  /** Platform id of the message this answers, when the platform knows it. */
  replyToPlatformId: string | null;
}

/** How a call of the platform ended. A thrown error counts as `retryable` with an unknown outcome. */
export type SendOutcome =
  | { kind: 'sent'; platformMessageId: string | null }
  /** Certainly not sent; try again after the time the platform named, if any. */
  | { kind: 'retry'; reason: string; retryAfterMs: number | null }
  /** May or may not have been sent: settled by the idempotency class. */
  | { kind: 'uncertain'; reason: string }
  | { kind: 'rejected'; reason: string };

export type ProbeOutcome =
  | { kind: 'present'; platformMessageId: string | null }
  | { kind: 'missing' }
  | { kind: 'cannot-tell' };

export interface ChannelAbilities {
  idempotency: 'native' | 'probe' | 'none';
  canEdit: boolean;
  canReact: boolean;
  /** Null: it has no typing sign. `lifetimeMs`: the platform takes the sign away after that; null: it stays until told. */
  typing: { lifetimeMs: number | null } | null;
  /** Has buttons. Elsewhere a question is text with numbers. */
  canAsk: boolean;
}

export interface Channel {
  readonly type: string;
  readonly abilities: ChannelAbilities;
  send(message: OutgoingMessage, signal: AbortSignal): Promise<SendOutcome>;
  edit?(address: ChannelAddress, platformMessageId: string, text: string, signal: AbortSignal): Promise<SendOutcome>;
  react?(address: ChannelAddress, platformMessageId: string, emoji: string, signal: AbortSignal): Promise<SendOutcome>;
  /** Only with idempotency 'probe'. */
  probe?(address: ChannelAddress, idempotencyKey: string, signal: AbortSignal): Promise<ProbeOutcome>;
  /** A sign, never waited for; said again while it lasts when its lifetime is short. */
  setTyping?(address: ChannelAddress, typing: boolean): void;
}
