/** A channel whose platform is the test process: what the platform was told outlives the host. */
import { closeSync, openSync, readSync } from 'node:fs';
import type {
  Channel,
  ChannelAbilities,
  ChannelAddress,
  OutgoingFile,
  OutgoingMessage,
  ProbeOutcome,
  SendOutcome,
} from '../../../host/delivery/channel.ts';
import type { Boundaries } from './boundaries.ts';
import { CHANNEL_OF, type FromHosted, type Idempotency, type SentFile } from './protocol.ts';

type Answer = { op: 'sent'; outcome: SendOutcome } | { op: 'probed'; outcome: ProbeOutcome };

/** Bytes of a file that the platform is shown. */
const HEAD_BYTES = 4_096;

export class RemoteChannel implements Channel {
  readonly type: string;
  readonly abilities: ChannelAbilities;
  readonly #boundaries: Boundaries;
  readonly #tell: (message: FromHosted) => void;
  readonly #open = new Map<number, (answer: Answer) => void>();

  constructor(idempotency: Idempotency, boundaries: Boundaries, tell: (message: FromHosted) => void) {
    this.type = CHANNEL_OF[idempotency];
    this.abilities = { idempotency, canEdit: false, canReact: false, typing: null, canAsk: false };
    this.#boundaries = boundaries;
    this.#tell = tell;
  }

  /** Whether the answer was for a call of this channel. */
  settle(call: number, answer: Answer): boolean {
    const resolve = this.#open.get(call);
    this.#open.delete(call);
    resolve?.(answer);
    return resolve !== undefined;
  }

  async send(message: OutgoingMessage): Promise<SendOutcome> {
    this.#boundaries.at('platform calling');
    const { address, idempotencyKey: key, text } = message;
    const answer = await this.#ask((call) => ({
      ...{ op: 'send', call, channelType: this.type, key, text, ...address },
      files: message.files.map(readHead),
    }));
    this.#boundaries.at('platform answered');
    if (answer.op !== 'sent') throw new Error('another answer was expected');
    return answer.outcome;
  }

  async probe(_address: ChannelAddress, key: string): Promise<ProbeOutcome> {
    this.#boundaries.at('platform probing');
    const answer = await this.#ask((call) => ({ op: 'probe', call, channelType: this.type, key }));
    this.#boundaries.at('platform probed');
    if (answer.op !== 'probed') throw new Error('another answer was expected');
    return answer.outcome;
  }

  #ask(make: (call: number) => FromHosted): Promise<Answer> {
    const call = ++calls;
    return new Promise((resolve) => {
      this.#open.set(call, resolve);
      this.#tell(make(call));
    });
  }
}

let calls = 0;

function readHead(file: OutgoingFile): SentFile {
  const fd = openSync(file.path, 'r');
  const head = Buffer.alloc(HEAD_BYTES);
  const bytes = readSync(fd, head, 0, HEAD_BYTES, 0);
  closeSync(fd);
  return { name: file.name, sizeBytes: file.sizeBytes, head: head.toString('latin1', 0, bytes) };
}
