/** The card of an approval: made, recorded and sent to the one chat that is asked. Asking twice is asking once. */
import { type ApprovalId, deriveMessageId, type MessageId, type MessagingGroupId, makeId } from '../../shared/ids.ts';
import { approvalsLog } from '../observe/logger.ts';
import { HOST_NAME, renderCard } from '../questions/plan.ts';
import type { Approval } from '../store/approvals.ts';
import type { ChatStore, MessagingGroup } from '../store/chats.ts';
import type { NewQuestion, QuestionStore } from '../store/questions.ts';
import type { Session, SessionStore } from '../store/sessions.ts';
import type { Transcript } from '../store/transcript.ts';
import type { UserStore } from '../store/users.ts';
import { planAsk } from './plan.ts';

/** Open cards in one chat; the others wait until some are decided. Higher: strangers flood an admin. Lower: decisions queue up. */
const MAX_CARDS_PER_CHAT = 20;
/** Cards sent again at a start. */
const MAX_RESUMED = 500;

export interface CardParts {
  questions: QuestionStore;
  users: UserStore;
  chats: ChatStore;
  sessions: SessionStore;
  transcript: Transcript;
  /** Whether cards can be sent by this channel now. */
  isConnected: (channelType: string) => boolean;
  /** Sends a message of the transcript by its chat's channel; its end is told to `cardDelivered`. */
  sendCard: (messageId: MessageId) => void;
  now: () => number;
}

export class Cards {
  readonly #parts: CardParts;

  constructor(parts: CardParts) {
    this.#parts = parts;
  }

  /** Puts the card before the first person who can be reached. `again`: also where it could not be sent before. */
  ask(approval: Approval, mode: 'once' | 'again'): void {
    const chatId = this.#chooseChat(approval, mode);
    const chat = chatId === null ? null : this.#parts.chats.get(chatId);
    const session = chat === null ? null : this.#chooseSession(approval, chat);
    if (chat === null || session === null) {
      approvalsLog.info({ approvalId: approval.id, action: approval.action }, 'nobody can be asked now');
      return;
    }
    const card: NewQuestion = {
      messageId: cardId(approval.id, chat.id),
      sessionId: session.id,
      messagingGroupId: chat.id,
      threadId: null,
      approvalId: approval.id,
      title: approval.title,
      question: approval.question,
      options: approval.options.map(({ text }) => text),
      expiresAt: approval.expiresAt,
      createdAt: this.#parts.now(),
    };
    this.#parts.questions.open(card);
    this.#show(card);
  }

  /** After a start: what an earlier host recorded and did not finish sending. */
  resume(): void {
    for (const card of this.#parts.questions.listOpenCards(MAX_RESUMED)) {
      const state = this.#parts.transcript.get(card.messageId)?.state;
      if (state === undefined) this.#show(card);
      else if (state === 'queued' || state === 'sending') this.#parts.sendCard(card.messageId);
    }
  }

  #show(card: NewQuestion): void {
    const { transcript } = this.#parts;
    transcript.put({
      id: card.messageId,
      sessionId: card.sessionId,
      messagingGroupId: card.messagingGroupId,
      threadId: null,
      direction: 'out',
      kind: 'question',
      authorId: null,
      authorName: HOST_NAME,
      destination: null,
      text: renderCard(card, false),
      attachments: [],
      inReplyTo: null,
      state: 'queued',
      stateReason: null,
      clientId: null,
      traceId: makeId('trace', card.createdAt),
      stamps: {},
      createdAt: card.createdAt,
    });
    // One that failed before is sent once more.
    transcript.change(card.messageId, { state: 'queued', stateReason: null });
    transcript.flush();
    this.#parts.sendCard(card.messageId);
  }

  #chooseChat(approval: Approval, mode: 'once' | 'again'): MessagingGroupId | null {
    const { questions, users, sessions, chats, isConnected } = this.#parts;
    const tried = new Set(
      mode === 'again' ? [] : questions.listCards(approval.id).map((card) => card.messagingGroupId),
    );
    const requester = approval.requesterSessionId === null ? null : sessions.get(approval.requesterSessionId);
    const from = requester?.messagingGroupId == null ? null : chats.get(requester.messagingGroupId);
    return planAsk({
      agentGroupId: approval.agentGroupId,
      holders: users.listRoleHolders(approval.agentGroupId),
      preferredChannel: from?.channelType ?? null,
      isClosed: ({ messagingGroupId, channelType }) =>
        tried.has(messagingGroupId) ||
        !isConnected(channelType) ||
        questions.countOpenCards(messagingGroupId) >= MAX_CARDS_PER_CHAT,
    });
  }

  /** Every message belongs to a session: the chat's own, else the one that asks, else one of the agent it is about. */
  #chooseSession(approval: Approval, chat: MessagingGroup): Session | null {
    const { sessions } = this.#parts;
    const requester = approval.requesterSessionId === null ? null : sessions.get(approval.requesterSessionId);
    return (
      sessions.findInChat(chat.id) ??
      requester ??
      (approval.agentGroupId === null ? undefined : sessions.listRecent(1, null, approval.agentGroupId)[0]) ??
      sessions.listRecent(1)[0] ??
      null
    );
  }
}

/** One per approval and chat: told twice, it is one card. */
function cardId(approvalId: ApprovalId, chatId: MessagingGroupId): MessageId {
  return deriveMessageId(approvalId, chatId, 'card');
}
