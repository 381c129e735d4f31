/**
 * Receiving a message: loads the facts, asks `planRouting`, and commits.
 *
 * I1. The platform hears "ok" only after every row is committed (I8 of the architecture).
 * I2. An event with a `clientId` makes the same message ids each time: told twice, it is one message.
 */
import { deriveMessageId, type MessageId, makeId, type SessionId } from '../../shared/ids.ts';
import { MAX_TEXT_BYTES } from '../../shared/limits.ts';
import type { Attachment } from '../../shared/messages.ts';
import { sessionPaths } from '../../shared/session-files.ts';
import { stampNow } from '../../shared/trace.ts';
import { assertNever, errorCode, Fault } from '../config/errors.ts';
import { failpoint } from '../observe/failpoint.ts';
import { routingLog } from '../observe/logger.ts';
import { placeIncoming, safeFileNames } from '../sessions/attachments.ts';
import type { FreeDisk } from '../sessions/disk.ts';
import { ensureSession } from '../sessions/ensure-session.ts';
import type { Inboxes } from '../sessions/inbox.ts';
import type { ChatStore, MessagingGroup } from '../store/chats.ts';
import type { DroppedStore } from '../store/dropped.ts';
import type { Session, SessionKey, SessionStore } from '../store/sessions.ts';
import type { Transcript } from '../store/transcript.ts';
import type { UserStore } from '../store/users.ts';
import type { WiringStore } from '../store/wirings.ts';
import type { InboundEvent, ReceiveOutcome, RoutedMessage } from './inbound.ts';
import { matchPattern } from './pattern.ts';
import { planRouting, planSessionKey, type Route } from './plan.ts';

export interface RoutingParts {
  home: string;
  chats: ChatStore;
  wirings: WiringStore;
  users: UserStore;
  sessions: SessionStore;
  dropped: DroppedStore;
  transcript: Transcript;
  inboxes: Inboxes;
  disk: FreeDisk;
  /** The session has work: make sure that a container runs. */
  wake: (id: SessionId) => void;
  now: () => number;
}

/** Longest name of a sender; what the runner's schema takes. */
const MAX_SENDER_NAME = 200;

type Heard = Extract<Route, { kind: 'engage' | 'accumulate' }>;

export class Router {
  readonly #parts: RoutingParts;

  constructor(parts: RoutingParts) {
    this.#parts = parts;
  }

  /** Throws Fault `disk_full`, `message_too_long`, `session_busy`, `session_corrupt`: not accepted, the platform keeps it. */
  async receive(event: InboundEvent): Promise<ReceiveOutcome> {
    const { chats, disk } = this.#parts;
    if (!disk.hasRoom()) {
      throw diskFull();
    }
    if (Buffer.byteLength(event.text) > MAX_TEXT_BYTES) {
      throw new Fault('message_too_long', `a message is at most ${MAX_TEXT_BYTES} bytes of text`, {
        hint: 'send it in parts, or as a file',
      });
    }
    const chat = chats.find(event.channelType, event.platformId);
    if (chat === null) return this.#drop(event, 'unwired', null);
    const routes = this.#plan(event, chat);
    const heard = routes.filter((route): route is Heard => route.kind !== 'ignore');
    if (heard.length === 0) return this.#drop(event, ...explain(routes));
    const routedAt = stampNow();
    const outcomes = await Promise.allSettled(heard.map((route) => this.#commit(event, chat, route, routedAt)));
    return { kind: 'routed', messages: judge(event, outcomes) };
  }

  #plan(event: InboundEvent, chat: MessagingGroup): Route[] {
    const { wirings, users, sessions } = this.#parts;
    return planRouting({
      chat,
      threadId: event.threadId,
      isMention: event.isMention || event.isPrivate,
      wirings: wirings.listFor(chat.id).map((wiring) => ({
        wiring,
        senderIsKnown: users.isKnown(event.senderId, wiring.agentGroupId),
        patternMatches: wiring.engagePattern !== null && matchPattern(wiring.engagePattern, event.text),
        wasEngaged:
          wiring.engageMode === 'mention-sticky' &&
          (sessions.find(planSessionKey(wiring, event.threadId))?.engagedAt ?? null) !== null,
      })),
    });
  }

  #drop(event: InboundEvent, reason: string, tell: string | null): ReceiveOutcome {
    const { dropped, now } = this.#parts;
    dropped.record({
      channelType: event.channelType,
      platformId: event.platformId,
      senderId: event.senderId,
      reason,
      now: now(),
    });
    routingLog.info({ channelType: event.channelType, reason }, 'a message was dropped');
    return { kind: 'dropped', reason, tell };
  }

  async #commit(event: InboundEvent, chat: MessagingGroup, route: Heard, routedAt: number): Promise<RoutedMessage> {
    const { inboxes, sessions, transcript, wake, now } = this.#parts;
    const session = this.#ensureSession(route.session, chat, event);
    const engaged = route.kind === 'engage';
    const messageId =
      event.clientId === null ? makeId('message', now()) : deriveMessageId(session.id, 'from', event.clientId);
    const traceId = makeId('trace', now());
    const attachments = await this.#placeFiles(session, messageId, event);
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
    transcript.put({
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
    });
    return { sessionId: session.id, messageId, engaged, repeated: added === 0 };
  }

  /** Finds or makes the session and its folder; marks it open before the work exists. */
  #ensureSession(key: SessionKey, chat: MessagingGroup, event: InboundEvent): Session {
    const { sessions, now, home } = this.#parts;
    const session = ensureSession({ home, sessions }, key, chat.name, now());
    if (session.engagedAt === null && (event.isMention || event.isPrivate)) sessions.markEngaged(session.id, now());
    return session;
  }

  async #placeFiles(session: Session, messageId: MessageId, event: InboundEvent): Promise<Attachment[]> {
    if (event.files.length === 0) return [];
    const names = safeFileNames(event.files.map((file) => file.name));
    const files = event.files.map((file, at) => ({
      path: file.path,
      attachment: { name: names[at] ?? 'file', sizeBytes: file.sizeBytes, contentType: file.contentType },
    }));
    const paths = sessionPaths(this.#parts.home, session.agentGroupId, session.id);
    await placeIncoming(paths, messageId, files);
    return files.map((file) => file.attachment);
  }
}

/**
 * Some agents may have it and others not. With a `clientId` the event may be told again without doubling
 * anything, so one failure refuses it; without, what is committed counts, and the rest is recorded.
 */
function judge(event: InboundEvent, outcomes: PromiseSettledResult<RoutedMessage>[]): RoutedMessage[] {
  const messages = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  for (const outcome of outcomes) {
    if (outcome.status === 'fulfilled') continue;
    const error: unknown = outcome.reason;
    const fault = error instanceof Fault ? error : DISK_FULL_CODES.has(errorCode(error)) ? diskFull(error) : null;
    if (fault === null || messages.length === 0 || event.clientId !== null) throw fault ?? error;
    routingLog.error({ err: fault, channelType: event.channelType }, 'one of several agents did not get a message');
  }
  return messages;
}

/** Where the disk fills up between two looks at it: a folder, a file, the central database. */
const DISK_FULL_CODES = new Set(['ENOSPC', 'EDQUOT', 'SQLITE_FULL']);

function diskFull(cause?: unknown): Fault {
  return new Fault('disk_full', 'the disk of the host is full: no message can be taken now', {
    cause,
    retryable: true,
    hint: 'free some disk space, then send it again',
  });
}

/** Why nobody heard it, for the record, and what the sender is told. */
function explain(routes: readonly Route[]): [reason: string, tell: string | null] {
  const reasons = routes.flatMap((route) => (route.kind === 'ignore' ? [route.reason] : []));
  const reason = reasons.find((one) => one !== 'not_addressed') ?? reasons[0];
  switch (reason) {
    case undefined:
      return ['unwired', null];
    case 'not_addressed':
      return [reason, null];
    case 'unknown_sender':
      return [reason, null];
    case 'sender_awaits_approval':
      return [reason, 'An admin has to let you in before this agent answers you.'];
    default:
      return assertNever(reason);
  }
}
