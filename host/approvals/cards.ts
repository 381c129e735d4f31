/**
 * The cards of an approval: made, recorded and sent to those who are asked. Asking twice is asking once.
 *
 * I1. Each person is asked in one chat of theirs alone, in the order of `planAsk`, as many as must approve; then
 *     one more whenever nobody decided for a while. Earlier cards stay valid.
 */
import { type ApprovalId, deriveMessageId, type MessageId, type MessagingGroupId, makeId } from '../../shared/ids.ts';
import { approvalsLog } from '../observe/logger.ts';
import { HOST_NAME, renderCard, renderHead } from '../questions/plan.ts';
import type { Approval, ApprovalStore } from '../store/approvals.ts';
import type { MessagingGroup } from '../store/chats.ts';
import type { NewQuestion, Question, QuestionStore } from '../store/questions.ts';
import type { Session } from '../store/sessions.ts';
import type { Transcript } from '../store/transcript.ts';
import { type CardFactParts, listApprovers, makeCardText } from './card-facts.ts';
import { describeHow, formatEndedCard } from './card-text.ts';
import { planAsk } from './plan.ts';

/** Open cards in one chat that agents asked for, and as many that the host did; the others wait until some are decided. Higher: strangers flood an admin. Lower: decisions queue up. */
const MAX_CARDS_PER_CHAT = 20;
/** Cards sent again at a start. */
const MAX_RESUMED = 500;

export interface CardParts extends CardFactParts {
  approvals: ApprovalStore;
  questions: QuestionStore;
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

  /**
   * Puts cards before as many people as must approve, and `more` beside those who are asked. `again`: also where
   * one could not be sent before. Whether somebody was asked anew.
   */
  ask(approval: Approval, mode: 'once' | 'again', more = 0): boolean {
    const chats = this.#chooseChats(approval, mode, more);
    if (chats.length === 0) {
      approvalsLog.info({ approvalId: approval.id, action: approval.action }, 'nobody more can be asked now');
      return false;
    }
    for (const chat of chats) this.#put(approval, chat);
    return true;
  }

  #put(approval: Approval, chat: MessagingGroup): void {
    const session = this.#chooseSession(approval, chat);
    if (session === null) return;
    const card: NewQuestion = {
      messageId: cardId(approval.id, chat.id),
      sessionId: session.id,
      messagingGroupId: chat.id,
      threadId: null,
      approvalId: approval.id,
      title: approval.title,
      question: this.#write(approval, listApprovers(this.#parts, approval)),
      options: approval.options.map(({ text }) => text),
      expiresAt: approval.expiresAt,
      createdAt: this.#parts.now(),
    };
    this.#parts.questions.open(card);
    this.#show(card, approval);
  }

  /** Who approved, or who may decide, has changed: its open cards say so. */
  refresh(approval: Approval): void {
    const { questions } = this.#parts;
    const text = this.#write(approval, listApprovers(this.#parts, approval));
    for (const { messageId } of questions.listCards(approval.id)) questions.rewrite(messageId, text);
  }

  /** In the commit that ends it: its cards say no more how far it came. Returns them all. */
  settle(approval: Approval): Question[] {
    const { questions } = this.#parts;
    const cards = questions.listCards(approval.id);
    const text = this.#write(approval, null);
    for (const { messageId } of cards) questions.rewrite(messageId, text);
    return cards;
  }

  #write(approval: Approval, approvedBy: readonly string[] | null): string {
    return makeCardText(this.#parts, approval, this.#parts.voices.findOrigin(approval.id), approvedBy);
  }

  /** A card as text, open or over; `hasButtons`: what to choose from stands beside it. */
  render(question: Question, hasButtons: boolean): string {
    const { approvals, users, voices } = this.#parts;
    const approval = question.approvalId === null ? null : approvals.get(question.approvalId);
    const head = renderHead(question, HOST_NAME);
    if (approval === null) return head;
    if (question.state === 'pending') return renderCard(question, hasButtons ? null : describeHow(approval));
    const voters = voices.listVotes(approval.id).filter(({ choice }) => choice === approval.choice);
    const by = voters.length > 0 ? voters.map(({ userId }) => userId) : [approval.decidedBy ?? []].flat();
    return formatEndedCard(
      head,
      approval,
      by.map((id) => users.get(id)?.displayName || id),
    );
  }

  /** After a start: what an earlier host recorded and did not finish sending. */
  resume(): void {
    for (const card of this.#parts.questions.listOpenCards(MAX_RESUMED)) {
      const state = this.#parts.transcript.get(card.messageId)?.state;
      const approval = card.approvalId === null ? null : this.#parts.approvals.get(card.approvalId);
      if (state === undefined && approval !== null) this.#show(card, approval);
      else if (state === 'queued' || state === 'sending') this.#parts.sendCard(card.messageId);
    }
  }

  #show(card: NewQuestion, approval: Approval): void {
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
      text: renderCard(card, describeHow(approval)),
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

  /** I1 */
  #chooseChats(approval: Approval, mode: 'once' | 'again', more: number): MessagingGroup[] {
    const { questions, voices, users, sessions, chats, isConnected } = this.#parts;
    const cards = questions.listCards(approval.id);
    const open = new Set(cards.filter(({ state }) => state === 'pending').map((card) => card.messagingGroupId));
    const tried = new Set(mode === 'again' ? [] : cards.map((card) => card.messagingGroupId));
    const requester = approval.requesterSessionId === null ? null : sessions.get(approval.requesterSessionId);
    const from = requester?.messagingGroupId == null ? null : chats.get(requester.messagingGroupId);
    const origin = voices.findOrigin(approval.id);
    // Strangers, about whom the host asks, take no place of agents.
    const by = approval.requesterMessageId === null ? 'host' : 'agents';
    const chosen = planAsk({
      agentGroupId: approval.agentGroupId,
      holders: users.listRoleHolders(approval.agentGroupId),
      preferredChannel: origin?.channelType ?? from?.channelType ?? null,
      atLeast: approval.quorum,
      more,
      voters: voices.listVotes(approval.id).map(({ personId }) => personId),
      isAsked: ({ messagingGroupId }) => open.has(messagingGroupId),
      isClosed: ({ messagingGroupId, channelType }) =>
        tried.has(messagingGroupId) ||
        !isConnected(channelType) ||
        questions.countOpenCards(messagingGroupId, by) >= MAX_CARDS_PER_CHAT,
    });
    return chosen.flatMap((id) => chats.get(id) ?? []);
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
