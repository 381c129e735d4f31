/**
 * After a crash the transcript may lag behind inbound.db by one commit: what was accepted is not shown,
 * or what ended is shown as under way. Telling the open rows again mends both, and what the ledger lacks with
 * them. Only for open sessions.
 */
import type { MessageId } from '../../shared/ids.ts';
import { parseInboundContent } from '../../shared/messages.ts';
import type { ChatStore } from '../store/chats.ts';
import type { Session } from '../store/sessions.ts';
import type { MessageState, Transcript, TranscriptMessage } from '../store/transcript.ts';
import { describeDelivery } from './delivery-record.ts';
import type { Inboxes } from './inbox.ts';
import type { DeliveryRow, OpenInbound } from './inbox-tables.ts';
import { showToSender } from './peer-copy.ts';

/** Rows told again per session. */
const MAX_RETOLD = 1_000;
/** Of the newest deliveries, these are looked up whether the host heard of their end: more are not made in one commit. */
const MAX_RERECORDED = 200;

/** Returns what is still under way, as the transcript had it. */
export function retellSession(
  session: Session,
  inboxes: Inboxes,
  transcript: Transcript,
  chats: ChatStore,
): TranscriptMessage[] {
  const unsettled = transcript.listUnsettled(session.id, MAX_RETOLD);
  const { open, changes, ended } = inboxes.read(session, (tables) => ({
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
      return [{ id: message.id, state, reason, platformMessageId, delivery }];
    }),
    ended: tables.listEndedDeliveries(MAX_RERECORDED),
  }));
  for (const row of open) retellRow(session, row, transcript, chats);
  for (const { id, state, reason, platformMessageId, delivery } of changes) {
    if (delivery !== undefined) record(session, delivery, transcript);
    transcript.change(id, { state, stateReason: reason, ...(platformMessageId == null ? {} : { platformMessageId }) });
    if (state === 'answered' || state === 'failed') showToSender(transcript, id, { state, stateReason: reason });
  }
  // Edits, reactions, requests, and what was refused at once: no row of the transcript says that they were told.
  for (const row of ended) {
    if (transcript.peek(row.messageOutId as MessageId) === null) record(session, row, transcript);
  }
  const settled = new Set(changes.map(({ id }) => id));
  return unsettled.filter(({ id }) => !settled.has(id));
}

/** What decided it is not known any more. */
function record(session: Session, row: DeliveryRow, transcript: Transcript): void {
  transcript.record(describeDelivery(session, row, { isRetold: true }), row.updatedAt, 'delivery.');
}

interface Settled {
  id: MessageId;
  state: MessageState;
  reason: string | null;
  platformMessageId?: string | null;
  delivery?: DeliveryRow;
}

function retellRow(session: Session, row: OpenInbound, transcript: Transcript, chats: ChatStore): void {
  if (row.kind === 'system') return;
  const content = parseInboundContent(row.content);
  if (!content.ok) return;
  const chat = row.channelType === null || row.platformId === null ? null : chats.find(row.channelType, row.platformId);
  transcript.put(
    {
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
    },
    { actor: row.senderId, detail: { isRetold: true } },
  );
}
