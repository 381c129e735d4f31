/**
 * Agents that write to agents: one attempt of one message, from a session's lane into another session's inbox.
 *
 * I1. The copy's id is made from the sender's message, and an inbox leaves a row that is there as it is: at
 *     every attempt, whatever crashed, it is one message.
 * I2. Which session gets it is committed, with the copy in the transcript, before the row exists: a second
 *     attempt cannot choose another.
 * I3. What a pause holds back is not lost, not counted as tried, and goes in order once a person resumed.
 * I4. What a message says about its own place is not believed: the session, the hop and the message it answers
 *     come from the host's rows.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { MessageId, SessionId } from '../../../shared/ids.ts';
import { makeId } from '../../../shared/ids.ts';
import type { Attachment } from '../../../shared/messages.ts';
import { AGENT_CHANNEL } from '../../../shared/protocol.ts';
import { type SessionPaths, sessionPaths } from '../../../shared/session-files.ts';
import { stampNow } from '../../../shared/trace.ts';
import type { ActionRules } from '../../approvals/approval.ts';
import { assertNever, errorCode, Fault, toDiskFault } from '../../config/errors.ts';
import { UnderWay } from '../../config/under-way.ts';
import { failpoint } from '../../observe/failpoint.ts';
import { deliveryLog } from '../../observe/logger.ts';
import { collectOutgoing, placeIncoming } from '../../sessions/attachments.ts';
import { measureContainerFolders, SESSION_LIMITS } from '../../sessions/disk.ts';
import { ensureSession, openSession } from '../../sessions/ensure-session.ts';
import { clientIdOf } from '../../sessions/peer-copy.ts';
import type { Session } from '../../store/sessions.ts';
import type { NewTranscriptMessage } from '../../store/transcript.ts';
import type { Channel } from '../channel.ts';
import type { LaneItem } from '../lane.ts';
import type { AttemptOutcome, OutboundMessage } from '../plan.ts';
import { type FactParts, type Look, lookAt } from './facts.ts';
import { PairRate } from './pair-rate.ts';
import { type PauseParts, PeerPauses } from './pauses.ts';
import { describePause, planPassage } from './plan.ts';
import { PeerTeller } from './tell.ts';

export interface PeersParts extends Omit<FactParts, 'rate'>, Pick<PauseParts, 'ledger' | 'ask' | 'onReleased' | 'now'> {
  home: string;
  /** Rows were queued for that session's agent. */
  onWorkChanged: (id: SessionId) => void;
}

/** What a lane knows of the way to an agent: the copy's id is the key, so nothing is sent twice. */
export const PEER_CHANNEL: Channel = {
  type: AGENT_CHANNEL,
  abilities: { idempotency: 'native', canEdit: false, canReact: false, canAsk: false, typing: null },
  send: async () => ({ kind: 'rejected', reason: 'an agent is reached through its inbox' }),
};

/** Of a session that belongs to no chat. */
const DEFAULT_TITLE = 'Other agents';
/** Wait of a message whose files are over the session's rate. */
const TOO_FAST_MS = 30_000;

export class Peers implements AsyncDisposable {
  readonly #parts: PeersParts;
  readonly #facts: FactParts;
  readonly #rate = new PairRate();
  readonly #teller: PeerTeller;
  readonly #pauses: PeerPauses;
  readonly #underWay = new UnderWay();

  constructor(parts: PeersParts) {
    this.#parts = parts;
    this.#facts = { ...parts, rate: this.#rate };
    this.#teller = new PeerTeller(parts);
    this.#pauses = new PeerPauses({ ...parts, rate: this.#rate, teller: this.#teller });
  }

  /** After a start: a crash may have come between a pause and its telling. */
  start(): void {
    this.#pauses.start();
  }

  /** What "Resume?" asks, and what follows from a person's answer. */
  get pauseRules(): ActionRules {
    return this.#pauses.rules;
  }

  /** Why a message waits without being tried, null when it may go. Writes nothing. */
  findHold(session: Session, message: OutboundMessage): string | null {
    const { now } = this.#parts;
    try {
      const look = lookAt(this.#facts, session, message, now());
      if (look === null || (look.copy.kind === 'chosen' && look.copy.isThere)) return null;
      const passage = planPassage(look.passage, now());
      return passage.kind === 'hold' ? passage.reason : null;
    } catch (error) {
      // What cannot be read is met, and told, by the attempt.
      if (error instanceof Fault) return null;
      throw error;
    }
  }

  /** One attempt. Throws for bugs alone; whatever the disk or an inbox does is a retry. */
  attempt(
    session: Session,
    paths: SessionPaths,
    item: LaneItem,
    maySpend: (bytes: number) => boolean,
  ): Promise<AttemptOutcome> {
    // A lane gives up one that takes long: it goes on all the same.
    return this.#underWay.add(this.#attempt(session, paths, item, maySpend));
  }

  async #attempt(
    session: Session,
    paths: SessionPaths,
    { message }: LaneItem,
    maySpend: (bytes: number) => boolean,
  ): Promise<AttemptOutcome> {
    let target: Session | null = null;
    try {
      const look = lookAt(this.#facts, session, message, this.#parts.now());
      if (look === null) return { kind: 'refuse', reason: 'the agent no longer exists' };
      target = look.session;
      return await this.#go(session, paths, message, look, maySpend);
    } catch (error) {
      const fault = error instanceof Fault ? error : toDiskFault(error);
      if (fault === null) throw error;
      // Whoever owns that session looks at it, and sets it aside when its file is corrupt.
      if (target !== null && !fault.retryable) this.#parts.onWorkChanged(target.id);
      deliveryLog.warn(
        { sessionId: session.id, messageId: message.id, err: fault },
        'an agent cannot be written to now',
      );
      return { kind: 'retry', reason: `it cannot be handed over now: ${fault.message}`, retryAfterMs: null };
    }
  }

  async #go(
    session: Session,
    paths: SessionPaths,
    message: OutboundMessage,
    look: Look,
    maySpend: (bytes: number) => boolean,
  ): Promise<AttemptOutcome> {
    const { now } = this.#parts;
    const { copy } = look;
    if (copy.kind === 'unusable') return { kind: 'refuse', reason: copy.reason };
    if (copy.kind === 'chosen' && copy.isThere) {
      this.#wake(copy.session.id);
      return { kind: 'sent', platformMessageId: look.copyId };
    }
    if (look.answersNothing) return { kind: 'refuse', reason: 'it answers a message that is not in this conversation' };
    const passage = planPassage(look.passage, now());
    switch (passage.kind) {
      case 'hold':
      case 'refuse':
        return passage;
      case 'pause':
        await this.#pauses.pause(session, look, passage);
        return { kind: 'hold', reason: describePause(look.target.name) };
      case 'pass':
        break;
      default:
        return assertNever(passage);
    }
    // Before anything is waited for: two sessions of the pair may be here at once.
    const takeBack = this.#rate.note(look.sender.id, look.target.id, now());
    let isGone = false;
    try {
      const outcome = await this.#handOver(session, paths, message, look, passage.hop, maySpend);
      isGone = outcome.kind === 'sent';
      return outcome;
    } finally {
      if (!isGone) takeBack();
    }
  }

  async #handOver(
    session: Session,
    paths: SessionPaths,
    message: OutboundMessage,
    look: Look,
    hop: number,
    maySpend: (bytes: number) => boolean,
  ): Promise<AttemptOutcome> {
    const { sessions, transcript, peers, inboxes, home, now } = this.#parts;
    const target = this.#openTarget(look);
    const files = await this.#copyFiles(paths, target, message, look, maySpend);
    if (files.kind !== 'files') return files;
    const row = this.#makeRow(session, message, look, hop, files.attachments);
    // I2: before the row.
    const shown: NewTranscriptMessage = {
      id: look.copyId,
      sessionId: target.id,
      messagingGroupId: null,
      threadId: null,
      direction: 'in',
      kind: 'chat',
      authorId: look.sender.id,
      authorName: look.sender.name,
      destination: null,
      text: row.text,
      attachments: files.attachments,
      inReplyTo: row.inReplyTo,
      state: 'queued',
      stateReason: null,
      clientId: clientIdOf(message.id),
      traceId: row.traceId,
      stamps: { received: stampNow() },
      createdAt: row.timestamp,
    };
    const detail = { by: 'agent', original: message.id, fromSession: session.id, hop };
    transcript.put(shown, { actor: look.sender.id, detail });
    transcript.flush();
    peers.link(session, target, now());
    failpoint('peers.chosen');
    const { text, ...inbound } = row;
    await inboxes.commit(target, (tables) =>
      tables.append([
        {
          ...inbound,
          content: JSON.stringify({ text, senderName: look.sender.name, attachments: files.attachments }),
        },
      ]),
    );
    failpoint('peers.committed');
    transcript.change(look.copyId, { stamps: { committed: stampNow() } });
    // It may have been closed while files were copied; what is committed must be found after a crash.
    if (sessions.get(target.id)?.isOpen === false) openSession({ home, sessions }, target, now());
    this.#wake(target.id);
    return { kind: 'sent', platformMessageId: look.copyId };
  }

  #makeRow(session: Session, message: OutboundMessage, look: Look, hop: number, attachments: Attachment[]) {
    const timestamp = this.#parts.now();
    const isAnswer = look.plan.kind === 'asker' && look.session?.id === look.plan.sessionId;
    return {
      id: look.copyId,
      kind: 'chat',
      timestamp,
      processAfter: null,
      trigger: true,
      onWake: false,
      channelType: AGENT_CHANNEL,
      platformId: look.sender.id,
      threadId: null,
      senderId: null,
      sourceSessionId: session.id,
      inReplyTo: isAnswer && look.plan.kind === 'asker' ? look.plan.inReplyTo : null,
      hop,
      traceId: message.traceId ?? makeId('trace', timestamp),
      text: message.body.kind === 'chat' ? message.body.content.text : '',
      attachments,
    } as const;
  }

  /** The session that gets it, with its folder, noted as open before there is work in it. */
  #openTarget(look: Look): Session {
    const { sessions, home, now } = this.#parts;
    if (look.session === null) {
      const key = { agentGroupId: look.target.id, messagingGroupId: null, threadId: null };
      return ensureSession({ home, sessions }, key, DEFAULT_TITLE, now());
    }
    openSession({ home, sessions }, look.session, now());
    return look.session;
  }

  /** From the sender's folder into a copy of the host's, and from there into the target's. */
  async #copyFiles(
    paths: SessionPaths,
    target: Session,
    message: OutboundMessage,
    look: Look,
    maySpend: (bytes: number) => boolean,
  ): Promise<{ kind: 'files'; attachments: Attachment[] } | AttemptOutcome> {
    const wanted = message.body.kind === 'chat' ? message.body.content.attachments : [];
    if (wanted.length === 0) return { kind: 'files', attachments: [] };
    const into = sessionPaths(this.#parts.home, target.agentGroupId, target.id);
    const use = await measureContainerFolders([into.inFiles], SESSION_LIMITS);
    if (use.kind === 'over') {
      return { kind: 'refuse', reason: `the inbox of ${look.target.name} holds ${use.reason}` };
    }
    const staging = join(this.#parts.home, 'uploads', `peer-${look.copyId}`);
    try {
      const collected = await collectOutgoing(paths, message.id, wanted, staging, maySpend);
      if (collected.kind === 'refused') return { kind: 'rejected', reason: collected.reason };
      if (collected.kind === 'too-fast') {
        return { kind: 'retry', reason: 'the session sends more files than it may', retryAfterMs: TOO_FAST_MS };
      }
      const placed = collected.files.map(({ path, ...attachment }) => ({ path, attachment }));
      await placeIncoming(into, look.copyId, placed);
      failpoint('peers.files-placed');
      return { kind: 'files', attachments: placed.map(({ attachment }) => attachment) };
    } catch (error) {
      const code = errorCode(error);
      if (code === '') throw error;
      return { kind: 'retry', reason: `the files could not be copied (${code})`, retryAfterMs: null };
    } finally {
      await rm(staging, { recursive: true, force: true });
    }
  }

  #wake(id: SessionId): void {
    this.#parts.onWorkChanged(id);
  }

  /** The sender hears that the other agent gave up on its message. Does not fail the caller, nor keep it waiting. */
  tellGaveUp(copyId: MessageId, words: string): void {
    const told = this.#teller.tellGaveUp(copyId, words).catch((error: unknown) => {
      const fault = error instanceof Fault ? error : toDiskFault(error);
      if (fault === null) throw error;
      deliveryLog.warn({ messageId: copyId, err: fault }, 'an agent could not be told that another gave up');
    });
    void this.#underWay.add(told);
  }

  /** Waits for what is under way; the lanes, which begin it, are closed before. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#pauses[Symbol.asyncDispose](), this.#underWay[Symbol.asyncDispose]()]);
  }
}
