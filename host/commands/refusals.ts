/**
 * Commands that somebody had no right to give: all are counted, and of those that would fill the ledger at a
 * stranger's wish one is recorded in a while.
 */
import type { MessageId } from '../../shared/ids.ts';
import type { DroppedStore } from '../store/dropped.ts';
import type { Ledger } from '../store/ledger.ts';
import { MAX_REFUSALS_NOTED, REFUSAL_NOTED_ONCE_MS } from './limits.ts';
import type { Spoken } from './ports.ts';

export class Refusals {
  readonly #ledger: Ledger;
  readonly #dropped: DroppedStore;
  /** When each person's refusal of each command was recorded; as many as are recorded within the time. */
  readonly #noted = new Map<string, number>();

  constructor(ledger: Ledger, dropped: DroppedStore) {
    this.#ledger = ledger;
    this.#dropped = dropped;
  }

  /** Not what followed the command: that may be a code. */
  note(command: string, id: MessageId, spoken: Spoken, now: number): void {
    const { senderId, channelType, platformId } = spoken;
    this.#dropped.record({ channelType, platformId, senderId, reason: 'command_refused', now });
    for (const [key, at] of this.#noted) if (now - at >= REFUSAL_NOTED_ONCE_MS || at > now) this.#noted.delete(key);
    const key = JSON.stringify([senderId, command]);
    if (this.#noted.has(key) || this.#noted.size >= MAX_REFUSALS_NOTED) return;
    this.#noted.set(key, now);
    const detail = { command, channelType, platformId };
    this.#ledger.append({ kind: 'command.refused', sessionId: null, messageId: id, actor: senderId, detail }, now);
  }
}
