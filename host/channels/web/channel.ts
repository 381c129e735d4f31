/**
 * The channel of this host's own page. Its platform is the transcript: a message is sent when its row is
 * committed there, and the event stream tells the pages.
 *
 * Idempotency native: the message id is the key, and the transcript keeps one row per id.
 */
import { errorCode, toDiskFault } from '../../config/errors.ts';
import type { Channel, ChannelAbilities, OutgoingMessage, SendOutcome } from '../../delivery/channel.ts';
import type { Transcript } from '../../store/transcript.ts';
import type { KeptFiles } from './kept-files.ts';

const SENT_WITHOUT_ID: SendOutcome = { kind: 'sent', platformMessageId: null };

export class WebChannel implements Channel {
  readonly type: string = 'web';
  /** Pages see typing in the event stream. */
  readonly abilities: ChannelAbilities = {
    idempotency: 'native',
    canEdit: true,
    canReact: true,
    typing: null,
    canAsk: true,
  };
  readonly #files: Pick<KeptFiles, 'keep'>;
  readonly #transcript: Pick<Transcript, 'flush'>;

  constructor(files: Pick<KeptFiles, 'keep'>, transcript: Pick<Transcript, 'flush'>) {
    this.#files = files;
    this.#transcript = transcript;
  }

  /** Delivery has told the transcript of this message; it counts as sent once that is on the disk. */
  async send(message: OutgoingMessage): Promise<SendOutcome> {
    try {
      await this.#files.keep(message);
      this.#transcript.flush();
    } catch (error) {
      if (toDiskFault(error) === null) throw error;
      return { kind: 'retry', reason: `the disk of the host takes nothing (${errorCode(error)})`, retryAfterMs: null };
    }
    return { kind: 'sent', platformMessageId: message.messageId };
  }

  /** The transcript is the platform, and delivery writes the new text there. */
  async edit(): Promise<SendOutcome> {
    return SENT_WITHOUT_ID;
  }

  async react(): Promise<SendOutcome> {
    return SENT_WITHOUT_ID;
  }
}
