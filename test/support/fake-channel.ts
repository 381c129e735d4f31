/** A channel whose platform is this object: it remembers what it was sent, by key, and can fail on demand. */
import type {
  Channel,
  ChannelAbilities,
  ChannelAddress,
  OutgoingMessage,
  OutgoingQuestion,
  ProbeOutcome,
  SendOutcome,
} from '../../host/delivery/channel.ts';

export interface SentMessage {
  key: string;
  address: ChannelAddress;
  text: string;
  /** Shown as buttons. */
  question: OutgoingQuestion | null;
  files: string[];
}

export class FakeChannel implements Channel {
  readonly type: string;
  abilities: ChannelAbilities;
  /** What people see in the chat, doubles included. */
  readonly visible: SentMessage[] = [];
  readonly edits: { platformMessageId: string; text: string }[] = [];
  readonly reactions: { platformMessageId: string; emoji: string }[] = [];
  readonly typing: { address: ChannelAddress; typing: boolean }[] = [];
  /** Answers for the next calls, first in first out; then everything is sent. `lost`: sent, but the answer is lost. */
  readonly script: (SendOutcome | 'lost' | 'throws' | 'hangs')[] = [];
  calls = 0;
  readonly #byKey = new Map<string, string>();

  constructor(type: string, idempotency: ChannelAbilities['idempotency']) {
    this.type = type;
    this.abilities = { idempotency, canEdit: true, canReact: true, typing: { lifetimeMs: null }, canAsk: false };
  }

  async send(message: OutgoingMessage, signal: AbortSignal): Promise<SendOutcome> {
    this.calls++;
    const scripted = this.script.shift();
    if (scripted === 'throws') throw new Error('the connection broke');
    if (scripted === 'hangs') return hang(signal);
    if (scripted !== undefined && scripted !== 'lost') return scripted;
    const platformMessageId = this.#show(message);
    return scripted === 'lost'
      ? { kind: 'uncertain', reason: 'the answer was lost' }
      : { kind: 'sent', platformMessageId };
  }

  #show(message: OutgoingMessage): string {
    const known = this.#byKey.get(message.idempotencyKey);
    if (known !== undefined && this.abilities.idempotency === 'native') return known;
    const id = `p${this.visible.length + 1}`;
    this.#byKey.set(message.idempotencyKey, id);
    this.visible.push({
      key: message.idempotencyKey,
      address: message.address,
      text: message.text,
      question: message.question,
      files: message.files.map((file) => file.name),
    });
    return id;
  }

  async edit(_address: ChannelAddress, platformMessageId: string, text: string): Promise<SendOutcome> {
    this.edits.push({ platformMessageId, text });
    return { kind: 'sent', platformMessageId };
  }

  async react(_address: ChannelAddress, platformMessageId: string, emoji: string): Promise<SendOutcome> {
    this.reactions.push({ platformMessageId, emoji });
    return { kind: 'sent', platformMessageId };
  }

  async probe(_address: ChannelAddress, idempotencyKey: string): Promise<ProbeOutcome> {
    const known = this.#byKey.get(idempotencyKey);
    return known === undefined ? { kind: 'missing' } : { kind: 'present', platformMessageId: known };
  }

  setTyping(address: ChannelAddress, typing: boolean): void {
    this.typing.push({ address, typing });
  }
}

function hang(signal: AbortSignal): Promise<SendOutcome> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('aborted')));
  });
}
