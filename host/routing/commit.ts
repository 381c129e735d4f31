/** Committing a routed message: session, files, inbox, transcript, in this order. */
import { deriveMessageId, type MessageId, makeId } from '../../shared/ids.ts';
import type { Attachment } from '../../shared/messages.ts';
import { sessionPaths } from '../../shared/session-files.ts';
import { stampNow } from '../../shared/trace.ts';
import { failpoint } from '../observe/failpoint.ts';
import { describeIncoming, placeIncoming } from '../sessions/attachments.ts';
import { ensureSession } from '../sessions/ensure-session.ts';
import type { MessagingGroup } from '../store/chats.ts';
import type { Session, SessionKey } from '../store/sessions.ts';
import type { Heard, NewTranscriptMessage } from '../store/transcript.ts';
import type { InboundEvent, RoutedMessage } from './inbound.ts';
import type { RoutingParts } from './parts.ts';
import type { Route } from './plan.ts';

/** Longest name of a sender; what the runner's schema takes. */
const MAX_SENDER_NAME = 200;

export type HeardRoute = Extract<Route, { kind: 'engage' | 'accumulate' }>;

/** Puts a message before one agent. Throws Fault, and what the disk throws: then nothing of it counts. */
export async function commitMessage(
  parts: RoutingParts,
  event: InboundEvent,
  chat: MessagingGroup,
  route: HeardRoute & { heard: Heard },
  routedAt: number,
): Promise<RoutedMessage> {
  const { inboxes, sessions, transcript, wake, now } = parts;
  const session = engageSession(parts, route.session, chat, event);
  const engaged = route.kind === 'engage';
  const messageId =
    event.clientId === null ? makeId('message', now()) : deriveMessageId(session.id, 'from', event.clientId);
  const traceId = makeId('trace', now());
  const attachments = await placeFiles(parts, session, messageId, event);
  const timestamp = Math.floor(event.receivedAt);
  const inReplyTo =
    event.replyToPlatformId === null
      ? null
      : (transcript.findByPlatformId(chat.id, event.replyToPlatformId, session.id)?.id ?? null);
  failpoint('routing.before-commit');
  const added = await inboxes.commit(session, (tables) =>
    tables.append([
      {
        id: messageId,
        kind: 'chat',
        timestamp,
        processAfter: null,
        trigger: engaged,
        onWake: false,
        channelType: event.channelType,
        platformId: event.platformId,
        threadId: event.threadId,
        senderId: event.senderId,
        sourceSessionId: null,
        inReplyTo,
        hop: 0,
        traceId,
        content: JSON.stringify({
          text: event.text,
          senderName: event.senderName.slice(0, MAX_SENDER_NAME),
          attachments,
        }),
      },
    ]),
  );
  const committedAt = stampNow();
  // It may have been closed while files were placed; what is committed must be found after a crash.
  if (sessions.get(session.id)?.isOpen === false) sessions.markOpen(session.id, now());
  failpoint('routing.committed');
  if (engaged) wake(session.id);
  const shown: NewTranscriptMessage = {
    id: messageId,
    sessionId: session.id,
    messagingGroupId: chat.id,
    threadId: event.threadId,
    direction: 'in',
    kind: 'chat',
    authorId: event.senderId,
    authorName: event.senderName,
    destination: null,
    text: event.text,
    attachments,
    inReplyTo,
    state: engaged ? 'queued' : 'context',
    stateReason: null,
    platformMessageId: event.platformMessageId ?? (event.hostIsPlatform === true ? messageId : null),
    clientId: event.clientId,
    traceId,
    stamps: {
      received: event.receivedAt,
      routed: routedAt,
      committed: committedAt,
      ...(engaged ? { woken: stampNow() } : {}),
    },
    createdAt: timestamp,
  };
  transcript.put(shown, route.heard);
  return { sessionId: session.id, messageId, engaged, repeated: added === 0 };
}

/** The session of this key; a mention or a private chat engages it, for wirings that follow. */
function engageSession(parts: RoutingParts, key: SessionKey, chat: MessagingGroup, event: InboundEvent): Session {
  const session = ensureSession(parts, key, chat.name, parts.now());
  if (session.engagedAt === null && (event.isMention || event.isPrivate)) {
    parts.sessions.markEngaged(session.id, parts.now());
  }
  return session;
}

async function placeFiles(
  parts: RoutingParts,
  session: Session,
  messageId: MessageId,
  event: InboundEvent,
): Promise<Attachment[]> {
  if (event.files.length === 0) return [];
  const files = await describeIncoming(event.files);
  const paths = sessionPaths(parts.home, session.agentGroupId, session.id);
  await placeIncoming(paths, messageId, files);
  return files.map((file) => file.attachment);
}
