/** The channel of the bench: a platform that takes a message at once, and remembers when. Class native. */
import type { Channel, ChannelAbilities, OutgoingMessage, SendOutcome } from '../../host/delivery/channel.ts';
import { stampNow } from '../../shared/trace.ts';

/** A reply that takes longer has been lost. Higher: a broken host is noticed late. */
const REPLY_DEADLINE_MS = 60_000;

export interface Received {
  text: string;
  key: string;
  /** When the channel was asked to send it, from `stampNow`. */
  at: number;
}

interface Waiting {
  text: string;
  resolve: (at: number) => void;
}

export class BenchChannel implements Channel {
  readonly type = 'bench';
  readonly abilities: ChannelAbilities = {
    idempotency: 'native',
    canEdit: false,
    canReact: false,
    typing: null,
    canAsk: false,
  };
  /** What each chat was sent, doubles included, in order. */
  readonly #received = new Map<string, Received[]>();
  readonly #waiting = new Map<string, Waiting[]>();
  readonly #hangs = new Map<string, { ms: number; signal: AbortSignal }>();

  send(message: OutgoingMessage): Promise<SendOutcome> {
    const at = stampNow();
    const { platformId } = message.address;
    const received = this.#received.get(platformId) ?? [];
    this.#received.set(platformId, received);
    received.push({ text: message.text, key: message.idempotencyKey, at });
    const sent: SendOutcome = { kind: 'sent', platformMessageId: null };
    this.#resolve(platformId, message.text, at);
    const hang = this.#hangs.get(platformId);
    if (hang === undefined) return Promise.resolve(sent);
    this.#hangs.delete(platformId);
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(sent), hang.ms);
      // The measurement is over: nobody waits for the answer any more.
      hang.signal.addEventListener('abort', () => {
        clearTimeout(timer);
        resolve(sent);
      });
    });
  }

  /** The next send to this chat is answered only after `ms`, or when the signal fires. */
  hangNext(platformId: string, ms: number, signal: AbortSignal): void {
    this.#hangs.set(platformId, { ms, signal });
  }

  /** Resolves with the time at which a message with this text was sent to the chat. Call before asking. */
  awaitText(platformId: string, text: string): Promise<number> {
    return new Promise((resolve, reject) => {
      const deadline = setTimeout(
        () => reject(new Error(`no reply to "${text}" in ${platformId} within ${REPLY_DEADLINE_MS} ms`)),
        REPLY_DEADLINE_MS,
      );
      const waiting = this.#waiting.get(platformId) ?? [];
      this.#waiting.set(platformId, waiting);
      waiting.push({
        text,
        resolve: (at) => {
          clearTimeout(deadline);
          resolve(at);
        },
      });
    });
  }

  listReceived(platformId: string): readonly Received[] {
    return this.#received.get(platformId) ?? [];
  }

  #resolve(platformId: string, text: string, at: number): void {
    const waiting = this.#waiting.get(platformId);
    const index = waiting?.findIndex((one) => one.text === text) ?? -1;
    if (waiting === undefined || index === -1) return;
    waiting.splice(index, 1)[0]?.resolve(at);
  }
}
