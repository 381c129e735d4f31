/** One call of a channel for one row: text and files, an edit, a reaction. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { MessageId } from '../../shared/ids.ts';
import type { SessionPaths } from '../../shared/session-files.ts';
import { assertNever } from '../config/errors.ts';
import { collectOutgoing } from '../sessions/attachments.ts';
import type { Session } from '../store/sessions.ts';
import type { Transcript, TranscriptMessage } from '../store/transcript.ts';
import type { Channel, ChannelAddress, OutgoingFile, SendOutcome } from './channel.ts';
import type { LaneItem } from './lane.ts';
import { type OutboundMessage, renderText } from './plan.ts';

export class Sender {
  readonly #home: string;
  readonly #transcript: Transcript;

  constructor(home: string, transcript: Transcript) {
    this.#home = home;
    this.#transcript = transcript;
  }

  async attempt(
    channel: Channel,
    session: Session,
    paths: SessionPaths,
    item: LaneItem,
    signal: AbortSignal,
  ): Promise<SendOutcome> {
    const { message } = item;
    const { body } = message;
    // Authorised a moment ago: both stand in the row and agree with the host's table.
    const address: ChannelAddress = { platformId: message.platformId ?? '', threadId: message.threadId };
    switch (body.kind) {
      case 'chat':
      case 'question':
        return this.#send(channel, paths, item, address, signal);
      case 'edit':
        return this.#edit(channel, session, message, address, body.content, signal);
      case 'reaction':
        return this.#react(channel, session, message, address, body.content, signal);
      case 'request':
        return { kind: 'rejected', reason: 'a request is not sent anywhere' };
      default:
        return assertNever(body);
    }
  }

  /** Removes the host's copies of a message's files, if it has any. */
  async discardFiles({ id, body }: OutboundMessage): Promise<void> {
    if (body.kind !== 'chat' || body.content.attachments.length === 0) return;
    await rm(this.#filesFolder(id), { recursive: true, force: true });
  }

  #filesFolder(messageId: MessageId): string {
    return join(this.#home, 'uploads', `out-${messageId}`);
  }

  async #send(
    channel: Channel,
    paths: SessionPaths,
    { message, row }: LaneItem,
    address: ChannelAddress,
    signal: AbortSignal,
  ): Promise<SendOutcome> {
    const attachments = message.body.kind === 'chat' ? message.body.content.attachments : [];
    let files: OutgoingFile[] = [];
    // Without files there is nothing to wait for: the channel is called before anything else of this turn.
    if (attachments.length > 0) {
      const collected = await collectOutgoing(paths, message.id, attachments, this.#filesFolder(message.id));
      if (collected.kind === 'refused') return { kind: 'rejected', reason: collected.reason };
      files = collected.files;
    }
    return channel.send(
      {
        messageId: message.id,
        idempotencyKey: row.idempotencyKey,
        address,
        text: renderText(message.body),
        files,
        replyToPlatformId: message.inReplyTo === null ? null : this.#transcript.platformIdOf(message.inReplyTo),
      },
      signal,
    );
  }

  async #edit(
    channel: Channel,
    session: Session,
    message: OutboundMessage,
    address: ChannelAddress,
    content: { messageId: string; text: string },
    signal: AbortSignal,
  ): Promise<SendOutcome> {
    if (channel.edit === undefined) return { kind: 'rejected', reason: `${channel.type} cannot edit messages` };
    const target = this.#findTarget(session, message, content.messageId);
    if (target === null || target.direction !== 'out') {
      return { kind: 'rejected', reason: 'there is no message of this agent with that id in that chat' };
    }
    if (target.platformMessageId === null) return notYet(target, 'edited');
    const outcome = await channel.edit(address, target.platformMessageId, content.text, signal);
    if (outcome.kind === 'sent') this.#transcript.change(target.id, { text: content.text, editedAt: Date.now() });
    return outcome;
  }

  async #react(
    channel: Channel,
    session: Session,
    message: OutboundMessage,
    address: ChannelAddress,
    content: { messageId: string; emoji: string },
    signal: AbortSignal,
  ): Promise<SendOutcome> {
    if (channel.react === undefined) return { kind: 'rejected', reason: `${channel.type} cannot react to messages` };
    const target = this.#findTarget(session, message, content.messageId);
    if (target === null) return { kind: 'rejected', reason: 'there is no message with that id in that chat' };
    if (target.platformMessageId === null) return notYet(target, 'reacted to');
    const outcome = await channel.react(address, target.platformMessageId, content.emoji, signal);
    if (outcome.kind === 'sent') {
      const others = target.reactions.filter(
        (known) => known.by !== session.agentGroupId || known.emoji !== content.emoji,
      );
      this.#transcript.change(target.id, {
        reactions: [...others, { emoji: content.emoji, by: session.agentGroupId }],
      });
    }
    return outcome;
  }

  /** A message of this session, in the chat that the row was authorised for. */
  #findTarget(session: Session, message: OutboundMessage, messageId: string): TranscriptMessage | null {
    // Any text may be looked up; only an id of ours is found.
    const target = this.#transcript.get(messageId as MessageId);
    if (target === null || target.sessionId !== session.id) return null;
    return target.direction === 'in' || target.destination === message.destination ? target : null;
  }
}

function notYet(target: TranscriptMessage, what: string): SendOutcome {
  if (target.state === 'queued' || target.state === 'sending') {
    return { kind: 'retry', reason: 'the message is not delivered yet', retryAfterMs: null };
  }
  return { kind: 'rejected', reason: `a message that was not delivered cannot be ${what}` };
}
