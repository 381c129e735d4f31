/** Shows in the chat how a question stands: its message's text becomes that, on the platform too where it can. */
import type { Shown } from '../questions/endings.ts';
import { describeEnd, renderEnded } from '../questions/plan.ts';
import type { ChatStore } from '../store/chats.ts';
import type { Question } from '../store/questions.ts';
import type { Transcript } from '../store/transcript.ts';
import { callChannel } from './call.ts';
import type { Channel } from './channel.ts';

export class QuestionEnds {
  readonly #transcript: Transcript;
  readonly #chats: ChatStore;
  readonly #channels: ReadonlyMap<string, Channel>;
  readonly #renderCard: (question: Question, hasButtons: boolean) => string;

  /** `renderCard`: the card of an approval as it stands, open or over. */
  constructor(
    transcript: Transcript,
    chats: ChatStore,
    channels: ReadonlyMap<string, Channel>,
    renderCard: (question: Question, hasButtons: boolean) => string,
  ) {
    this.#transcript = transcript;
    this.#chats = chats;
    this.#channels = channels;
    this.#renderCard = renderCard;
  }

  /**
   * Does the same however often it is called: a second edit with the same text changes nothing, and what is uncertain
   * is done again. Never throws for what a platform does; `stop` cuts off what it is waited for.
   */
  async show(question: Question, stop: AbortSignal): Promise<Shown> {
    const message = this.#transcript.get(question.messageId);
    if (message === null) return 'shown';
    // Its delivery tells when it is over.
    if (message.state === 'queued' || message.state === 'sending') return 'later';
    const isCard = question.approvalId !== null;
    // The transcript is read as text, by people and programs.
    const text = isCard
      ? this.#renderCard(question, false)
      : renderEnded(question, message.authorName, describeEnd(question));
    this.#transcript.change(message.id, { text });
    const chat = this.#chats.get(question.messagingGroupId);
    if (chat === null || message.platformMessageId === null) return 'shown';
    const channel = this.#channels.get(chat.channelType);
    if (channel === undefined) return 'again';
    const edit = channel.edit?.bind(channel);
    if (!channel.abilities.canEdit || edit === undefined) return 'shown';
    const address = { platformId: chat.platformId, threadId: question.threadId };
    const shown = isCard && channel.abilities.canAsk ? this.#renderCard(question, true) : text;
    const { platformMessageId } = message;
    const { kind } = await callChannel((signal) => edit(address, platformMessageId, shown, signal), stop);
    return kind === 'retry' || kind === 'uncertain' ? 'again' : 'shown';
  }
}
