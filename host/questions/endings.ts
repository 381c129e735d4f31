/**
 * How a question ended, told to the agent that asked and shown in its chat. Both may fail for a while and are
 * tried again, here and at the next start; both are the same however often they are done.
 */
import { deriveMessageId, type MessageId, makeId, type SessionId } from '../../shared/ids.ts';
import { Fault, toDiskFault } from '../config/errors.ts';
import { Retries } from '../config/retries.ts';
import { UnderWay } from '../config/under-way.ts';
import { failpoint } from '../observe/failpoint.ts';
import { questionsLog } from '../observe/logger.ts';
import type { Inboxes } from '../sessions/inbox.ts';
import type { ChatStore } from '../store/chats.ts';
import type { Question, QuestionStore } from '../store/questions.ts';
import type { SessionStore } from '../store/sessions.ts';
import type { Transcript } from '../store/transcript.ts';
import type { SaidInChat } from './apply.ts';
import { describeEndForAgent } from './plan.ts';

/** `later`: its message is not sent yet; `again`: the platform did not take the edit now. */
export type Shown = 'shown' | 'later' | 'again';

export interface EndingParts {
  questions: QuestionStore;
  sessions: SessionStore;
  chats: ChatStore;
  transcript: Transcript;
  inboxes: Inboxes;
  /** Work was queued for a session's agent. */
  onWorkChanged: (id: SessionId) => void;
  /**
   * Shows in the chat how it stands now: the message's text becomes that. Never throws for what a platform does, and
   * does not wait for it any more when the signal aborts.
   */
  showEnd: (question: Question, stop: AbortSignal) => Promise<Shown>;
  now: () => number;
}

/** First wait before a row or an edit is tried again, doubled each time. */
const TRY_AGAIN_MS = 1_000;
/** Tries in one run of the host; the next start goes on. Higher: a chat that is gone is knocked at for hours. */
const MAX_TRIES = 8;
/** Endings taken up again at a start. */
const MAX_RESUMED = 1_000;

export class Endings implements AsyncDisposable {
  readonly #parts: EndingParts;
  /** What is under way; true: it has changed meanwhile and is done once more. */
  readonly #running = new Map<MessageId, boolean>();
  readonly #retries = new Retries();
  readonly #underWay = new UnderWay();
  readonly #stop = new AbortController();

  constructor(parts: EndingParts) {
    this.#parts = parts;
  }

  /** After a start: what an earlier host did not finish. */
  resume(): void {
    const { questions } = this.#parts;
    const ids = [...questions.listUntold(MAX_RESUMED), ...questions.listUnshown(MAX_RESUMED)].map(
      (one) => one.messageId,
    );
    for (const id of new Set(ids)) this.finish(id);
  }

  /** Tells and shows the end of a question, as far as that is still to be done. */
  finish(messageId: MessageId, tries = 0): void {
    if (this.#stop.signal.aborted) return;
    if (this.#running.has(messageId)) {
      this.#running.set(messageId, true);
      return;
    }
    this.#running.set(messageId, false);
    void this.#underWay.add(this.#runOnce(messageId, tries));
  }

  async #runOnce(messageId: MessageId, tries: number): Promise<void> {
    const isDone = await this.#run(messageId);
    const hasChanged = this.#running.get(messageId) === true;
    this.#running.delete(messageId);
    if (hasChanged) this.finish(messageId);
    else if (!isDone && tries < MAX_TRIES)
      this.#retries.after(TRY_AGAIN_MS * 2 ** tries, () => this.finish(messageId, tries + 1));
  }

  /** What the person wrote, as a message of the conversation it belongs to. */
  showSaid(question: Question, said: SaidInChat): { sessionId: SessionId; messageId: MessageId } {
    const { sessions, transcript } = this.#parts;
    const asking = sessions.get(question.sessionId);
    const isAtHome = asking !== null && (asking.messagingGroupId === null || asking.messagingGroupId === said.chat.id);
    const sessionId = (isAtHome ? null : sessions.findInChat(said.chat.id))?.id ?? question.sessionId;
    // As the row that tells the agent, it is read and answered with it.
    const isRow = sessionId === question.sessionId && question.approvalId === null;
    const messageId = isRow
      ? endingId(question.messageId)
      : deriveMessageId(question.messageId, 'said', said.clientId ?? '');
    transcript.put({
      id: messageId,
      sessionId,
      messagingGroupId: said.chat.id,
      threadId: said.threadId,
      direction: 'in',
      kind: 'chat',
      authorId: said.senderId,
      authorName: said.senderName,
      destination: null,
      text: said.text,
      attachments: [],
      inReplyTo: question.messageId,
      state: isRow ? 'queued' : 'answered',
      stateReason: null,
      clientId: said.clientId,
      traceId: makeId('trace', said.receivedAt),
      stamps: { received: said.receivedAt },
      createdAt: Math.floor(said.receivedAt),
    });
    return { sessionId, messageId };
  }

  async #run(messageId: MessageId): Promise<boolean> {
    try {
      const done = await Promise.all([this.#tell(messageId), this.#show(messageId)]);
      return done.every((isDone) => isDone);
    } catch (error) {
      // Closed in the middle: the rows say what is left to do.
      if (this.#stop.signal.aborted) return true;
      const fault = error instanceof Fault ? error : toDiskFault(error);
      if (fault === null) throw error;
      questionsLog.warn({ messageId, err: fault }, 'the end of a question could not be told, and is tried again');
      return !fault.retryable;
    }
  }

  async #tell(messageId: MessageId): Promise<boolean> {
    const { questions, sessions, inboxes, onWorkChanged, now } = this.#parts;
    const question = questions.get(messageId);
    if (question === null || question.state === 'pending' || !questions.isUntold(messageId)) return true;
    const session = sessions.get(question.sessionId);
    if (session !== null) {
      sessions.markOpen(session.id, now());
      failpoint('questions.before-tell');
      await inboxes.commit(session, (tables) => tables.append([this.#makeRow(question)]));
      failpoint('questions.told');
      if (this.#stop.signal.aborted) return true;
      onWorkChanged(session.id);
    }
    questions.markTold(messageId);
    return true;
  }

  #makeRow(question: Question) {
    const { chats, transcript, now } = this.#parts;
    const chat = chats.get(question.messagingGroupId);
    const isAnswered = question.state === 'answered';
    return {
      id: endingId(question.messageId),
      kind: 'system' as const,
      timestamp: Math.floor(question.answeredAt ?? now()),
      processAfter: null,
      trigger: true,
      onWake: false,
      channelType: chat?.channelType ?? null,
      platformId: chat?.platformId ?? null,
      threadId: question.threadId,
      senderId: question.answeredBy,
      sourceSessionId: null,
      inReplyTo: question.messageId,
      hop: 0,
      traceId: transcript.peek(question.messageId)?.traceId ?? makeId('trace', now()),
      content: JSON.stringify({
        text: describeEndForAgent(question),
        senderName: isAnswered ? (question.answeredByName ?? '').slice(0, MAX_NAME) : 'host',
        attachments: [],
        event: isAnswered ? 'question_answered' : 'question_expired',
        answer: {
          questionId: question.messageId,
          choice: question.answer,
          by: (question.answeredByName ?? '').slice(0, MAX_NAME),
        },
      }),
    };
  }

  async #show(messageId: MessageId): Promise<boolean> {
    const { questions, showEnd } = this.#parts;
    const question = questions.get(messageId);
    if (question === null || !questions.isUnshown(messageId)) return true;
    const shown = await showEnd(question, this.#stop.signal);
    if (this.#stop.signal.aborted) return true;
    // Changed meanwhile: the run after this one shows what holds then.
    if (shown === 'shown' && this.#running.get(messageId) !== true) questions.markShown(messageId, true);
    return shown !== 'again';
  }

  /** Begins nothing more, and waits for what is under way: for an inbox, but for no platform. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#retries[Symbol.dispose]();
    await this.#underWay[Symbol.asyncDispose]();
  }
}

/** Longest name that the runner's schema takes. */
const MAX_NAME = 200;

/** The row that tells the agent how its question ended. */
function endingId(questionId: MessageId): MessageId {
  return deriveMessageId(questionId, 'end');
}
