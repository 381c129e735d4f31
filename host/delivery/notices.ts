/**
 * What the host itself says in a chat: that a message failed for good, that the engine is away.
 *
 * A notice is a row of the transcript (kind `system`) that is told before what it tells of is committed,
 * and sent from there; after a crash the open ones are sent again. Its id is made from its key, so the
 * same notice is one row.
 */
import { deriveMessageId, type MessageId, type SessionId } from '../../shared/ids.ts';
import {
  DELIVERY_BACKOFF_MAX_MS,
  DELIVERY_BACKOFF_MS,
  MAX_DELIVERY_ATTEMPTS,
  SEND_TIMEOUT_MS,
} from '../config/limits.ts';
import { deliveryLog } from '../observe/logger.ts';
import type { SessionRef } from '../sessions/inbox.ts';
import type { OpenInbound } from '../sessions/inbox-tables.ts';
import type { ChatStore } from '../store/chats.ts';
import type { Transcript, TranscriptMessage } from '../store/transcript.ts';
import type { Channel, SendOutcome } from './channel.ts';

/** Notices sent again at start. */
const MAX_REOPENED = 200;

export class Notices implements Disposable {
  readonly #transcript: Transcript;
  readonly #chats: ChatStore;
  readonly #channels: ReadonlyMap<string, Channel>;
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(transcript: Transcript, chats: ChatStore, channels: ReadonlyMap<string, Channel>) {
    this.#transcript = transcript;
    this.#chats = chats;
    this.#channels = channels;
  }

  /** Says something in the chat that `about` came from; once per key. */
  tell(ref: SessionRef, about: OpenInbound, key: string, text: string): void {
    if (about.channelType === null || about.platformId === null) return;
    const chat = this.#chats.find(about.channelType, about.platformId);
    if (chat === null) return;
    this.#put(ref.id, chat.id, about.threadId, deriveMessageId(ref.id, 'notice', key, about.id), about.id, about, text);
  }

  #put(
    sessionId: SessionId,
    messagingGroupId: TranscriptMessage['messagingGroupId'],
    threadId: string | null,
    id: MessageId,
    inReplyTo: MessageId,
    about: OpenInbound,
    text: string,
  ): void {
    if (this.#transcript.get(id) !== null) return;
    this.#transcript.put({
      id,
      sessionId,
      messagingGroupId,
      threadId,
      direction: 'out',
      kind: 'system',
      authorId: null,
      authorName: 'Portolan',
      destination: null,
      text,
      attachments: [],
      inReplyTo,
      state: 'queued',
      stateReason: null,
      clientId: null,
      traceId: about.traceId,
      stamps: {},
      createdAt: Date.now(),
    });
    this.#transcript.flush();
    this.#send(id, 1);
  }

  /** After a start: what an earlier host did not finish telling. */
  resume(): void {
    for (const notice of this.#transcript.listOpenNotices(MAX_REOPENED)) this.#send(notice.id, 1);
  }

  #send(id: MessageId, attempt: number): void {
    this.#attempt(id).then(
      (outcome) => this.#settle(id, attempt, outcome),
      (error: unknown) => {
        if (!(error instanceof Error)) throw error;
        this.#settle(id, attempt, { kind: 'retry', reason: error.message, retryAfterMs: null });
      },
    );
  }

  async #attempt(id: MessageId): Promise<SendOutcome> {
    const notice = this.#transcript.get(id);
    const chat = notice?.messagingGroupId == null ? null : this.#chats.get(notice.messagingGroupId);
    if (notice === null || chat === null) return { kind: 'rejected', reason: 'the chat is gone' };
    const channel = this.#channels.get(chat.channelType);
    if (channel === undefined) return { kind: 'retry', reason: 'the channel is not connected', retryAfterMs: null };
    return channel.send(
      {
        messageId: id,
        idempotencyKey: id,
        address: { platformId: chat.platformId, threadId: notice.threadId },
        text: notice.text,
        files: [],
        replyToPlatformId: null,
      },
      AbortSignal.timeout(SEND_TIMEOUT_MS),
    );
  }

  #settle(id: MessageId, attempt: number, outcome: SendOutcome): void {
    if (outcome.kind === 'sent') {
      this.#transcript.change(id, {
        state: 'delivered',
        stateReason: null,
        platformMessageId: outcome.platformMessageId,
      });
      return;
    }
    if (outcome.kind === 'rejected' || attempt >= MAX_DELIVERY_ATTEMPTS) {
      this.#transcript.change(id, { state: 'failed', stateReason: outcome.reason });
      deliveryLog.warn({ messageId: id, reason: outcome.reason }, 'a notice could not be told');
      return;
    }
    const wait = Math.min(DELIVERY_BACKOFF_MS * 2 ** (attempt - 1), DELIVERY_BACKOFF_MAX_MS);
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#send(id, attempt + 1);
    }, wait);
    this.#timers.add(timer);
  }

  [Symbol.dispose](): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }
}
