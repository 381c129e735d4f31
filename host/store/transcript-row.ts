/** A row of `messages`, and the message that it is. */
import type { MessageId, MessagingGroupId, SessionId, TraceId, UserId } from '../../shared/ids.ts';
import type { MessageState, TranscriptKind, TranscriptMessage } from './transcript.ts';

export interface MessageRow {
  position: number;
  id: string;
  revision: number;
  session_id: string;
  messaging_group_id: string;
  thread_id: string;
  direction: 'in' | 'out';
  kind: TranscriptKind;
  author_id: string | null;
  author_name: string;
  destination: string | null;
  text: string;
  attachments: string;
  reactions: string;
  in_reply_to: string | null;
  state: MessageState;
  state_reason: string | null;
  platform_message_id: string | null;
  client_id: string | null;
  trace_id: string;
  stamps: string;
  created_at: number;
  edited_at: number | null;
  only_for: string | null;
}

export function toMessage(row: MessageRow): TranscriptMessage {
  return {
    position: row.position,
    revision: row.revision,
    id: row.id as MessageId,
    sessionId: row.session_id as SessionId,
    messagingGroupId: row.messaging_group_id === '' ? null : (row.messaging_group_id as MessagingGroupId),
    threadId: row.thread_id === '' ? null : row.thread_id,
    direction: row.direction,
    kind: row.kind,
    authorId: row.author_id,
    authorName: row.author_name,
    destination: row.destination,
    text: row.text,
    attachments: JSON.parse(row.attachments),
    reactions: JSON.parse(row.reactions),
    inReplyTo: row.in_reply_to === null ? null : (row.in_reply_to as MessageId),
    state: row.state,
    stateReason: row.state_reason,
    platformMessageId: row.platform_message_id,
    clientId: row.client_id,
    traceId: row.trace_id as TraceId,
    stamps: JSON.parse(row.stamps),
    createdAt: row.created_at,
    editedAt: row.edited_at,
    onlyFor: row.only_for as UserId | null,
  };
}
