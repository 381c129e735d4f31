/**
 * Commands that were not obeyed: for want of a right, or given too fast. All are counted; of the refused ones the
 * ledger has one in a while, for a stranger chooses how many there are.
 *
 * Counts gather in memory and are written together, so that a flood costs no commit for each. A crash forgets those
 * of the last second.
 */
import type { MessageId } from '../../shared/ids.ts';
import { toDiskFault } from '../config/errors.ts';
import { commandsLog } from '../observe/logger.ts';
import type { DroppedStore } from '../store/dropped.ts';
import type { Ledger } from '../store/ledger.ts';
import { COUNT_AFTER_MS, MAX_GATHERED, MAX_REFUSALS_NOTED, REFUSAL_NOTED_ONCE_MS } from './limits.ts';
import type { Spoken } from './ports.ts';

type Counted = Parameters<DroppedStore['recordAll']>[0][number];

export class Refusals implements Disposable {
  readonly #ledger: Ledger;
  readonly #dropped: DroppedStore;
  /** When each person's refusal of each command was recorded; as many as are recorded within the time. */
  readonly #noted = new Map<string, number>();
  readonly #gathered = new Map<string, Counted>();
  #timer: NodeJS.Timeout | null = null;

  constructor(ledger: Ledger, dropped: DroppedStore) {
    this.#ledger = ledger;
    this.#dropped = dropped;
  }

  /** For want of a right. Not what followed the command: that may be a code. */
  note(command: string, id: MessageId, spoken: Spoken, now: number): void {
    this.count('command_refused', spoken, now);
    const { senderId, channelType, platformId } = spoken;
    for (const [key, at] of this.#noted) if (now - at >= REFUSAL_NOTED_ONCE_MS || at > now) this.#noted.delete(key);
    const key = JSON.stringify([senderId, command]);
    if (this.#noted.has(key) || this.#noted.size >= MAX_REFUSALS_NOTED) return;
    this.#noted.set(key, now);
    const detail = { command, channelType, platformId };
    this.#ledger.append({ kind: 'command.refused', sessionId: null, messageId: id, actor: senderId, detail }, now);
  }

  count(reason: 'command_refused' | 'too_many_commands', spoken: Spoken, now: number): void {
    const { senderId, channelType, platformId } = spoken;
    const key = JSON.stringify([channelType, platformId, senderId, reason]);
    const times = (this.#gathered.get(key)?.times ?? 0) + 1;
    this.#gathered.set(key, { channelType, platformId, senderId, reason, now, times });
    if (this.#gathered.size >= MAX_GATHERED) this.#write();
    else this.#timer ??= setTimeout(() => this.#write(), COUNT_AFTER_MS).unref();
  }

  /** A full disk keeps nobody from being answered. */
  #write(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const gathered = [...this.#gathered.values()];
    if (gathered.length === 0) return;
    this.#gathered.clear();
    try {
      this.#dropped.recordAll(gathered);
    } catch (error) {
      const fault = toDiskFault(error);
      if (fault === null) throw error;
      commandsLog.warn({ err: fault }, 'refused commands could not be counted');
    }
  }

  /** Writes what was counted. */
  [Symbol.dispose](): void {
    this.#write();
  }
}
