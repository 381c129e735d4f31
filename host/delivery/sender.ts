/** One call of a channel for one row: text and files, an edit, a reaction. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { MessageId } from '../../shared/ids.ts';
import type { Attachment } from '../../shared/messages.ts';
import type { SessionPaths } from '../../shared/session-files.ts';
import { assertNever, errorCode } from '../config/errors.ts';
import { deliveryLog } from '../observe/logger.ts';
import { renderHead } from '../questions/plan.ts';
import { type Collected, collectOutgoing } from '../sessions/attachments.ts';
import type { Session } from '../store/sessions.ts';
import type { Transcript, TranscriptMessage } from '../store/transcript.ts';
import type { Authority } from './authority.ts';
import type { Channel, ChannelAddress, OutgoingFile, OutgoingMessage, SendOutcome } from './channel.ts';
import type { LaneItem } from './lane.ts';
import { type OutboundMessage, renderText } from './plan.ts';
import { matchTarget, namedId, type Target } from './target.ts';

/** Wait of a message whose files are over the session's rate. */
const TOO_FAST_MS = 30_000;
/** Of one agent to one message, which carries them all. Higher: a flood makes it a long read at each change. Lower: playful agents are refused. */
const MAX_REACTIONS = 20;

export class Sender {
  readonly #home: string;
  readonly #transcript: Transcript;
  readonly #authority: Authority;

  constructor(home: string, transcript: Transcript, authority: Authority) {
    this.#home = home;
    this.#transcript = transcript;
    this.#authority = authority;
  }

  /** What an edit or a reaction is about; asked at every attempt, like the destination (I4). */
  findTarget(session: Session, message: OutboundMessage): Target {
    const id = namedId(message);
    if (id === null) return { kind: 'none' };
    return matchTarget(message, {
      session,
      chatId: this.#authority.findChat(session.agentGroupId, message.destination)?.id ?? null,
      // Any text may be looked up; only an id of ours is found.
      named: this.#transcript.get(id as MessageId),
    });
  }

  async attempt(
    channel: Channel,
    session: Session,
    paths: SessionPaths,
    item: LaneItem,
    maySpend: (bytes: number) => boolean,
    signal: AbortSignal,
  ): Promise<SendOutcome> {
    const { message } = item;
    const { body } = message;
    // Authorised a moment ago: both stand in the row and agree with the host's table.
    const address: ChannelAddress = { platformId: message.platformId ?? '', threadId: message.threadId };
    switch (body.kind) {
      case 'chat':
      case 'question':
        return this.#send(channel, session, paths, item, address, maySpend, signal);
      case 'edit':
      case 'reaction': {
        const target = this.findTarget(session, message);
        if (target.kind !== 'found') return { kind: 'rejected', reason: 'the message it is about is gone' };
        return body.kind === 'edit'
          ? this.#edit(channel, target.message, address, body.content, signal)
          : this.#react(channel, session.agentGroupId, target.message, address, body.content, signal);
      }
      case 'request':
        return { kind: 'rejected', reason: 'a request is not sent anywhere' };
      default:
        return assertNever(body);
    }
  }

  /** Removes the host's copies of a message's files, if it has any. What the disk does not let go of stays. */
  async discardFiles({ id, body }: OutboundMessage): Promise<void> {
    if (body.kind !== 'chat' || body.content.attachments.length === 0) return;
    try {
      await rm(this.#filesFolder(id), { recursive: true, force: true });
    } catch (error) {
      if (errorCode(error) === '') throw error;
      deliveryLog.warn({ messageId: id, err: error }, 'copies of files that were sent could not be removed');
    }
  }

  #filesFolder(messageId: MessageId): string {
    return join(this.#home, 'uploads', `out-${messageId}`);
  }

  /** What an answer answers, when it is a message of this session in this chat. */
  #platformIdOfAnswered(session: Session, message: OutboundMessage): string | null {
    const answered = message.inReplyTo === null ? null : this.#transcript.peek(message.inReplyTo);
    if (answered === null || answered.sessionId !== session.id || answered.threadId !== message.threadId) return null;
    return answered.platformMessageId;
  }

  /** The channel is not called yet: whatever fails here is certainly not sent. */
  async #collect(
    paths: SessionPaths,
    messageId: MessageId,
    attachments: readonly Attachment[],
    maySpend: (bytes: number) => boolean,
  ): Promise<Collected | { kind: 'failed'; reason: string }> {
    try {
      return await collectOutgoing(paths, messageId, attachments, this.#filesFolder(messageId), maySpend);
    } catch (error) {
      const code = errorCode(error);
      if (code === '') throw error;
      return { kind: 'failed', reason: `the files could not be copied (${code})` };
    }
  }

  async #send(
    channel: Channel,
    session: Session,
    paths: SessionPaths,
    { message, row }: LaneItem,
    address: ChannelAddress,
    maySpend: (bytes: number) => boolean,
    signal: AbortSignal,
  ): Promise<SendOutcome> {
    const attachments = message.body.kind === 'chat' ? message.body.content.attachments : [];
    let files: OutgoingFile[] = [];
    // Without files there is nothing to wait for: the channel is called before anything else of this turn.
    if (attachments.length > 0) {
      const collected = await this.#collect(paths, message.id, attachments, maySpend);
      if (collected.kind === 'refused') return { kind: 'rejected', reason: collected.reason };
      if (collected.kind === 'failed') return { kind: 'retry', reason: collected.reason, retryAfterMs: null };
      if (collected.kind === 'too-fast') {
        return { kind: 'retry', reason: 'the session sends more files than it may', retryAfterMs: TOO_FAST_MS };
      }
      // The attempt was given up meanwhile: nobody hears what a call comes to now.
      if (signal.aborted) return { kind: 'retry', reason: 'its files took too long to copy', retryAfterMs: null };
      files = collected.files;
      this.#transcript.change(message.id, {
        only: { sessionId: session.id, direction: 'out' },
        attachments: files.map(({ name, sizeBytes, contentType }) => ({ name, sizeBytes, contentType })),
      });
    }
    return channel.send(
      {
        messageId: message.id,
        idempotencyKey: row.idempotencyKey,
        address,
        ...renderFor(channel, message, this.#authority.agentName(session.agentGroupId)),
        files,
        replyToPlatformId: this.#platformIdOfAnswered(session, message),
      },
      signal,
    );
  }

  async #edit(
    channel: Channel,
    target: TranscriptMessage,
    address: ChannelAddress,
    content: { text: string },
    signal: AbortSignal,
  ): Promise<SendOutcome> {
    if (!channel.abilities.canEdit || channel.edit === undefined) {
      return {
        kind: 'rejected',
        reason: `messages on ${channel.type} cannot be edited: send a new message instead`,
      };
    }
    if (target.platformMessageId === null) return notYet(target, 'edited');
    const outcome = await channel.edit(address, target.platformMessageId, content.text, signal);
    if (outcome.kind === 'sent') this.#transcript.change(target.id, { text: content.text, editedAt: Date.now() });
    return outcome;
  }

  async #react(
    channel: Channel,
    by: string,
    target: TranscriptMessage,
    address: ChannelAddress,
    { emoji }: { emoji: string },
    signal: AbortSignal,
  ): Promise<SendOutcome> {
    if (!channel.abilities.canReact || channel.react === undefined) {
      return {
        kind: 'rejected',
        reason: `messages on ${channel.type} cannot be reacted to: say it in a message instead`,
      };
    }
    if (target.platformMessageId === null) return notYet(target, 'reacted to');
    const own = target.reactions.filter((known) => known.by === by && known.emoji !== emoji);
    if (own.length >= MAX_REACTIONS) {
      return { kind: 'rejected', reason: `a message takes at most ${MAX_REACTIONS} reactions of one agent` };
    }
    const outcome = await channel.react(address, target.platformMessageId, emoji, signal);
    if (outcome.kind === 'sent') {
      const others = target.reactions.filter((known) => known.by !== by || known.emoji !== emoji);
      this.#transcript.change(target.id, { reactions: [...others, { emoji, by }] });
    }
    return outcome;
  }
}

function notYet(target: TranscriptMessage, what: string): SendOutcome {
  if (target.state === 'queued' || target.state === 'sending') {
    return { kind: 'retry', reason: 'the message is not delivered yet', retryAfterMs: null };
  }
  return { kind: 'rejected', reason: `a message that was not delivered cannot be ${what}` };
}

/** With buttons the options are not in the text. */
function renderFor(
  channel: Channel,
  { id, body }: OutboundMessage,
  author: string,
): Pick<OutgoingMessage, 'text' | 'question'> {
  if (body.kind !== 'question' || !channel.abilities.canAsk) {
    return { text: renderText(body, { messageId: id, author }), question: null };
  }
  const { title, question, options } = body.content;
  return { text: renderHead(body.content, author), question: { title, question, options } };
}
