/** What the API answers, as the page uses it. */

export type SessionState =
  | 'idle'
  | 'starting'
  | 'running'
  | 'paused'
  | 'stopping'
  | 'waiting'
  | 'failed'
  | 'quarantined';

export type InboundState = 'queued' | 'read' | 'answered' | 'failed' | 'refused' | 'context';
export type OutboundState = 'queued' | 'sending' | 'delivered' | 'failed' | 'refused' | 'unknown' | 'dropped';

export interface Page<T> {
  items: T[];
  nextCursor: string | null;
}

/** Times are epoch milliseconds throughout. */
export interface Session {
  id: string;
  agentId: string;
  agentName: string;
  chatId: string | null;
  channelType: string | null;
  title: string | null;
  threadId: string | null;
  state: SessionState;
  stateReason: string | null;
  typing: boolean;
  unread: number;
  lastMessage: { text: string; at: number; direction: 'in' | 'out' } | null;
  writable: boolean;
  lastActiveAt: number;
  createdAt: number;
  revision: number;
}

export interface Attachment {
  name: string;
  sizeBytes: number;
  contentType: string;
  url: string;
}

export interface Message {
  id: string;
  position: number;
  revision: number;
  sessionId: string;
  chatId: string | null;
  threadId: string | null;
  direction: 'in' | 'out';
  kind: 'chat' | 'task' | 'system';
  author: { id: string | null; name: string };
  destination: string | null;
  text: string;
  attachments: Attachment[];
  inReplyTo: string | null;
  state: InboundState | OutboundState;
  stateReason: string | null;
  reactions: { emoji: string; by: string }[];
  traceId: string;
  createdAt: number;
  editedAt: number | null;
}

export interface Agent {
  id: string;
  name: string;
  provider: string;
  model: string | null;
}

export interface Destination {
  id: string;
  name: string;
  type: string;
  displayName: string | null;
}

export interface Trace {
  stages: { stage: string; at: number; sincePreviousMs: number | null }[];
  replies: { id: string; stages: Trace['stages'] }[];
}

export interface Me {
  userId: string;
}
