/** The rows of the two session databases as the runner's own types. */
import type { Attachment, InboundContent, InboundKind, OutboundContent } from '../../shared/messages.ts';
import { AGENT_CHANNEL, type Destination } from '../../shared/protocol.ts';
import type { Request } from '../../shared/requests.ts';

/** Where a message comes from or goes to. */
export interface Route {
  channelType: string | null;
  platformId: string | null;
  threadId: string | null;
}

export interface InboundMessage extends Route {
  id: string;
  seq: number;
  kind: InboundKind;
  /** Epoch ms. */
  timestamp: number;
  tries: number;
  isTrigger: boolean;
  sourceSessionId: string | null;
  inReplyTo: string | null;
  traceId: string;
  content: InboundContent;
}

export type OutboundBody =
  | { kind: 'chat'; content: { text: string; attachments: Attachment[] } }
  | { kind: 'edit'; content: { messageId: string; text: string } }
  | { kind: 'reaction'; content: { messageId: string; emoji: string } }
  | Extract<OutboundContent, { kind: 'question' }>
  | { kind: 'request'; content: Request };

/** A row for messages_out before it has its place in the sequence. */
export interface Draft extends Route {
  /** Local name of the destination; null for a request, or when the chat is not in the chart. */
  destination: string | null;
  inReplyTo: string | null;
  traceId: string | null;
  body: OutboundBody;
}

export interface SentRow extends Draft {
  id: string;
  seq: number;
}

export function routeOf(destination: Destination): { channelType: string; platformId: string } {
  return destination.type === 'channel'
    ? { channelType: destination.channelType, platformId: destination.platformId }
    : { channelType: AGENT_CHANNEL, platformId: destination.agentGroupId };
}

/** Whether the message came from, or goes to, this destination. Threads live inside a destination. */
export function isAt(route: Omit<Route, 'threadId'>, destination: Destination): boolean {
  const target = routeOf(destination);
  return route.channelType === target.channelType && route.platformId === target.platformId;
}

/** Written by a person in a chat, so it must never end in silence. */
export function isFromPerson(message: InboundMessage): boolean {
  return message.kind === 'chat' && message.sourceSessionId === null && message.channelType !== AGENT_CHANNEL;
}
