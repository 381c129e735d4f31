/**
 * After a crash the transcript may lag behind inbound.db by one commit: what was accepted is not shown,
 * or what ended is shown as under way. Telling the open rows again mends both. Only for open sessions.
 */
import type { MessageId } from '../../shared/ids.ts';
import { parseInboundContent } from '../../shared/messages.ts';
import type { ChatStore } from '../store/chats.ts';
import type { Session } from '../store/sessions.ts';
import type { MessageState, Transcript, TranscriptMessage } from '../store/transcript.ts';
import type { Inboxes } from './inbox.ts';
import type { OpenInbound } from './inbox-tables.ts';
import { showToSender } from './peer-copy.ts';

/** Rows told again per session. */
const MAX_RETOLD = 1_000;

/** Returns what is still under way, as the transcript had it. */
export function retellSession(
  session: Session,
  inboxes: Inboxes,
  transcript: Transcript,
  chats: ChatStore,
): TranscriptMessage[] {
  const unsettled = transcript.listUnsettled(session.id, MAX_RETOLD);
  const { open, changes } = inboxes.read(session, (tables) => ({
    open: tables.listOpen(MAX_RETOLD),
    changes: unsettled.flatMap((message): Settled[] => {
      if (message.direction === 'in') {
        const status = tables.getStatus(message.id);
        if (status === 'done') return [{ id: message.id, state: 'answered', reason: null }];
        if (status === 'failed') return [{ id: message.id, state: 'failed', reason: message.stateReason }];
        return [];
      }
      const delivery = tables.getDelivery(message.id);
      if (delivery === null || delivery.state === message.state) return [];
      const { state, reason, platformMessageId } = delivery;
      return [{ id: message.id, state, reason, platformMessageId }];
    }),
  }));
  for (const row of open) retellRow(session, row, transcript, chats);
  for (const { id, state, reason, platformMessageId } of changes) {
    transcript.change(id, { state, stateReason: reason, ...(platformMessageId == null ? {} : { platformMessageId }) });
    if (state === 'answered' || state === 'failed') showToSender(transcript, id, { state, stateReason: reason });
  }
  const settled = new Set(changes.map(({ id }) => id));
  return unsettled.filter(({ id }) => !settled.has(id));
}

interface Settled {
  id: MessageId;
  state: MessageState;
  reason: string | null;
  platformMessageId?: string | null;
}

function retellRow(session: Session, row: OpenInbound, transcript: Transcript, chats: ChatStore): void {
  if (row.kind === 'system') return;
  const content = parseInboundContent(row.content);
  if (!content.ok) return;
  const chat = row.channelType === null || row.platformId === null ? null : chats.find(row.channelType, row.platformId);
  transcript.put({
    id: row.id,
    sessionId: session.id,
    messagingGroupId: chat?.id ?? null,
    threadId: row.threadId,
    direction: 'in',
    kind: row.kind,
    authorId: row.senderId,
    authorName: content.value.senderName,
    destination: null,
    text: content.value.text,
    attachments: content.value.attachments,
    inReplyTo: null,
    state: row.trigger ? 'queued' : 'context',
    stateReason: null,
    clientId: null,
    traceId: row.traceId,
    stamps: {},
    createdAt: row.timestamp,
  });
}
