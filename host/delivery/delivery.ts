/**
 * Delivery: reads what containers wrote, authorises it, and hands it to channels.
 *
 * I1. One drain per session at a time; a doorbell during a drain means one more after it.
 * I2. Every row that was read is in `deliveries` before anything is done about it, in the same commit as
 *     the acks that came with it: a restart continues from inbound.db alone.
 * I3. A session that breaks the contract is quarantined and named; the drain of others never waits for it.
 * I4. A container that rings without end has its session read EMPTY_READS_PER_SECOND times a second, not for each
 *     ring. The first rings after a quiet time are answered at once.
 */
import type { MessageId, SessionId } from '../../shared/ids.ts';
import { MAX_OUTBOUND_BATCH } from '../../shared/limits.ts';
import { AGENT_CHANNEL } from '../../shared/protocol.ts';
import { type SessionPaths, sessionPaths } from '../../shared/session-files.ts';
import { stampNow } from '../../shared/trace.ts';
import { describeRefusal } from '../access/authorise.ts';
import { Fault, toDiskFault } from '../config/errors.ts';
import { MAX_HELD_DELIVERIES } from '../config/limits.ts';
import { UnderWay } from '../config/under-way.ts';
import { failpoint } from '../observe/failpoint.ts';
import { deliveryLog } from '../observe/logger.ts';
import { type AckEffect, planAck } from '../sessions/acks.ts';
import { hostContainerUser } from '../sessions/folder.ts';
import type { SessionRef } from '../sessions/inbox.ts';
import type { DeliveryRow, InboxTables, OpenInbound } from '../sessions/inbox-tables.ts';
import type { OutboxSnapshot } from '../sessions/reader-protocol.ts';
import { keepOpen, showAcks, tellFailures, writeAcks } from '../sessions/settle.ts';
import type { Session } from '../store/sessions.ts';
import { Batch } from './batch.ts';
import { closeLanes, isFinal, Lane, type LaneItem } from './lane.ts';
import type { DeliveryParts } from './parts.ts';
import { PEER_CHANNEL } from './peers/apply.ts';
import { findForgedSeq, type OutboundMessage, parseRow } from './plan.ts';
import { ByteRate, ReadRate, RowRate } from './rate.ts';
import { recordAttempt } from './record.ts';
import { Sender } from './sender.ts';
import { AgentTeller } from './tell-agent.ts';

/** What is remembered of a session between drains. */
interface Memory {
  lanes: Map<string, Lane>;
  /** The deliveries that lanes hold: sequence number, and since when, epoch ms. */
  held: Map<number, number>;
  /** Every open delivery that is due is held: none is left of an earlier host, a resend or a broken lane. */
  recovered: boolean;
  /** Rows wait because too many are held. */
  isFull: boolean;
  deferral: NodeJS.Timeout | null;
  bytes: ByteRate;
  /** The drain that runs, null when none does. */
  drain: Promise<void> | null;
  again: boolean;
  busySince: number | null;
  rate: RowRate;
  reads: ReadRate;
  /** Rung too often for nothing: the next drain begins when this fires (I4). */
  pause: NodeJS.Timeout | null;
  /** Timers that ring it again: what could not be read, or written, is still to be. */
  owed: number;
}

/** Inbound rows whose acks are looked for at once, oldest first. */
const MAX_WATCHED_ACKS = 200;
/** A delivery under way for longer is overdue. Higher: an outage shows late. Lower: each hiccup looks like one. */
const OVERDUE_MS = 60_000;
/** Wait before a locked outbound.db is read again. */
const BUSY_RETRY_MS = 25;
/** Wait before a read that no reader had time for. Higher: replies come late. Lower: a busy machine gets more to do. */
const UNREAD_RETRY_MS = 500;
/** A lock held longer than this is not a commit. */
const BUSY_DEADLINE_MS = 10_000;
/** A shutdown waits this long for attempts under way. Higher: slow stops. Lower: more unknown deliveries. */
const CLOSE_PATIENCE_MS = 5_000;
/** setTimeout counts in 32 bits; whoever is rung too early looks again. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export class Delivery implements AsyncDisposable {
  readonly #parts: DeliveryParts;
  readonly #sender: Sender;
  readonly #teller: AgentTeller;
  readonly #memories = new Map<SessionId, Memory>();
  /** What follows the end of a delivery. */
  readonly #underWay = new UnderWay();
  #closed = false;

  constructor(parts: DeliveryParts) {
    this.#parts = parts;
    this.#teller = new AgentTeller(parts, this.#underWay);
    this.#sender = new Sender(parts.home, parts.transcript, parts.authority);
  }

  /** A doorbell: read this session's outbound.db soon. */
  ring(id: SessionId): void {
    if (this.#closed) return;
    const memory = this.#remember(id);
    if (memory.drain !== null) {
      memory.again = true;
      return;
    }
    if (this.#mustWait(id, memory)) return;
    memory.drain = this.#drainUntilQuiet(id, memory);
  }

  /** Forgets a session without a container and without open deliveries; a later ring starts from its files. */
  forget(id: SessionId): void {
    const memory = this.#memories.get(id);
    if (memory === undefined || !isQuiet(memory)) return;
    if (memory.deferral !== null) clearTimeout(memory.deferral);
    this.#memories.delete(id);
  }

  /** Ends what is under way for a session whose outbound.db was set aside. */
  abandon(id: SessionId): void {
    const memory = this.#memories.get(id);
    if (memory === undefined) return;
    for (const lane of memory.lanes.values()) lane.close();
    memory.lanes.clear();
    memory.held.clear();
    memory.recovered = false;
  }

  /** What holds messages back may be over: the lanes that hold some look again. */
  nudge(): void {
    for (const memory of this.#memories.values()) for (const lane of memory.lanes.values()) lane.nudge();
  }

  /** Deliveries that are not at their end, in all lanes. */
  get backlog(): number {
    let backlog = 0;
    for (const memory of this.#memories.values()) backlog += memory.held.size;
    return backlog;
  }

  /** Of these, the ones that have been tried for longer than a platform's hiccup. */
  get overdue(): number {
    const before = this.#parts.now() - OVERDUE_MS;
    let overdue = 0;
    for (const memory of this.#memories.values()) {
      for (const heldAt of memory.held.values()) if (heldAt < before) overdue++;
    }
    return overdue;
  }

  /** Whether nothing of this session is under way. */
  isQuiet(id: SessionId): boolean {
    const memory = this.#memories.get(id);
    return memory === undefined || isQuiet(memory);
  }

  /** A person decides on a delivery that is `unknown` or `failed`: once more, from its row. */
  async resend(ref: SessionRef, messageId: MessageId, by: string | null = null): Promise<'queued' | 'not-possible'> {
    // First: a crash after the commit must find it.
    this.#parts.sessions.markOpen(ref.id, this.#parts.now());
    const done = await this.#parts.inboxes.commit(ref, (tables) => {
      const row = tables.getDelivery(messageId);
      if (row === null || (row.state !== 'unknown' && row.state !== 'failed')) return false;
      tables.putDelivery({
        ...row,
        state: 'queued',
        attempts: 0,
        nextAttemptAt: null,
        reason: null,
        updatedAt: this.#parts.now(),
      });
      return true;
    });
    if (!done) return 'not-possible';
    this.#parts.transcript.change(messageId, { state: 'queued', stateReason: null });
    this.#recordDecision('resent', ref, messageId, by);
    this.#remember(ref.id).recovered = false;
    this.ring(ref.id);
    return 'queued';
  }

  async drop(ref: SessionRef, messageId: MessageId, by: string | null = null): Promise<'dropped' | 'not-possible'> {
    const reason = 'dropped by a person';
    const done = await this.#parts.inboxes.commit(ref, (tables) => {
      const row = tables.getDelivery(messageId);
      if (row === null || (row.state !== 'unknown' && row.state !== 'failed')) return false;
      tables.putDelivery({ ...row, state: 'failed', reason, nextAttemptAt: null, updatedAt: this.#parts.now() });
      return true;
    });
    if (!done) return 'not-possible';
    this.#parts.transcript.change(messageId, { state: 'dropped', stateReason: reason });
    this.#recordDecision('dropped', ref, messageId, by);
    return 'dropped';
  }

  /** A person's, about a delivery that came to no good end. */
  #recordDecision(word: 'resent' | 'dropped', ref: SessionRef, messageId: MessageId, by: string | null): void {
    const entry = { kind: `delivery.${word}`, sessionId: ref.id, messageId, actor: by, detail: {} };
    this.#parts.transcript.record(entry, this.#parts.now());
  }

  #remember(id: SessionId): Memory {
    const known = this.#memories.get(id);
    if (known !== undefined) return known;
    const made: Memory = {
      lanes: new Map(),
      held: new Map(),
      recovered: false,
      isFull: false,
      deferral: null,
      bytes: new ByteRate(this.#parts.now()),
      drain: null,
      again: false,
      busySince: null,
      rate: new RowRate(this.#parts.now()),
      reads: new ReadRate(this.#parts.now()),
      pause: null,
      owed: 0,
    };
    this.#memories.set(id, made);
    return made;
  }

  async #drainUntilQuiet(id: SessionId, memory: Memory): Promise<void> {
    try {
      do {
        memory.again = false;
        memory.reads.spend();
        const next = await this.#drain(id, memory);
        if (next === 'more') memory.again = true;
        else if (typeof next === 'number') this.#ringLater(id, next);
      } while (memory.again && !this.#closed && !this.#mustWait(id, memory));
    } catch (error) {
      // Rows may stand committed that no lane holds.
      memory.recovered = false;
      this.#handleFailure(id, error);
    } finally {
      memory.drain = null;
    }
    this.#noteQuiet(id, memory);
  }

  /** Whether it was rung too often for nothing; then it is rung once more when it is time (I4). */
  #mustWait(id: SessionId, memory: Memory): boolean {
    if (memory.pause !== null) return true;
    const waitMs = memory.reads.waitMs(this.#parts.now());
    if (waitMs === 0) return false;
    memory.pause = setTimeout(() => {
      memory.pause = null;
      this.ring(id);
    }, waitMs);
    return true;
  }

  #handleFailure(id: SessionId, error: unknown): void {
    const fault = error instanceof Fault ? error : toDiskFault(error);
    // A database that was closed meanwhile: the next host goes on from the rows.
    if (this.#closed) return;
    if (fault === null) throw error;
    if (fault.code === 'session_corrupt') {
      this.#parts.quarantine(id, fault.message);
      return;
    }
    deliveryLog.warn({ sessionId: id, err: fault }, 'a drain failed and is tried again');
    this.#ringLater(id, DRAIN_RETRY_MS);
  }

  #noteQuiet(id: SessionId, memory: Memory): void {
    if (isQuiet(memory) && !this.#closed) this.#parts.onQuiet(id);
  }

  #ringLater(id: SessionId, ms: number): void {
    const memory = this.#remember(id);
    memory.owed += 1;
    setTimeout(() => {
      memory.owed -= 1;
      this.ring(id);
    }, ms).unref();
  }

  /** 'more' to go on at once, a number of milliseconds to go on later, null when all is read. */
  async #drain(id: SessionId, memory: Memory): Promise<'more' | number | null> {
    const { sessions, inboxes, reader, transcript, now } = this.#parts;
    const session = sessions.get(id);
    if (session === null || session.quarantineReason !== null) return null;
    // It stays in the session until there is room to tell of it.
    if (transcript.trouble !== null) return DRAIN_RETRY_MS;
    const credits = memory.rate.available(now());
    const room = Math.max(0, MAX_HELD_DELIVERIES - memory.held.size);
    const paths = sessionPaths(this.#parts.home, session.agentGroupId, id);
    const facts = inboxes.read(session, (tables) => ({
      cursor: tables.deliveryCursor(),
      open: tables.listOpen(MAX_WATCHED_ACKS, now()),
      unheld: memory.recovered
        ? []
        : tables.listOpenDeliveries(MAX_HELD_DELIVERIES + 1, now()).filter((row) => !memory.held.has(row.seq)),
      nextDeferred: tables.nextDeferred(now()),
    }));
    const takeOver = facts.unheld.slice(0, room);
    const isBehind = takeOver.length < facts.unheld.length;
    this.#armDeferral(id, memory, facts.nextDeferred);
    const user = hostContainerUser(session);
    const reading = reader.read({
      out: paths.out,
      ownerUid: user.uid,
      afterSeq: facts.cursor,
      // What came earlier goes first: no new rows while older ones wait for room.
      limit: isBehind ? 0 : Math.min(MAX_OUTBOUND_BATCH, credits, room - takeOver.length),
      seqs: takeOver.map((row) => row.seq),
      openIds: facts.open.map((row) => row.id),
      withState: false,
    });
    // While the reader is at work. What was told of a message is on the disk before the message ends.
    transcript.flushOrRetry();
    const result = await reading;
    switch (result.kind) {
      case 'busy':
        return this.#waitForLock(id, memory);
      case 'unread':
        return UNREAD_RETRY_MS;
      case 'hot-journal':
        this.#parts.onHotJournal(id);
        return null;
      case 'violation':
        this.#parts.quarantine(id, result.reason);
        return null;
      case 'snapshot':
        memory.busySince = null;
        return this.#take(session, memory, paths, { ...facts, takeOver, isBehind }, result.snapshot);
    }
  }

  /** Rows that an agent put off are outside the lanes until they are due, so that they hold up nobody. */
  #armDeferral(id: SessionId, memory: Memory, at: number | null): void {
    if (memory.deferral !== null) clearTimeout(memory.deferral);
    memory.deferral = null;
    if (at === null || this.#closed) return;
    memory.deferral = setTimeout(
      () => {
        memory.deferral = null;
        memory.recovered = false;
        this.ring(id);
      },
      Math.min(Math.max(0, at - this.#parts.now()), MAX_TIMER_MS),
    );
  }

  #waitForLock(id: SessionId, memory: Memory): number | null {
    const now = this.#parts.now();
    memory.busySince ??= now;
    if (now - memory.busySince < BUSY_DEADLINE_MS) return BUSY_RETRY_MS;
    memory.busySince = null;
    this.#parts.onLockHeld(id);
    return null;
  }

  async #take(
    session: Session,
    memory: Memory,
    paths: SessionPaths,
    facts: { cursor: number; open: OpenInbound[]; takeOver: DeliveryRow[]; isBehind: boolean },
    snapshot: OutboxSnapshot,
  ): Promise<'more' | number | null> {
    const { inboxes, transcript, now } = this.#parts;
    const readAt = stampNow();
    const takenOver = new Map(facts.takeOver.map((row) => [row.seq, row]));
    const fresh = snapshot.rows.filter((row) => !takenOver.has(row.seq));
    // Asked after the read: the container may have seen rows that came in during it.
    const highestSeq = inboxes.read(session, (tables) => tables.highestSeq());
    const forged = findForgedSeq(fresh, facts.cursor, highestSeq);
    if (forged !== null) {
      this.#parts.quarantine(session.id, 'outbound.db: a sequence number that the contract does not allow');
      return null;
    }
    const openById = new Map(facts.open.map((row) => [row.id as string, row]));
    const planned = snapshot.processing.flatMap((mark) => {
      const open = openById.get(mark.messageId);
      return open === undefined ? [] : (planAck(open, mark, now()) ?? []);
    });
    tellFailures(session, openById, planned, this.#parts.tellChat);
    const batch = new Batch(
      session,
      this.#parts,
      this.#teller,
      (item) => this.#laneOf(session, memory, paths, item.message),
      readAt,
    );
    for (const row of snapshot.rows) {
      batch.add(parseRow(session.id, row, now()), takenOver.get(row.seq) ?? null);
      takenOver.delete(row.seq);
    }
    for (const row of takenOver.values()) batch.addGone(row);
    const changed = planned.some((effect) => effect.kind !== 'read');
    if (changed || !batch.isEmpty) memory.reads.giveBack();
    failpoint('delivery.read');
    await batch.carryOut();
    const takeIn = (tables: InboxTables): AckEffect[] => {
      const open = keepOpen(tables, planned);
      writeAcks(tables, open);
      batch.write(tables);
      return open;
    };
    const effects =
      changed || !batch.isEmpty
        ? await inboxes.commit(session, takeIn)
        : inboxes.read(session, (tables) => keepOpen(tables, planned));
    failpoint('delivery.taken');
    memory.recovered = !facts.isBehind;
    const answered = effects.filter((effect) => effect.kind === 'done').length;
    memory.rate.spend(fresh.length, answered, now());
    // Replies before the end of what they answer: who waits for the end has seen them all by then.
    batch.show();
    showAcks(session, transcript, openById, effects, this.#parts.endFiring);
    this.#parts.activity.follow(session, openById, effects);
    if (batch.hasDeferred) {
      this.#armDeferral(
        session.id,
        memory,
        inboxes.read(session, (tables) => tables.nextDeferred(now())),
      );
    }
    const heldAt = now();
    for (const seq of batch.start()) memory.held.set(seq, heldAt);
    if (changed) this.#parts.onWorkChanged(session.id);
    memory.isFull = memory.held.size >= MAX_HELD_DELIVERIES;
    const acksWait = changed && facts.open.length === MAX_WATCHED_ACKS;
    if (!snapshot.more && !facts.isBehind) return acksWait ? 'more' : null;
    if (memory.isFull) return null;
    return memory.rate.available(now()) > 0 ? 'more' : memory.rate.waitMs(now());
  }

  #laneOf(session: Session, memory: Memory, paths: SessionPaths, message: OutboundMessage): Lane {
    const key = JSON.stringify([message.channelType, message.platformId, message.threadId]);
    const known = memory.lanes.get(key);
    if (known !== undefined) return known;
    const { inboxes, channels, peers, authority, now, random } = this.#parts;
    const isForAgent = message.channelType === AGENT_CHANNEL;
    const lane = new Lane({
      channel: () => (isForAgent ? PEER_CHANNEL : (channels.get(message.channelType ?? '') ?? null)),
      now,
      random,
      ...(isForAgent ? { hold: (item) => peers.findHold(session, item.message) } : {}),
      refuse: (item) => {
        const answer = authority.check(session.agentGroupId, item.message);
        if (answer.kind === 'refuse') {
          return { reason: answer.reason, words: describeRefusal(answer.reason, item.message.destination) };
        }
        item.grant = answer.grant;
        const target = this.#sender.findTarget(session, item.message);
        if (target.kind === 'refuse') return { reason: 'no_such_message', words: target.words };
        const words = isUnsentQuestion(item) ? this.#parts.questions.refuseSend(item.message.id) : null;
        return words === null ? null : { reason: 'question_is_over', words };
      },
      attempt: (channel, item, signal) => {
        const maySpend = (bytes: number) => memory.bytes.spend(bytes, now());
        if (isForAgent) return peers.attempt(session, paths, item, maySpend);
        return this.#sender.attempt(channel, session, paths, item, maySpend, signal);
      },
      commit: async (items) => {
        // What was told of a message is on the disk before the message ends.
        this.#parts.transcript.flushOrRetry();
        await inboxes.commit(session, (tables) => {
          for (const item of items) tables.putDelivery(item.row);
        });
        for (const item of items) this.#show(session, item);
      },
      ended: (item) => this.#end(session, memory, key, item),
      broke: (error, left) => {
        memory.lanes.delete(key);
        for (const item of left) memory.held.delete(item.row.seq);
        memory.recovered = false;
        this.#handleFailure(session.id, error);
      },
    });
    // Of a drain that the close came in between: its rows stay in inbound.db, for the next host.
    if (this.#closed) lane.close();
    memory.lanes.set(key, lane);
    return lane;
  }

  #show(session: Session, item: LaneItem): void {
    const { message, row } = item;
    const entry = recordAttempt(session, item);
    if (entry !== null) this.#parts.transcript.record(entry, this.#parts.now());
    if (message.body.kind === 'edit' || message.body.kind === 'reaction') return;
    this.#parts.transcript.change(message.id, {
      only: { sessionId: item.sessionId, direction: 'out' },
      state: row.state,
      stateReason: row.reason,
      ...(row.platformMessageId === null ? {} : { platformMessageId: row.platformMessageId }),
      ...(row.state === 'delivered' ? { stamps: { sent: stampNow() } } : {}),
    });
  }

  #end(session: Session, memory: Memory, key: string, item: LaneItem): void {
    const { message, row } = item;
    void this.#underWay.add(this.#sender.discardFiles(message));
    memory.held.delete(row.seq);
    if (memory.lanes.get(key)?.size === 0) memory.lanes.delete(key);
    if (memory.isFull && memory.held.size <= MAX_HELD_DELIVERIES / 2) {
      memory.isFull = false;
      this.ring(session.id);
    }
    if (message.body.kind === 'question' && isFinal(row)) this.#parts.questions.delivered(message.id, row.state);
    this.#noteQuiet(session.id, memory);
    if (row.state === 'delivered') return;
    // Not the reason: a platform's own words may quote the message. It stands with the message and in the ledger.
    deliveryLog.warn(
      { sessionId: session.id, messageId: message.id, state: row.state },
      'a delivery ended without success',
    );
    this.#teller.tell(session, message, row);
  }

  /** Takes no more; waits for what is under way, but not for a platform that hangs. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    const drains: Promise<void>[] = [];
    const lanes: Lane[] = [];
    for (const memory of this.#memories.values()) {
      if (memory.deferral !== null) clearTimeout(memory.deferral);
      if (memory.pause !== null) clearTimeout(memory.pause);
      if (memory.drain !== null) drains.push(memory.drain);
      lanes.push(...memory.lanes.values());
    }
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_PATIENCE_MS);
    });
    // A read that takes longer ends with its reader, and finds its session's database closed.
    await Promise.all([closeLanes(lanes, CLOSE_PATIENCE_MS), Promise.race([Promise.all(drains), patience])]);
    clearTimeout(timer);
    await this.#underWay[Symbol.asyncDispose]();
  }
}

/** Whether nothing is under way, and nothing owed. */
function isQuiet(memory: Memory): boolean {
  return memory.drain === null && memory.held.size === 0 && memory.pause === null && memory.owed === 0;
}

/** One that may have been sent is settled, even when its time is over. */
function isUnsentQuestion({ message, mayBeSent }: LaneItem): boolean {
  return message.body.kind === 'question' && !mayBeSent;
}

/** Wait before a failed drain (a full disk, a locked inbox) is tried again. */
const DRAIN_RETRY_MS = 1_000;
