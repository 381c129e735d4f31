/**
 * One conversation of one session: its deliveries, strictly in order.
 *
 * I1. `sending` is committed before the channel is called; a channel of class `none` has at most one
 *     message in that state (I9: at most one declared uncertainty).
 * I2. Every attempt is authorised anew (I4 of the architecture).
 * I3. A lane that waits or hangs holds nobody but itself (I10).
 * I4. What is held is not lost and not counted as tried: it goes, in order, when what holds it is over.
 */

import type { SessionId } from '../../shared/ids.ts';
import { assertNever } from '../config/errors.ts';
import { HOLD_RECHECK_MS } from '../config/limits.ts';
import { failpoint } from '../observe/failpoint.ts';
import type { DeliveryRow, DeliveryState } from '../sessions/inbox-tables.ts';
import type { Grant } from './authority.ts';
import { callChannel } from './call.ts';
import type { Channel, ProbeOutcome, SendOutcome } from './channel.ts';
import {
  type AttemptOutcome,
  type NextState,
  type OutboundMessage,
  planAfterProbe,
  planAfterSend,
  planRecovery,
} from './plan.ts';
import { namedId } from './target.ts';

export interface LaneItem {
  sessionId: SessionId;
  message: OutboundMessage;
  /** As it stands in inbound.db; replaced with each commit. */
  row: DeliveryRow;
  /** True when this run found it `sending`: what to do first is up to the idempotency class. */
  mayBeSent: boolean;
  /** What allowed the last attempt; absent where the host speaks for itself. */
  grant?: Grant;
}

/** What a lane needs of its surroundings. */
export interface LanePorts {
  channel(): Channel | null;
  now(): number;
  random(): number;
  /** Commits rows to inbound.db, and shows them. */
  commit(items: readonly LaneItem[]): Promise<void>;
  /** Null when allowed, else why not. */
  refuse(item: LaneItem): { reason: string; words: string } | null;
  /** Why a message is not tried now, null when it is; asked before it is marked. Absent: nothing is held. */
  hold?(item: LaneItem): string | null;
  /** One call of the channel for this message. Never throws for what the platform does. */
  attempt(channel: Channel, item: LaneItem, signal: AbortSignal): Promise<AttemptOutcome>;
  /** A delivery came to its end. */
  ended(item: LaneItem): void;
  /** The lane could not commit; it stops and is filled again by the next drain. */
  broke(error: unknown, left: readonly LaneItem[]): void;
}

/** Messages of one lane that a native or probing channel gets between two commits. Higher: more to settle after a crash. */
const MAX_LANE_BATCH = 25;

export class Lane {
  readonly #ports: LanePorts;
  readonly #stop = new AbortController();
  #queue: LaneItem[] = [];
  #running: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;
  /** The head is held: it is looked at again then, or when nudged. */
  #heldUntil = 0;
  #closed = false;

  constructor(ports: LanePorts) {
    this.#ports = ports;
  }

  get size(): number {
    return this.#queue.length;
  }

  /** How many of the next items may be marked `sending` in the commit that queues them. */
  get room(): number {
    if (this.#queue.length > 0 || this.#closed) return 0;
    return this.#ports.channel()?.abilities.idempotency === 'none' ? 1 : MAX_LANE_BATCH;
  }

  /** Adds committed items, in order, and goes on. */
  push(items: readonly LaneItem[]): void {
    this.#queue.push(...items);
    this.#go();
  }

  /** What holds messages back may be over: look again now. */
  nudge(): void {
    if (this.#heldUntil === 0) return;
    this.#heldUntil = 0;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#go();
  }

  /** What is under way goes on to its end. */
  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** The call under way is not waited for any more: its message may have been sent. */
  cut(): void {
    this.close();
    this.#stop.abort();
  }

  #go(): void {
    if (this.#running !== null || this.#closed || this.#timer !== null) return;
    this.#running = this.#run().then(
      () => {
        this.#running = null;
        // Something may have been pushed after the last look.
        if (this.#queue.length > 0) this.#go();
      },
      (error: unknown) => {
        this.#running = null;
        this.close();
        this.#ports.broke(error, this.#queue);
      },
    );
  }

  /** Resolves when no attempt is under way. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    for (;;) {
      const head = this.#queue[0];
      if (head === undefined || this.#closed) return;
      const now = this.#ports.now();
      if (head.row.nextAttemptAt !== null && head.row.nextAttemptAt > now) {
        this.#sleep(head.row.nextAttemptAt - now);
        return;
      }
      if (this.#heldUntil > now || (await this.#isHeld(head, now))) {
        // Nudged meanwhile: look again.
        if (this.#heldUntil === 0) continue;
        this.#sleep(this.#heldUntil - now);
        return;
      }
      await this.#runBatch(now);
    }
  }

  /** Says why in the row once, not at every look. */
  async #isHeld(head: LaneItem, now: number): Promise<boolean> {
    // What may have been sent is settled first, and what is refused meanwhile does not wait (I2).
    const mayWait = head.row.state === 'queued' && this.#ports.refuse(head) === null;
    const reason = mayWait ? (this.#ports.hold?.(head) ?? null) : null;
    if (reason === null) return false;
    this.#heldUntil = now + HOLD_RECHECK_MS;
    if (head.row.reason === reason) return true;
    head.row = { ...head.row, reason, updatedAt: now };
    await this.#ports.commit([head]);
    return true;
  }

  #sleep(ms: number): void {
    if (this.#closed) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = null;
        this.#go();
      },
      Math.min(ms, MAX_TIMER_MS),
    );
  }

  async #runBatch(now: number): Promise<void> {
    const channel = this.#ports.channel();
    const batch = this.#takeBatch(channel, now);
    const unmarked = batch.filter((item) => item.row.state !== 'sending');
    if (unmarked.length > 0 && channel !== null) {
      for (const item of unmarked) item.row = markSending(item.row, now);
      await this.#ports.commit(unmarked);
      failpoint('delivery.sending-committed');
    }
    const settled: LaneItem[] = [];
    let held = false;
    for (const item of batch) {
      // Closed: what was not tried stays as it is in inbound.db, for the next host.
      if (this.#closed) break;
      if (held) {
        item.row = putBack(item);
        settled.push(item);
        continue;
      }
      const next = await this.#attempt(channel, item);
      item.row = applyNext(item.row, next, this.#ports.now());
      item.mayBeSent = next.kind === 'retry' && next.mayBeSent;
      settled.push(item);
      held = next.kind === 'retry' || next.kind === 'hold';
      if (next.kind === 'hold') this.#heldUntil = this.#ports.now() + HOLD_RECHECK_MS;
    }
    const ended = settled.filter((item) => isFinal(item.row));
    const follower = this.#closed ? null : this.#markFollower(channel, this.#queue[ended.length]);
    await this.#ports.commit(follower === null ? settled : [...settled, follower]);
    failpoint('delivery.settled');
    // After the commit: what could not be noted is still of this lane when it breaks, and is taken up again.
    this.#queue = this.#queue.slice(ended.length);
    for (const item of ended) this.#ports.ended(item);
  }

  #takeBatch(channel: Channel | null, now: number): LaneItem[] {
    const limit = channel === null || channel.abilities.idempotency === 'none' ? 1 : MAX_LANE_BATCH;
    const batch: LaneItem[] = [];
    for (const item of this.#queue) {
      if (batch.length >= limit || (item.row.nextAttemptAt !== null && item.row.nextAttemptAt > now)) break;
      // What it is about may stand before it, and has its platform's id once that is settled.
      if (batch.length > 0 && namedId(item.message) !== null) break;
      batch.push(item);
    }
    return batch;
  }

  /** With class `none`: the next message becomes `sending` in the commit that settles this one. */
  #markFollower(channel: Channel | null, next: LaneItem | undefined): LaneItem | null {
    if (channel?.abilities.idempotency !== 'none' || next === undefined || next.row.state !== 'queued') return null;
    if (next.row.nextAttemptAt !== null) return null;
    next.row = markSending(next.row, this.#ports.now());
    return next;
  }

  async #attempt(channel: Channel | null, item: LaneItem): Promise<NextState> {
    const { now, random } = this.#ports;
    const refusal = this.#ports.refuse(item);
    if (refusal !== null) return { kind: 'refused', reason: refusal.words };
    // Marking counts an attempt; one that goes on from `sending`, or has no channel, is not marked again.
    const attempts = item.row.attempts + (channel === null || item.mayBeSent ? 1 : 0);
    item.row = { ...item.row, attempts };
    if (channel === null) {
      const outcome: SendOutcome = { kind: 'retry', reason: 'the channel is not connected', retryAfterMs: null };
      const next = planAfterSend(outcome, attempts, 'native', now(), random());
      // What may have been sent earlier still may have been.
      if (!item.mayBeSent) return next;
      return next.kind === 'retry' ? { ...next, mayBeSent: true } : { kind: 'unknown', reason: outcome.reason };
    }
    const { idempotency } = channel.abilities;
    if (item.mayBeSent) {
      const first = planRecovery({ state: 'sending' }, idempotency);
      if (first === 'unknown') return { kind: 'unknown', reason: 'the host stopped while it was sent' };
      if (first === 'probe') {
        const probed = await this.#probe(channel, item);
        const plan = planAfterProbe(probed, attempts, now(), random());
        if (plan.kind !== 'send') return plan;
      }
    }
    const outcome = await callChannel((signal) => this.#ports.attempt(channel, item, signal), this.#stop.signal);
    failpoint('delivery.sent');
    return planAfterSend(outcome, attempts, idempotency, now(), random());
  }

  async #probe(channel: Channel, item: LaneItem): Promise<ProbeOutcome> {
    const { message, row } = item;
    const address = { platformId: message.platformId ?? '', threadId: message.threadId };
    const ask = async (signal: AbortSignal): Promise<ProbeOutcome> =>
      (await channel.probe?.(address, row.idempotencyKey, signal)) ?? { kind: 'cannot-tell' };
    const probed = await callChannel(ask, this.#stop.signal);
    return probed.kind === 'uncertain' ? { kind: 'cannot-tell' } : probed;
  }
}

/** How a delivery may end. */
export type FinalState = Exclude<DeliveryState, 'queued' | 'sending'>;

/** setTimeout counts in 32 bits. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Takes no more; waits for what is under way, but not for a platform that hangs: after that it is cut off. */
export async function closeLanes(lanes: readonly Lane[], patienceMs: number): Promise<void> {
  for (const lane of lanes) lane.close();
  const cut = setTimeout(() => {
    for (const lane of lanes) lane.cut();
  }, patienceMs);
  await Promise.all(lanes.map((lane) => lane.idle()));
  clearTimeout(cut);
}

export function markSending(row: DeliveryRow, now: number): DeliveryRow {
  return { ...row, state: 'sending', attempts: row.attempts + 1, nextAttemptAt: null, updatedAt: now };
}

/** Of a batch, behind one that waits: it was not tried, so its mark and its count go. */
function putBack({ row, mayBeSent }: LaneItem): DeliveryRow {
  return mayBeSent ? row : { ...row, state: 'queued', attempts: row.attempts - 1 };
}

export function isFinal<Row extends Pick<DeliveryRow, 'state'>>(row: Row): row is Row & { state: FinalState } {
  return row.state !== 'queued' && row.state !== 'sending';
}

function applyNext(row: DeliveryRow, next: NextState, now: number): DeliveryRow {
  switch (next.kind) {
    case 'delivered':
      return {
        ...row,
        state: 'delivered',
        platformMessageId: next.platformMessageId,
        reason: null,
        nextAttemptAt: null,
        updatedAt: now,
      };
    case 'failed':
    case 'refused':
    case 'unknown':
      return { ...row, state: next.kind, reason: next.reason, nextAttemptAt: null, updatedAt: now };
    case 'hold':
      return {
        ...row,
        state: 'queued',
        attempts: Math.max(0, row.attempts - 1),
        nextAttemptAt: null,
        reason: next.reason,
        updatedAt: now,
      };
    case 'retry':
      // Without an answer it stays `sending`: it may have been sent.
      return {
        ...row,
        state: next.mayBeSent ? 'sending' : 'queued',
        nextAttemptAt: next.at,
        reason: next.reason,
        updatedAt: now,
      };
    default:
      return assertNever(next);
  }
}
