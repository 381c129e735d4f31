/** Telling an agent that its message did not arrive. */
import { deriveMessageId, makeId, type SessionId } from '../../shared/ids.ts';
import { assertNever, Fault } from '../config/errors.ts';
import type { UnderWay } from '../config/under-way.ts';
import { deliveryLog } from '../observe/logger.ts';
import type { DeliveryRow } from '../sessions/inbox-tables.ts';
import type { Session } from '../store/sessions.ts';
import type { DeliveryParts } from './parts.ts';
import type { OutboundMessage } from './plan.ts';

/** The agent hears of the same failure at the same destination once in this time: telling wakes it, and costs money. */
const TELL_AGENT_EVERY_MS = 3_600_000;

/** Different failures told in that time, whatever names the agent invents. Higher: an agent wakes itself on a person's money. */
const TOLD_PER_WINDOW = 24;

export class AgentTeller {
  readonly #parts: DeliveryParts;
  readonly #underWay: UnderWay;
  /** When each failure was told last, by session; who was told longest ago comes first. */
  readonly #told = new Map<SessionId, Map<string, number>>();

  /** `underWay` holds what nobody waits for. */
  constructor(parts: DeliveryParts, underWay: UnderWay) {
    this.#parts = parts;
    this.#underWay = underWay;
  }

  /** Puts a system message before the agent: this did not work, and why. Does not fail the caller. */
  tell(session: Session, message: OutboundMessage, row: DeliveryRow): void {
    const at = this.#parts.now();
    const failure = JSON.stringify([row.state, message.destination, row.reason]);
    if (!this.#mayTell(session.id, failure, at)) return;
    void this.#underWay.add(
      this.#append(session, message, row, failure, at).catch((error: unknown) => {
        // It may be told when it happens again.
        this.#told.get(session.id)?.delete(failure);
        if (!(error instanceof Fault)) throw error;
        deliveryLog.warn({ sessionId: session.id, err: error }, 'the agent could not be told of a failed delivery');
      }),
    );
  }

  #mayTell(id: SessionId, failure: string, at: number): boolean {
    this.#forgetBefore(at - TELL_AGENT_EVERY_MS);
    const told = this.#told.get(id) ?? new Map<string, number>();
    for (const [known, lastAt] of told) if (lastAt <= at - TELL_AGENT_EVERY_MS) told.delete(known);
    if (told.has(failure) || told.size >= TOLD_PER_WINDOW) return false;
    told.set(failure, at);
    this.#told.delete(id);
    this.#told.set(id, told);
    return true;
  }

  #forgetBefore(at: number): void {
    for (const [id, told] of this.#told) {
      if (Math.max(...told.values()) > at) return;
      this.#told.delete(id);
    }
  }

  async #append(
    session: Session,
    message: OutboundMessage,
    row: DeliveryRow,
    failure: string,
    at: number,
  ): Promise<void> {
    const text = describeEnd(message, row);
    await this.#parts.inboxes.commit(session, (tables) => {
      const route = message.inReplyTo === null ? null : tables.getRoute(message.inReplyTo);
      const window = String(Math.floor(at / TELL_AGENT_EVERY_MS));
      tables.append([
        {
          // What an earlier host told in this hour is there already.
          id: deriveMessageId(session.id, 'told', window, failure),
          kind: 'system',
          timestamp: at,
          processAfter: null,
          trigger: true,
          onWake: false,
          channelType: route?.channelType ?? null,
          platformId: route?.platformId ?? null,
          threadId: route?.threadId ?? null,
          senderId: null,
          sourceSessionId: null,
          inReplyTo: message.id,
          hop: 0,
          traceId: message.traceId ?? makeId('trace', at),
          content: JSON.stringify({ text, senderName: 'host', attachments: [], event: `delivery_${row.state}` }),
        },
      ]);
    });
    this.#parts.onWorkChanged(session.id);
  }
}

/** What became of a row, for the agent that wrote it: what, where, why, and whether to try again. */
function describeEnd(
  message: Pick<OutboundMessage, 'body' | 'destination'>,
  row: Pick<DeliveryRow, 'state' | 'reason'>,
): string {
  const place = `"${message.destination ?? '(nobody)'}"`;
  const what =
    row.state === 'refused'
      ? 'was refused'
      : row.state === 'unknown'
        ? 'may not have arrived'
        : 'could not be delivered';
  const why = row.reason ?? 'no reason given';
  const { body } = message;
  switch (body.kind) {
    case 'request':
      return `Your request ${body.content.action} ${what}: ${why}.`;
    case 'edit':
      return `Your edit of a message in ${place} ${what}: ${why}.`;
    case 'reaction':
      return `Your reaction ${body.content.emoji} in ${place} ${what}: ${why}.`;
    case 'chat':
    case 'question':
      return `Your message to ${place} ${what}: ${why}. Do not send it again unless someone asks.`;
    default:
      return assertNever(body);
  }
}
