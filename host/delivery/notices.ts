/**
 * What the host itself says in a chat: that a message failed for good.
 *
 * I1. A notice is a row of the transcript (kind `system`), committed before what it tells of is, and sent
 *     from there. Its id is made from its key, so the same notice is one row.
 * I2. What it says can change later: then it is open again, and goes out as an edit of what was sent.
 * I3. It goes through a lane like any delivery: `sending` is committed before the channel is called, and
 *     after a crash the channel's idempotency class decides.
 */
import { deriveMessageId, type MessageId, type MessagingGroupId } from '../../shared/ids.ts';
import { toDiskFault } from '../config/errors.ts';
import { deliveryLog } from '../observe/logger.ts';
import { HOST_NAME, renderCard } from '../questions/plan.ts';
import type { SessionRef } from '../sessions/inbox.ts';
import type { OpenInbound } from '../sessions/inbox-tables.ts';
import type { ChatStore, MessagingGroup } from '../store/chats.ts';
import type { Question } from '../store/questions.ts';
import type { Transcript, TranscriptMessage } from '../store/transcript.ts';
import type { Channel, ChannelAddress, OutgoingMessage, SendOutcome } from './channel.ts';
import { closeLanes, type FinalState, isFinal, Lane, type LaneItem } from './lane.ts';

/** Notices sent again at start. */
const MAX_REOPENED = 200;
/** Wait before a lane that could not commit is filled again. */
const TRY_AGAIN_MS = 1_000;
/** A shutdown waits this long for a notice under way. Higher: slow stops. Lower: more notices that may have been told. */
const CLOSE_PATIENCE_MS = 1_000;

/** The cards of approvals, which go the same way. */
export interface CardPort {
  get(id: MessageId): Pick<Question, 'messageId' | 'title' | 'question' | 'options' | 'expiresAt'> | null;
  ended(id: MessageId, state: FinalState): void;
}

export class Notices implements AsyncDisposable {
  readonly #transcript: Transcript;
  readonly #chats: ChatStore;
  readonly #channels: ReadonlyMap<string, Channel>;
  readonly #lanes = new Map<MessagingGroupId, Lane>();
  #closed = false;

  readonly #cards: CardPort;

  constructor(transcript: Transcript, chats: ChatStore, channels: ReadonlyMap<string, Channel>, cards: CardPort) {
    this.#transcript = transcript;
    this.#chats = chats;
    this.#channels = channels;
    this.#cards = cards;
  }

  /** Sends a card that stands in the transcript; its end is told to the port. */
  sendCard(id: MessageId): void {
    this.#send(id);
  }

  /** Says something in the chat that `about` came from; once per key. Throws when the disk takes nothing. */
  tell(ref: SessionRef, about: OpenInbound, key: string, text: string): void {
    if (about.channelType === null || about.platformId === null) return;
    const chat = this.#chats.find(about.channelType, about.platformId);
    const id = deriveMessageId(ref.id, 'notice', key, about.id);
    if (chat === null || this.#transcript.get(id) !== null) return;
    this.#transcript.put({
      id,
      sessionId: ref.id,
      messagingGroupId: chat.id,
      threadId: about.threadId,
      direction: 'out',
      kind: 'system',
      authorId: null,
      authorName: HOST_NAME,
      destination: null,
      text,
      attachments: [],
      inReplyTo: about.id,
      state: 'queued',
      stateReason: null,
      clientId: null,
      traceId: about.traceId,
      stamps: {},
      createdAt: Date.now(),
    });
    this.#transcript.flush();
    this.#send(id);
  }

  /** Says something else in place of what was told under this key, where the channel can edit; else that stays. */
  amend(ref: SessionRef, about: OpenInbound, key: string, text: string): void {
    const notice = this.#transcript.get(deriveMessageId(ref.id, 'notice', key, about.id));
    if (notice === null || notice.text === text) return;
    const isSent = notice.state === 'delivered' && notice.platformMessageId !== null;
    const isWaiting = notice.state === 'queued' || notice.state === 'sending';
    const canEdit = this.#channels.get(about.channelType ?? '')?.abilities.canEdit === true;
    // One that waits is sent with the text it has by then.
    if (isWaiting || (isSent && canEdit)) this.#transcript.change(notice.id, { text, editedAt: Date.now() });
    if (!isSent || !canEdit) return;
    this.#transcript.change(notice.id, { state: 'queued' });
    this.#transcript.flush();
    this.#send(notice.id);
  }

  /** After a start: what an earlier host did not finish telling. */
  resume(): void {
    for (const notice of this.#transcript.listOpenNotices(MAX_REOPENED)) this.#send(notice.id);
  }

  #send(id: MessageId): void {
    // The next host goes on from the rows.
    if (this.#closed) return;
    const notice = this.#transcript.get(id);
    const chat = notice?.messagingGroupId == null ? null : this.#chats.get(notice.messagingGroupId);
    if (notice === null || chat === null) return;
    this.#laneOf(chat).push([makeItem(notice, chat)]);
  }

  #laneOf(chat: MessagingGroup): Lane {
    const known = this.#lanes.get(chat.id);
    if (known !== undefined) return known;
    const lane = new Lane({
      channel: () => this.#channels.get(chat.channelType) ?? null,
      now: Date.now,
      random: Math.random,
      // The host speaks for itself, to whom it just heard.
      refuse: () => null,
      attempt: (channel, { message, row }, signal) => {
        // As it stands now: it may have been amended since it was queued.
        const notice = this.#transcript.get(message.id);
        const address = { platformId: chat.platformId, threadId: message.threadId };
        const text = notice?.text ?? '';
        if (notice?.platformMessageId != null) {
          return editNotice(channel, address, notice.platformMessageId, text, signal);
        }
        return channel.send(
          {
            ...{ messageId: message.id, idempotencyKey: row.idempotencyKey, address },
            ...this.#render(channel, message.id, text),
            ...{ files: [], replyToPlatformId: null },
          },
          signal,
        );
      },
      commit: async (items) => {
        for (const { message, row } of items) {
          this.#transcript.change(message.id, {
            state: row.state,
            stateReason: row.reason,
            ...(row.platformMessageId === null ? {} : { platformMessageId: row.platformMessageId }),
          });
        }
        this.#transcript.flush();
      },
      ended: ({ message, row }) => {
        if (this.#lanes.get(chat.id)?.size === 0) this.#lanes.delete(chat.id);
        if (isFinal(row)) this.#cards.ended(message.id, row.state);
        if (row.state === 'delivered') return;
        // Not the reason: a platform's own words may quote the message, and it stands with it.
        deliveryLog.warn({ messageId: message.id, state: row.state }, 'a notice could not be told');
      },
      broke: (error, left) => {
        if (this.#closed) return;
        if (toDiskFault(error) === null) throw error;
        this.#lanes.delete(chat.id);
        setTimeout(() => {
          for (const item of left) this.#send(item.message.id);
        }, TRY_AGAIN_MS).unref();
      },
    });
    this.#lanes.set(chat.id, lane);
    return lane;
  }

  #render(channel: Channel, id: MessageId, text: string): Pick<OutgoingMessage, 'text' | 'question'> {
    const card = channel.abilities.canAsk ? this.#cards.get(id) : null;
    if (card === null) return { text, question: null };
    const { title, question, options } = card;
    return { text: renderCard(card, null), question: { title, question, options } };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await closeLanes([...this.#lanes.values()], CLOSE_PATIENCE_MS);
  }
}

/** What was sent stands, whatever becomes of the edit; making it twice changes nothing. */
async function editNotice(
  channel: Channel,
  address: ChannelAddress,
  platformMessageId: string,
  text: string,
  signal: AbortSignal,
): Promise<SendOutcome> {
  const outcome = await channel.edit?.(address, platformMessageId, text, signal);
  if (outcome?.kind === 'uncertain') return { kind: 'retry', reason: outcome.reason, retryAfterMs: null };
  return outcome?.kind === 'retry' ? outcome : { kind: 'sent', platformMessageId };
}

function makeItem(notice: TranscriptMessage, chat: MessagingGroup): LaneItem {
  const mayBeSent = notice.state === 'sending' && notice.platformMessageId === null;
  return {
    sessionId: notice.sessionId,
    message: {
      id: notice.id,
      seq: 0,
      inReplyTo: notice.inReplyTo,
      timestamp: notice.createdAt,
      deliverAfter: null,
      destination: null,
      channelType: chat.channelType,
      platformId: chat.platformId,
      threadId: notice.threadId,
      traceId: notice.traceId,
      body: { kind: 'chat', content: { text: notice.text, attachments: [] } },
    },
    row: {
      messageOutId: notice.id,
      seq: 0,
      state: mayBeSent ? 'sending' : 'queued',
      attempts: 0,
      nextAttemptAt: null,
      idempotencyKey: notice.id,
      platformMessageId: null,
      reason: null,
      updatedAt: notice.createdAt,
    },
    mayBeSent,
  };
}
