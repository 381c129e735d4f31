/**
 * One read's rows on their way into inbound.db, the transcript and the lanes.
 *
 * Order: `add` each row, `write` inside the inbox transaction, then `show` and `start` after the commit.
 */
import { deriveMessageId, makeId } from '../../shared/ids.ts';
import { describeRefusal } from '../access/authorise.ts';
import { deliveryLog } from '../observe/logger.ts';
import { planRequest } from '../requests/plan.ts';
import type { DeliveryRow, InboxTables } from '../sessions/inbox-tables.ts';
import type { Session } from '../store/sessions.ts';
import { type Lane, type LaneItem, markSending } from './lane.ts';
import type { DeliveryParts } from './parts.ts';
import { type OutboundMessage, type ParsedRow, renderText } from './plan.ts';
import { tellAgent } from './tell-agent.ts';

/** One read's rows on their way into inbound.db, the transcript and the lanes. */
export class Batch {
  readonly #session: Session;
  readonly #parts: DeliveryParts;
  readonly #laneOf: (item: LaneItem) => Lane;
  readonly #readAt: number;
  readonly #room = new Map<Lane, number>();
  readonly #items: { item: LaneItem; lane: Lane; isNew: boolean }[] = [];
  readonly #refused: { message: OutboundMessage | null; row: DeliveryRow; words: string; isNew: boolean }[] = [];
  readonly #requests: { message: OutboundMessage; row: DeliveryRow }[] = [];
  scheduled = false;

  constructor(session: Session, parts: DeliveryParts, laneOf: (item: LaneItem) => Lane, readAt: number) {
    this.#session = session;
    this.#parts = parts;
    this.#laneOf = laneOf;
    this.#readAt = readAt;
  }

  get isEmpty(): boolean {
    return this.#items.length + this.#refused.length + this.#requests.length === 0;
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
    const item: LaneItem = { message, row, mayBeSent: row.state === 'sending' };
    const lane = this.#laneOf(item);
    const room = this.#room.get(lane) ?? lane.room;
    if (known === null && room > 0 && (row.nextAttemptAt === null || row.nextAttemptAt <= now)) {
      item.row = markSending(row, now);
      this.#room.set(lane, room - 1);
    } else this.#room.set(lane, 0);
    this.#items.push({ item, lane, isNew: known === null });
  }

  #refuse(message: OutboundMessage | null, row: DeliveryRow, words: string, isNew: boolean): void {
    this.#refused.push({
      message,
      row: { ...row, state: 'refused', reason: words, nextAttemptAt: null, updatedAt: this.#parts.now() },
      words,
      isNew,
    });
  }

  /** In the inbox transaction, after the acks. A row whose id was used before under another number is dropped. */
  write(tables: InboxTables): void {
    for (const { item, isNew } of this.#items) {
      if (isNew) item.row = this.#ownId(tables, item.row);
      tables.putDelivery(item.row);
    }
    for (const entry of this.#refused) {
      if (entry.isNew) entry.row = this.#ownId(tables, entry.row);
      tables.putDelivery(entry.row);
    }
    for (const entry of this.#requests)
      entry.row = this.#carryOut(tables, entry.message, this.#ownId(tables, entry.row));
  }

  /** The container may use one id twice: the second row is another delivery, refused under an id of ours. */
  #ownId(tables: InboxTables, row: DeliveryRow): DeliveryRow {
    const other = tables.getDelivery(row.messageOutId);
    if (other === null || other.seq === row.seq) return row;
    const id = deriveMessageId(this.#session.id, 'row', String(row.seq));
    return {
      ...row,
      messageOutId: id,
      idempotencyKey: id,
      state: 'refused',
      reason: 'its id was used before',
      nextAttemptAt: null,
    };
  }

  #carryOut(tables: InboxTables, message: OutboundMessage, row: DeliveryRow): DeliveryRow {
    const now = this.#parts.now();
    if (message.body.kind !== 'request' || row.state === 'refused') {
      tables.putDelivery(row);
      return row;
    }
    const origin = message.inReplyTo === null ? null : tables.getRoute(message.inReplyTo);
    const plan = planRequest(
      message.body.content,
      {
        sessionId: this.#session.id,
        messageId: message.id,
        traceId: message.traceId ?? makeId('trace', now),
        openRows: tables.work(now).open,
        origin:
          origin === null || origin.channelType === null || origin.platformId === null
            ? null
            : { channelType: origin.channelType, platformId: origin.platformId, threadId: origin.threadId },
      },
      now,
    );
    const done: DeliveryRow =
      plan.kind === 'refuse'
        ? { ...row, state: 'refused', reason: plan.reason, updatedAt: now }
        : { ...row, state: 'delivered', updatedAt: now };
    if (plan.kind === 'schedule') {
      tables.append([plan.row]);
      this.scheduled = true;
    }
    tables.putDelivery(done);
    return done;
  }

  /** After the commit: the transcript. */
  show(): void {
    // Told again after a restart: a row that is there already stays as it is.
    for (const { item } of this.#items) this.#tell(item.message, item.row);
    for (const { message, row, words } of this.#refused) {
      if (message !== null) this.#tell(message, row);
      this.#recordRefusal(message, row, words);
    }
    for (const { message, row } of this.#requests) {
      if (row.state === 'refused') this.#recordRefusal(message, row, row.reason ?? '');
    }
  }

  start(): void {
    const byLane = new Map<Lane, LaneItem[]>();
    for (const { item, lane } of this.#items) {
      if (item.row.state === 'refused') continue;
      const items = byLane.get(lane) ?? [];
      items.push(item);
      byLane.set(lane, items);
    }
    for (const [lane, items] of byLane) lane.push(items);
  }

  #tell(message: OutboundMessage, row: DeliveryRow): void {
    const { body } = message;
    if (body.kind === 'edit' || body.kind === 'reaction' || body.kind === 'request') return;
    const chat =
      row.state === 'refused' ? null : this.#parts.authority.findChat(this.#session.agentGroupId, message.destination);
    this.#parts.transcript.put({
      id: message.id,
      sessionId: this.#session.id,
      messagingGroupId: chat?.id ?? null,
      threadId: message.threadId,
      direction: 'out',
      kind: body.kind === 'question' ? 'question' : 'chat',
      authorId: this.#session.agentGroupId,
      authorName: this.#parts.authority.agentName(this.#session.agentGroupId),
      destination: message.destination,
      text: renderText(body),
      attachments: body.kind === 'chat' ? body.content.attachments : [],
      inReplyTo: message.inReplyTo,
      state: row.state,
      stateReason: row.reason,
      clientId: null,
      traceId: message.traceId ?? makeId('trace', this.#parts.now()),
      stamps: { read: this.#readAt },
      createdAt: this.#parts.now(),
    });
  }

  #recordRefusal(message: OutboundMessage | null, row: DeliveryRow, words: string): void {
    const { ledger, now } = this.#parts;
    ledger.append(
      {
        kind: 'delivery.refused',
        sessionId: this.#session.id,
        messageId: row.messageOutId,
        actor: this.#session.agentGroupId,
        detail: {
          destination: message?.destination ?? null,
          channelType: message?.channelType ?? null,
          platformId: message?.platformId ?? null,
          threadId: message?.threadId ?? null,
          reason: words,
        },
      },
      now(),
    );
    deliveryLog.warn(
      { sessionId: this.#session.id, messageId: row.messageOutId, reason: words },
      'a message was refused',
    );
    if (message === null) return;
    tellAgent(this.#parts, this.#session, message, row);
  }
}
