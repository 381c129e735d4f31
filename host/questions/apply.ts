/**
 * Questions put to people in a chat, by agents and by the host itself.
 *
 * I1. A question is recorded before anything of it is shown.
 * I2. The first answer counts; its record and the ledger's are one commit. Who comes later is told who decided,
 *     and wakes nobody.
 * I3. Who may answer is looked up at the answer (I5 of the architecture).
 * I4. How it ended reaches the agent as one row, and the chat as an edit: both are noted as undone in the commit
 *     that ends it, and done again after a crash.
 */
import type { ApprovalId, MessageId, SessionId, UserId } from '../../shared/ids.ts';
import { mayAnswerAgent } from '../access/answer.ts';
import { assertNever } from '../config/errors.ts';
import type { ChatStore, MessagingGroup } from '../store/chats.ts';
import type { Ledger } from '../store/ledger.ts';
import type { Question, QuestionStore } from '../store/questions.ts';
import type { SessionStore } from '../store/sessions.ts';
import type { UserStore } from '../store/users.ts';
import type { WiringStore } from '../store/wirings.ts';
import { type EndingParts, Endings } from './endings.ts';
import { ExpiryTimer } from './expiry-timer.ts';
import {
  type AnswerRefusal,
  DEFAULT_TIMEOUT_MS,
  describeRefusal,
  EXPIRED_WINDOW_MS,
  findFlaw,
  MAX_ANSWER_LENGTH,
  markOf,
  planAnswer,
  planHear,
  type QuestionContent,
} from './plan.ts';

export interface GivenAnswer {
  /** An option's text, or its number. */
  choice: string;
  by: UserId;
  /** As the platform shows the person; what the host knows of them comes first. */
  byName?: string;
  /** The chat it comes from, null for the API. */
  from: MessagingGroup['id'] | null;
  /** Of the message that answers, null when a button does. */
  clientId?: string | null;
  /** Why, in the person's words; kept and shown with the decision of an approval. */
  note?: string | null;
}

export type AnswerOutcome =
  /** `words` are for the person: what the answer did. */
  | { kind: 'accepted'; option: string; words: string }
  /** `words` are for the person. */
  | { kind: 'refused'; reason: AnswerRefusal; words: string };

export interface QuestionParts extends EndingParts {
  questions: QuestionStore;
  sessions: SessionStore;
  chats: ChatStore;
  wirings: WiringStore;
  users: UserStore;
  ledger: Ledger;
  /** Cards: who may answer, and what follows, is up to their approval. */
  approvals: {
    mayDecide: (approvalId: ApprovalId, by: UserId) => boolean;
    decide: (approvalId: ApprovalId, given: GivenAnswer) => AnswerOutcome;
    /** What people type to name it. */
    codeOf: (approvalId: ApprovalId) => string | null;
  };
  /** Whether questions have buttons on a channel. */
  hasButtons: (channelType: string) => boolean;
}

/** A message in a chat, as far as it can be an answer. */
export interface SaidInChat {
  chat: MessagingGroup;
  threadId: string | null;
  text: string;
  hasFiles: boolean;
  senderId: UserId;
  senderName: string;
  clientId: string | null;
  /** Epoch ms. */
  receivedAt: number;
}

export type Heard =
  | ({ kind: 'answer' } & HeardAnswer)
  /** Nothing was answered; `words` are for the person. */
  | { kind: 'ask_which'; words: string };

/** The message of the transcript that shows what a person answered. */
export interface HeardAnswer {
  sessionId: SessionId;
  messageId: MessageId;
  /** Whether an agent is woken for it. */
  engaged: boolean;
  /** The same message was heard before. */
  repeated: boolean;
}

/** Open questions of one chat that a text is held against, newest first. Higher: work for each short message. Lower: an older one is not seen, and a number counts that could mean it. */
const MAX_MATCHED = 50;
/** Questions ended by one firing of the timer. Higher: a longer stop. */
const MAX_EXPIRED_AT_ONCE = 200;

export class Questions implements AsyncDisposable {
  readonly #parts: QuestionParts;
  readonly #endings: Endings;
  readonly #expiry: ExpiryTimer;

  constructor(parts: QuestionParts) {
    this.#parts = parts;
    this.#endings = new Endings(parts);
    this.#expiry = new ExpiryTimer({
      next: () => parts.questions.nextExpiry(),
      expire: (now) => this.#expire(now),
      now: parts.now,
    });
  }

  /** After a start, when sessions can be woken and chats be edited. */
  start(): void {
    this.#expiry.start();
    this.#endings.resume();
  }

  /** Why this session may not ask this, in words for its agent; null when it may. `more` come with it. */
  findFlaw(sessionId: SessionId, content: QuestionContent, more: number): string | null {
    const { questions, now } = this.#parts;
    const expired = questions.countExpired(sessionId, now() - EXPIRED_WINDOW_MS);
    return findFlaw(content, questions.countOpen(sessionId) + more, expired);
  }

  /** Why a question is not sent any more that could not be sent before, in words; null when it is. */
  refuseSend(messageId: MessageId): string | null {
    const state = this.get(messageId)?.state;
    return state === 'expired' || state === 'withdrawn' ? 'its time was over before it could be shown' : null;
  }

  /** Records an agent's question, before it is shown; once per message, whatever is told again. */
  open(
    where: { messageId: MessageId; sessionId: SessionId; chat: MessagingGroup; threadId: string | null },
    { title, question, options, timeoutS }: QuestionContent,
  ): void {
    const createdAt = this.#parts.now();
    const expiresAt = createdAt + (timeoutS === undefined ? DEFAULT_TIMEOUT_MS : timeoutS * 1_000);
    const { messageId, sessionId, chat, threadId } = where;
    this.#parts.questions.open({
      messageId,
      sessionId,
      messagingGroupId: chat.id,
      threadId,
      approvalId: null,
      title,
      question,
      options,
      expiresAt,
      createdAt,
    });
    this.#expiry.note(expiresAt);
  }

  get(messageId: MessageId): Question | null {
    return this.#parts.questions.get(messageId);
  }

  /** What a person chose. */
  answer(messageId: MessageId, given: GivenAnswer): AnswerOutcome {
    const { questions, ledger, now } = this.#parts;
    const question = questions.get(messageId);
    const isHere = question !== null && (given.from === null || given.from === question.messagingGroupId);
    if (question !== null && isHere && question.approvalId !== null) {
      return this.#parts.approvals.decide(question.approvalId, given);
    }
    const at = now();
    const mayAnswer = question !== null && this.#mayAnswer(question, given);
    const plan = planAnswer({ question, isHere, mayAnswer, choice: given.choice }, at);
    if (plan.kind === 'refuse' || question === null) {
      const reason = plan.kind === 'refuse' ? plan.reason : 'unknown';
      return { kind: 'refused', reason, words: describeRefusal(reason, question) };
    }
    const { option } = plan;
    questions.transaction(() => {
      const answer = {
        answer: option,
        by: given.by,
        byName: this.#nameOf(given),
        clientId: given.clientId ?? null,
        at,
      };
      if (!questions.answer(messageId, answer)) throw new Error('an open question could not be answered');
      ledger.append(
        {
          kind: 'question.answered',
          sessionId: question.sessionId,
          messageId,
          actor: given.by,
          detail: { choice: option, from: given.from },
        },
        at,
      );
    });
    this.#endings.finish(messageId);
    return { kind: 'accepted', option, words: `“${option}” was chosen.` };
  }

  /**
   * Whether a message is the answer to an open question of its chat and thread that this person may answer: then it
   * is taken as that, and is no message to an agent. Null: it is an ordinary message.
   */
  hear(said: SaidInChat): Heard | null {
    const { questions, hasButtons, now } = this.#parts;
    const text = said.text.trim();
    if (text === '' || text.length > MAX_ANSWER_LENGTH || said.hasFiles) return null;
    const before = said.clientId === null ? null : questions.findByClient(said.chat.id, said.clientId);
    if (before !== null) return this.#showHeard(before, said, true);
    const given = { by: said.senderId, byName: said.senderName, from: said.chat.id, clientId: said.clientId };
    const at = now();
    const open = questions
      .listOpenIn(said.chat.id, said.threadId, MAX_MATCHED)
      // What this person may not answer does not stand in the way of what they may.
      .filter((one) => one.expiresAt > at && this.#mayAnswer(one, given));
    const plan = planHear(text, {
      open: open.map((one) => ({ ...one, isCard: one.approvalId !== null, mark: this.#markOf(one) })),
      hasButtons: hasButtons(said.chat.channelType),
    });
    switch (plan.kind) {
      case 'message':
        return null;
      case 'ask_which':
        return plan;
      case 'answer': {
        const { question, option } = plan;
        const outcome = this.answer(question.messageId, { ...given, choice: option });
        if (outcome.kind === 'accepted') return this.#showHeard(question, said, false);
        // Meant for the host, by its mark: it is nothing for an agent.
        return question.approvalId === null ? null : { kind: 'ask_which', words: outcome.words };
      }
      default:
        return assertNever(plan);
    }
  }

  #showHeard(question: Question, said: SaidInChat, repeated: boolean): Heard {
    const shown = this.#endings.showSaid(question, said);
    return { kind: 'answer', ...shown, engaged: question.approvalId === null, repeated };
  }

  /** The delivery of a question came to its end: without success there is nobody to answer it. */
  delivered(messageId: MessageId, state: 'delivered' | 'failed' | 'refused' | 'unknown'): void {
    const lost = state === 'failed' || state === 'refused';
    if (lost) this.#parts.questions.close(messageId, 'withdrawn');
    this.#endings.finish(messageId);
  }

  /** What is shown of its end has changed. */
  showAgain(messageId: MessageId): void {
    this.#parts.questions.markShown(messageId, false);
    this.#endings.finish(messageId);
  }

  /** I3 */
  #mayAnswer(question: Question, { by, from }: Pick<GivenAnswer, 'by' | 'from'>): boolean {
    const { sessions, chats, wirings, users, approvals } = this.#parts;
    if (question.approvalId !== null) return approvals.mayDecide(question.approvalId, by);
    const session = sessions.get(question.sessionId);
    const chat = chats.get(question.messagingGroupId);
    if (session === null || chat === null) return false;
    return mayAnswerAgent({
      isKnown: users.isKnown(by, session.agentGroupId),
      wiring: wirings.listFor(chat.id).find((wiring) => wiring.agentGroupId === session.agentGroupId) ?? null,
      unknownSenderPolicy: chat.unknownSenderPolicy,
      isInChat: from === chat.id,
    });
  }

  #markOf({ messageId, approvalId }: Question): string {
    return (approvalId === null ? null : this.#parts.approvals.codeOf(approvalId)) ?? markOf(messageId);
  }

  #nameOf({ by, byName }: GivenAnswer): string {
    return this.#parts.users.get(by)?.displayName || byName || by;
  }

  #expire(now: number): void {
    const { questions, ledger } = this.#parts;
    for (const { messageId, sessionId, expiresAt } of questions.listExpired(now, MAX_EXPIRED_AT_ONCE)) {
      questions.transaction(() => {
        if (!questions.close(messageId, 'expired')) return;
        ledger.append({ kind: 'question.expired', sessionId, messageId, actor: null, detail: { expiresAt } }, now);
      });
      this.#endings.finish(messageId);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#expiry[Symbol.dispose]();
    await this.#endings[Symbol.asyncDispose]();
  }
}
