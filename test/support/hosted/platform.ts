/**
 * The platforms behind a hosted process's channels, held by the test: they survive every kill and remember
 * every call, as a chat service on the other side of the world would.
 */
import type { ProbeOutcome, SendOutcome } from '../../../host/delivery/channel.ts';
import { CHANNEL_OF, type PlatformCall } from './protocol.ts';

export interface Posted extends PlatformCall {
  platformMessageId: string;
  /** When the platform had it, as `performance.now()`. */
  at: number;
}

export class Platform {
  /** What people see, in order; a double of class probe or none stands here twice. */
  readonly posted: Posted[] = [];
  /** Calls, those included that class native recognised by their key. */
  calls = 0;
  /** Told of each call before it is answered. */
  onCall: (() => void) | null = null;
  /** Told of each post. */
  onPost: ((posted: Posted) => void) | null = null;

  send(call: PlatformCall): SendOutcome {
    this.calls++;
    this.onCall?.();
    const known = this.#find(call.channelType, call.key);
    if (known !== undefined && call.channelType === CHANNEL_OF.native) {
      return { kind: 'sent', platformMessageId: known.platformMessageId };
    }
    const platformMessageId = `p${this.posted.length + 1}`;
    const posted = { ...call, platformMessageId, at: performance.now() };
    this.posted.push(posted);
    this.onPost?.(posted);
    return { kind: 'sent', platformMessageId };
  }

  probe(channelType: string, key: string): ProbeOutcome {
    this.onCall?.();
    const known = this.#find(channelType, key);
    return known === undefined ? { kind: 'missing' } : { kind: 'present', platformMessageId: known.platformMessageId };
  }

  inChat(channelType: string, platformId: string): Posted[] {
    return this.posted.filter((each) => each.channelType === channelType && each.platformId === platformId);
  }

  #find(channelType: string, key: string): Posted | undefined {
    return this.posted.find((each) => each.channelType === channelType && each.key === key);
  }
}
