/**
 * Keeping messages that wait for an admin: files first, then the row.
 *
 * I1. One message at a time, so that the bounds hold exactly and a sender's order is kept.
 * I2. A row's files are complete before the row is there; files without a row are removed at the next start.
 */
import { join } from 'node:path';
import { makeId } from '../../shared/ids.ts';
import { failpoint } from '../observe/failpoint.ts';
import type { Gate, HeldMessage, HeldStore } from '../store/held.ts';
import { formatHeldEvent, keepFiles, measureEvent, removeFiles, removeOrphans } from './held-event.ts';
import type { InboundEvent } from './inbound.ts';
import { type HoldPlan, planHold } from './plan-hold.ts';

export type Kept =
  /** `isFirst`: nothing waited at this gate before. */
  | { kind: 'kept'; isFirst: boolean }
  /** It was told before. */
  | { kind: 'repeated' }
  | Extract<HoldPlan, { kind: 'drop' }>;

export class Holding {
  readonly #held: HeldStore;
  readonly #folder: string;
  readonly #now: () => number;
  #last: Promise<unknown> = Promise.resolve();

  /** `folder` is the home's `held/`. */
  constructor(held: HeldStore, folder: string, now: () => number) {
    this.#held = held;
    this.#folder = folder;
    this.#now = now;
  }

  /** Rejects when the disk takes nothing; then nothing is kept. */
  keep(gate: Gate, event: InboundEvent & { clientId: string }): Promise<Kept> {
    const mine = this.#last.then(() => this.#keep(gate, event));
    this.#last = mine.then(
      () => undefined,
      // Told to the caller of this one; the next is kept all the same.
      () => undefined,
    );
    return mine;
  }

  async #keep(gate: Gate, event: InboundEvent & { clientId: string }): Promise<Kept> {
    const { channelType, platformId, senderId, clientId } = event;
    const held = this.#held;
    if (held.has(gate, channelType, platformId, senderId, clientId)) return { kind: 'repeated' };
    const isWaiting = held.waitsAt(gate);
    const sizeBytes = await measureEvent(event);
    const plan = planHold({
      gate: gate.kind,
      isWaiting,
      waitingGates: isWaiting ? 0 : held.countGatesLike(gate),
      ofSender: held.amountOf(gate, channelType, platformId, senderId),
      total: held.total,
      sizeBytes,
    });
    if (plan.kind === 'drop') return plan;
    const id = makeId('held', this.#now());
    const folder = join(this.#folder, id);
    try {
      const files = await keepFiles(folder, event.files);
      failpoint('routing.held-files');
      const text = formatHeldEvent({ ...event, files });
      const createdAt = this.#now();
      held.insert({ id, gate, channelType, platformId, senderId, clientId, event: text, sizeBytes, createdAt });
    } catch (error) {
      await removeFiles(folder);
      throw error;
    }
    return { kind: 'kept', isFirst: !isWaiting };
  }

  async remove(message: HeldMessage): Promise<void> {
    this.#held.remove(message);
    failpoint('routing.held-removed');
    await removeFiles(join(this.#folder, message.id));
  }

  /** I2: before anything is kept by this host. */
  async removeOrphans(): Promise<void> {
    await removeOrphans(this.#folder, (id) => this.#held.exists(id));
  }
}
