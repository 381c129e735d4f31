/**
 * Files that agents sent lie in `out/files/<messageId>/` until the host has said its last word on the row;
 * then they are removed, or the folder would only grow.
 *
 * I1. A row whose fate is unknown keeps its files: a person may have it sent again.
 * I2. A folder without a row is what a killed predecessor did not finish; it is older than this process.
 */
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Delivery, InboxReader } from './inbox.ts';
import { describeError, log } from './log.ts';
import type { Outbox } from './outbox.ts';

/** Folders looked at in one go. Higher: a crowded folder stalls the loop. Lower: it empties slowly. */
const MAX_PER_SWEEP = 500;

const ENDS: readonly Delivery['state'][] = ['delivered', 'failed', 'refused'];

export class SentFiles {
  readonly #folder: string;
  readonly #inbox: InboxReader;
  readonly #outbox: Outbox;
  readonly #startedAt: number;
  /** Whether anything may be there to remove; at first, what predecessors left. */
  #isWaiting = true;

  /** `startedAt`: when this process began, epoch ms. */
  constructor(folder: string, inbox: InboxReader, outbox: Outbox, startedAt: number) {
    this.#folder = folder;
    this.#inbox = inbox;
    this.#outbox = outbox;
    this.#startedAt = startedAt;
  }

  /** A row with files was written. */
  expect(): void {
    this.#isWaiting = true;
  }

  /** Removes what has its end. Between turns only: a file being sent has no row yet. Costs nothing when none waits. */
  sweep(): void {
    if (!this.#isWaiting) return;
    try {
      this.#isWaiting = this.#removeEnded();
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error;
      // Looked at again after the next file: a folder that cannot be emptied is no reason to stop.
      this.#isWaiting = false;
      log.warn('sent files cannot be removed', { error: describeError(error) });
    }
  }

  /** Whether to look again. */
  #removeEnded(): boolean {
    const names = this.#list();
    const read = this.#inbox.read((tables) => names.map((name) => tables.delivery(name)));
    if (read.kind === 'unavailable') return names.length > 0;
    let hasOpen = false;
    for (const [index, name] of names.entries()) {
      const delivery = read.value[index] ?? null;
      if (delivery !== null ? ENDS.includes(delivery.state) : this.#isAbandoned(name)) {
        rmSync(join(this.#folder, name), { recursive: true, force: true });
      } else if (delivery?.state !== 'unknown') hasOpen = true; // I1
    }
    return hasOpen || names.length === MAX_PER_SWEEP;
  }

  #list(): string[] {
    try {
      return readdirSync(this.#folder).slice(0, MAX_PER_SWEEP);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
      throw error;
    }
  }

  /** I2. */
  #isAbandoned(name: string): boolean {
    const made = statSync(join(this.#folder, name), { throwIfNoEntry: false });
    return made !== undefined && made.mtimeMs < this.#startedAt && this.#outbox.byId(name) === null;
  }
}
