/**
 * One read's rows on their way into inbound.db, the transcript and the lanes.
 *
 * Order: `add` each row, `carryOut`, `write` inside the inbox transaction, then `show` and `start` after the commit.
 */
import { deriveMessageId, type MessageId, makeId } from '../../shared/ids.ts';
import { AGENT_CHANNEL } from '../../shared/protocol.ts';
import { describeRefusal } from '../access/authorise.ts';
import { MAX_WAITING_FOR_PEER } from '../config/limits.ts';
import { failpoint } from '../observe/failpoint.ts';
import { deliveryLog } from '../observe/logger.ts';
import type { Answered, Asked, Origin } from '../sessions/asked.ts';
import type { DeliveryRow, InboundRoute, InboxTables } from '../sessions/inbox-tables.ts';
import type { LedgerEntry } from '../store/ledger.ts';
import type { Session } from '../store/sessions.ts';
import { type Lane, type LaneItem, markSending } from './lane.ts';
import type { DeliveryParts } from './parts.ts';
import { type OutboundMessage, type ParsedRow, renderText } from './plan.ts';
import { recordSettled } from './record.ts';
import type { AgentTeller } from './tell-agent.ts';

/** Requests answered in one turn of the event loop. Higher: a flood of them holds up everybody. Lower: more commits. */
const MAX_ANSWERED_AT_ONCE = 20;

interface RequestEntry {
  message: OutboundMessage;
  row: DeliveryRow;
  within?: Answered['within'];
  after?: Answered['after'];
}

/** One read's rows on their way into inbound.db, the transcript and the lanes. */
export class Batch {
  readonly #session: Session;
  readonly #parts: DeliveryParts;
  readonly #teller: AgentTeller;
  readonly #laneOf: (item: LaneItem) => Lane;
  readonly #readAt: number;
  readonly #room = new Map<Lane, number>();
  readonly #items: { item: LaneItem; lane: Lane; isNew: boolean }[] = [];
  /** Put off by the agent: recorded and shown, and taken up when due. */
  readonly #deferred: { item: LaneItem; isNew: boolean }[] = [];
  readonly #gone: DeliveryRow[] = [];
  readonly #refused: { message: OutboundMessage | null; row: DeliveryRow; isNew: boolean }[] = [];
  readonly #requests: RequestEntry[] = [];
  /** Questions of this read. */
  #questions = 0;

  constructor(
    session: Session,
    parts: DeliveryParts,
    teller: AgentTeller,
    laneOf: (item: LaneItem) => Lane,
    readAt: number,
  ) {
    this.#session = session;
    this.#parts = parts;
    this.#teller = teller;
    this.#laneOf = laneOf;
    this.#readAt = readAt;
  }

  /** Whether a row was put off. */
  get hasDeferred(): boolean {
    return this.#deferred.length > 0;
  }

  get isEmpty(): boolean {
    const { length } = this.#items;
    return length + this.#deferred.length + this.#gone.length + this.#refused.length + this.#requests.length === 0;
  }

  add(parsed: ParsedRow, known: DeliveryRow | null): void {
    const now = this.#parts.now();
    const seq = parsed.kind === 'message' ? parsed.message.seq : parsed.seq;
    const id = parsed.kind === 'message' ? parsed.message.id : parsed.id;
    const row: DeliveryRow = known ?? {
      messageOutId: id,
      seq,
      state: 'queued',
      attempts: 0,
      nextAttemptAt: parsed.kind === 'message' ? parsed.message.deliverAfter : null,
      idempotencyKey: id,
      platformMessageId: null,
      reason: null,
      updatedAt: now,
    };
    if (parsed.kind === 'malformed') {
      this.#refuse(null, row, `the message is malformed: ${parsed.problem}`, known === null);
      return;
    }
    const { message } = parsed;
    if (message.body.kind === 'request') {
      this.#requests.push({ message, row });
      return;
    }
    const answer = this.#parts.authority.check(this.#session.agentGroupId, message);
    if (answer.kind === 'refuse') {
      this.#refuse(message, row, describeRefusal(answer.reason, message.destination), known === null);
      return;
    }
    // One that was put off is put to people now: what is open by now counts.
    const flaw = known === null || wasPutOff(known) ? this.#findFlaw(message) : null;
    if (flaw !== null) {
      this.#refuse(message, row, flaw, known === null);
      return;
    }
    const item: LaneItem = {
      sessionId: this.#session.id,
      message,
      row,
      mayBeSent: row.state === 'sending',
      grant: answer.grant,
    };
    if (row.state === 'queued' && row.attempts === 0 && row.nextAttemptAt !== null && row.nextAttemptAt > now) {
      this.#deferred.push({ item, isNew: known === null });
      return;
    }
    const lane = this.#laneOf(item);
    if (known === null && this.#isCrowded(lane, message)) {
      const words = `${MAX_WAITING_FOR_PEER} messages wait for "${message.destination ?? ''}" already`;
      this.#refuse(message, row, words, true);
      return;
    }
    const room = this.#room.get(lane) ?? lane.room;
    if (known === null && room > 0 && (row.nextAttemptAt === null || row.nextAttemptAt <= now)) {
      item.row = markSending(row, now);
      this.#room.set(lane, room - 1);
    } else this.#room.set(lane, 0);
    this.#items.push({ item, lane, isNew: known === null });
  }

  /** Of a question: why it is not put to people. */
  #findFlaw({ body }: OutboundMessage): string | null {
    if (body.kind !== 'question') return null;
    return this.#parts.questions.findFlaw(this.#session.id, body.content, this.#questions++);
  }

  /** Messages to an agent may wait for a person's decision; they must not fill what this session may hold. */
  #isCrowded(lane: Lane, { channelType }: OutboundMessage): boolean {
    if (channelType !== AGENT_CHANNEL) return false;
    const added = this.#items.filter((entry) => entry.lane === lane).length;
    return lane.size + added >= MAX_WAITING_FOR_PEER;
  }

  /** An open delivery whose row the container took away. */
  addGone(row: DeliveryRow): void {
    const reason = 'its row is gone from outbound.db';
    this.#gone.push({ ...row, state: 'failed', reason, nextAttemptAt: null, updatedAt: this.#parts.now() });
  }

  #refuse(message: OutboundMessage | null, row: DeliveryRow, words: string, isNew: boolean): void {
    this.#refused.push({
      message,
      row: { ...row, state: 'refused', reason: words, nextAttemptAt: null, updatedAt: this.#parts.now() },
      isNew,
    });
  }

  /**
   * Before the inbox transaction: what is asked of the host is done and committed, and only then said to be.
   * Throws what a handler throws; all is asked again with the next drain.
   */
  async carryOut(): Promise<void> {
    if (this.#requests.length === 0) return;
    const asked = this.#parts.inboxes.read(this.#session, (tables) =>
      this.#requests.flatMap((entry) => {
        entry.row = this.#ownId(tables, entry.row);
        const one = entry.row.state === 'refused' ? null : this.#ask(tables, entry.message);
        return one === null ? [] : [{ entry, one }];
      }),
    );
    for (let from = 0; from < asked.length; from += MAX_ANSWERED_AT_ONCE) {
      // Messages of others in between (I10).
      if (from > 0) await new Promise((resolve) => setImmediate(resolve));
      const some = asked.slice(from, from + MAX_ANSWERED_AT_ONCE);
      const answers = this.#parts.desk.answerAll(some.map(({ one }) => one));
      failpoint('delivery.carried-out');
      for (const [at, { entry }] of some.entries()) this.#note(entry, answers[at]);
    }
  }

  #note(entry: RequestEntry, answered: Answered | undefined): void {
    if (answered === undefined) throw new Error('the desk left a request out');
    const updatedAt = this.#parts.now();
    const { answer, within, after } = answered;
    entry.within = within;
    entry.after = after;
    entry.row =
      answer.kind === 'done'
        ? { ...entry.row, state: 'delivered', reason: answer.note ?? null, updatedAt }
        : { ...entry.row, state: 'refused', reason: answer.reason, updatedAt };
  }

  /** In the inbox transaction, after the acks. A row whose id was used before under another number is dropped. */
  write(tables: InboxTables): void {
    for (const row of this.#gone) tables.putDelivery(row);
    for (const { item, isNew } of [...this.#items, ...this.#deferred]) {
      if (isNew) item.row = this.#ownId(tables, item.row);
      tables.putDelivery(item.row);
    }
    for (const entry of this.#refused) {
      if (entry.isNew) entry.row = this.#ownId(tables, entry.row);
      tables.putDelivery(entry.row);
    }
    for (const { row, within } of this.#requests) {
      tables.putDelivery(row);
      within?.(tables);
    }
    if (this.#requests.length + this.#refused.length > 0) tables.noteNews();
  }

  /** An id that names something already is not this row's: it is refused under an id of ours. */
  #ownId(tables: InboxTables, row: DeliveryRow): DeliveryRow {
    const other = tables.getDelivery(row.messageOutId);
    if (other?.seq === row.seq) return row;
    const shown = this.#parts.transcript.peek(row.messageOutId as MessageId);
    // Not one of the host's own in this session: its notice would stand for what the agent sent.
    const isFree =
      shown === null ||
      (shown.sessionId === this.#session.id &&
        shown.direction === 'out' &&
        shown.authorId === this.#session.agentGroupId);
    if (other === null && isFree && tables.getStatus(row.messageOutId) === null) return row;
    const id = deriveMessageId(this.#session.id, 'row', String(row.seq), 'again');
    return {
      ...row,
      messageOutId: id,
      idempotencyKey: id,
      state: 'refused',
      reason: 'its id was used before',
      nextAttemptAt: null,
    };
  }

  #ask(tables: InboxTables, message: OutboundMessage): Asked | null {
    if (message.body.kind !== 'request') return null;
    const now = this.#parts.now();
    return {
      session: this.#session,
      messageId: message.id,
      traceId: message.traceId ?? makeId('trace', now),
      request: message.body.content,
      origin: message.inReplyTo === null ? null : toOrigin(tables.getRoute(message.inReplyTo)),
      now,
    };
  }

  /** After the commit: the transcript, and what requests left to do. */
  show(): void {
    // Told again after a restart: a row that is there already stays as it is.
    const refused: { message: OutboundMessage | null; row: DeliveryRow }[] = [...this.#refused, ...this.#requests];
    for (const { message, row } of this.#requests) {
      if (row.state !== 'refused') this.#record(recordSettled(this.#session, message, row));
    }
    for (const { item } of this.#items) this.#open(item);
    for (const { item } of [...this.#items, ...this.#deferred]) {
      this.#tell(item.message, item.row);
      if (item.row.state === 'refused') refused.push(item);
    }
    for (const { message, row, isNew } of this.#refused) {
      if (message === null) continue;
      if (isNew) this.#tell(message, row);
      else this.#tellRefused(message, row);
    }
    for (const row of this.#gone) {
      // The table holds ids of messages.
      const id = row.messageOutId as MessageId;
      this.#parts.transcript.change(id, { state: 'failed', stateReason: row.reason });
      this.#parts.questions.delivered(id, 'failed');
      this.#record(recordSettled(this.#session, null, row));
    }
    this.#recordSettleds(refused.filter(({ row }) => row.state === 'refused'));
    for (const { after } of this.#requests) after?.();
  }

  /** What is shown already of a message that waited: it goes nowhere any more. */
  #tellRefused({ body }: OutboundMessage, { messageOutId, reason }: DeliveryRow): void {
    // The table holds ids of messages.
    const id = messageOutId as MessageId;
    const only = { sessionId: this.#session.id, direction: 'out' } as const;
    this.#parts.transcript.change(id, { only, state: 'refused', stateReason: reason });
    if (body.kind === 'question') this.#parts.questions.delivered(id, 'refused');
  }

  /** A question is recorded before its channel is called; its time runs from here. */
  #open({ message, row }: LaneItem): void {
    if (message.body.kind !== 'question' || row.state === 'refused') return;
    const chat = this.#parts.authority.findChat(this.#session.agentGroupId, message.destination);
    if (chat === null) return;
    const where = { messageId: message.id, sessionId: this.#session.id, chat, threadId: message.threadId };
    this.#parts.questions.open(where, message.body.content);
  }

  /** Hands the items to their lanes. Returns the sequence numbers that are held now. */
  start(): number[] {
    const held: number[] = [];
    const byLane = new Map<Lane, LaneItem[]>();
    for (const { item, lane } of this.#items) {
      if (item.row.state === 'refused') continue;
      const items = byLane.get(lane) ?? [];
      items.push(item);
      held.push(item.row.seq);
      byLane.set(lane, items);
    }
    for (const [lane, items] of byLane) lane.push(items);
    return held;
  }

  #tell(message: OutboundMessage, row: DeliveryRow): void {
    const { body } = message;
    // Under an id of ours: the container's is somebody else's.
    const id = row.messageOutId as MessageId;
    if (body.kind === 'edit' || body.kind === 'reaction' || body.kind === 'request') return;
    const author = this.#parts.authority.agentName(this.#session.agentGroupId);
    const chat =
      row.state === 'refused' ? null : this.#parts.authority.findChat(this.#session.agentGroupId, message.destination);
    this.#parts.transcript.put({
      id,
      sessionId: this.#session.id,
      messagingGroupId: chat?.id ?? null,
      threadId: message.threadId,
      direction: 'out',
      kind: body.kind === 'question' ? 'question' : 'chat',
      authorId: this.#session.agentGroupId,
      authorName: author,
      destination: message.destination,
      text: renderText(body, { messageId: id, author }),
      attachments: body.kind === 'chat' ? body.content.attachments : [],
      inReplyTo: message.inReplyTo,
      state: row.state,
      stateReason: row.reason,
      clientId: null,
      traceId: message.traceId ?? makeId('trace', this.#parts.now()),
      stamps: { row_committed: message.timestamp, read: this.#readAt },
      createdAt: this.#parts.now(),
    });
  }

  #record(entry: LedgerEntry): void {
    this.#parts.transcript.record(entry, this.#parts.now());
  }

  /** In the transcript's next commit: a flood of refusals must not stop the host for a commit each. */
  #recordSettleds(refused: readonly { message: OutboundMessage | null; row: DeliveryRow }[]): void {
    if (refused.length === 0) return;
    for (const { message, row } of refused) this.#record(recordSettled(this.#session, message, row));
    deliveryLog.warn(
      { sessionId: this.#session.id, count: refused.length, reason: refused[0]?.row.reason },
      'messages were refused',
    );
    for (const { message, row } of refused) if (message !== null) this.#teller.tell(this.#session, message, row);
  }
}

/** By its agent, and not tried since. */
function wasPutOff({ state, attempts, nextAttemptAt }: DeliveryRow): boolean {
  return state === 'queued' && attempts === 0 && nextAttemptAt !== null;
}

function toOrigin(route: InboundRoute | null): Origin | null {
  if (route === null || route.channelType === null || route.platformId === null) return null;
  return { channelType: route.channelType, platformId: route.platformId, threadId: route.threadId };
}
