/**
 * What becomes of a row from outbound.db. Pure: facts and `now` in, plan out.
 *
 *   queued → sending(attempt, key) → delivered | failed | refused | unknown
 *              └──────── retry ───────┘
 *
 * I1. `sending` stands in inbound.db before the platform is called.
 * I2. `sending` means "may have been sent": after a crash or a lost answer the channel's idempotency
 *     class decides whether it may be sent again.
 */
import { deriveMessageId, isId, type MessageId, parseId, type SessionId, type TraceId } from '../../shared/ids.ts';
import { OUTBOUND_KINDS, type OutboundContent, parseOutboundContent } from '../../shared/messages.ts';
import { assertNever } from '../config/errors.ts';
import { DELIVERY_BACKOFF_MAX_MS, DELIVERY_BACKOFF_MS, MAX_DELIVERY_ATTEMPTS } from '../config/limits.ts';
import { renderOpen } from '../questions/plan.ts';
import type { DeliveryRow } from '../sessions/inbox-tables.ts';
import type { RawOutbound } from '../sessions/reader-protocol.ts';
import type { ChannelAbilities, ProbeOutcome, SendOutcome } from './channel.ts';

/** A row that passed the schema. */
export interface OutboundMessage {
  id: MessageId;
  seq: number;
  inReplyTo: MessageId | null;
  /** When the container wrote it, epoch ms, as it says. */
  timestamp: number;
  deliverAfter: number | null;
  destination: string | null;
  channelType: string | null;
  platformId: string | null;
  threadId: string | null;
  traceId: TraceId | null;
  body: OutboundContent;
}

export type ParsedRow =
  | { kind: 'message'; message: OutboundMessage }
  | { kind: 'malformed'; id: MessageId; seq: number; problem: string };

/** Longest routing field that any platform uses. */
const MAX_ROUTE_LENGTH = 256;
/** Furthest that an agent may put off a message. */
const MAX_DEFER_MS = 366 * 24 * 3_600_000;

/** Parses a row by schema and limit. A row without a usable id gets one made from its place. */
export function parseRow(sessionId: SessionId, raw: RawOutbound, now: number): ParsedRow {
  const fallbackId = deriveMessageId(sessionId, 'row', String(raw.seq));
  const id = parseId('message', raw.id);
  const malformed = (problem: string): ParsedRow => ({
    kind: 'malformed',
    id: id ?? fallbackId,
    seq: raw.seq,
    problem,
  });
  if (id === null) return malformed('its id is not a message id');
  const kind = OUTBOUND_KINDS.find((known) => known === raw.kind);
  if (kind === undefined) return malformed('its kind is not known');
  if (raw.content === null) return malformed('its content is too large');
  for (const field of [raw.destination, raw.channelType, raw.platformId, raw.threadId]) {
    if (field !== null && (field.length > MAX_ROUTE_LENGTH || /\p{Cc}/u.test(field)))
      return malformed('a routing field is malformed');
  }
  if (raw.deliverAfter !== null && !(raw.deliverAfter >= 0 && raw.deliverAfter <= now + MAX_DEFER_MS)) {
    return malformed('deliver_after is out of range');
  }
  const content = parseOutboundContent(kind, raw.content);
  if (!content.ok) return malformed(content.problem);
  return {
    kind: 'message',
    message: {
      id,
      seq: raw.seq,
      inReplyTo: raw.inReplyTo === null ? null : parseId('message', raw.inReplyTo),
      timestamp: Math.min(Math.max(raw.timestamp, 0), now),
      deliverAfter: raw.deliverAfter,
      destination: raw.destination,
      channelType: raw.channelType,
      platformId: raw.platformId,
      threadId: raw.threadId,
      traceId: raw.traceId !== null && isId('trace', raw.traceId) ? raw.traceId : null,
      body: content.value,
    },
  };
}

/**
 * The first row whose sequence number the contract does not allow: each is odd and at most two above
 * the highest that either side used. Null when all hold. A forged number could push the host's own
 * beyond what a number can be.
 */
export function findForgedSeq(rows: readonly { seq: number }[], cursor: number, hostHighest: number): number | null {
  let highest = Math.max(cursor, hostHighest);
  let previous = cursor;
  for (const { seq } of rows) {
    if (!Number.isSafeInteger(seq) || seq % 2 !== 1 || seq <= previous || seq > highest + 2) return seq;
    highest = Math.max(highest, seq);
    previous = seq;
  }
  return null;
}

/** How an attempt ended: as a channel says, or as a person's decision that it waits for. */
export type AttemptOutcome =
  | SendOutcome
  /** Certainly not sent, and not to be sent before something else happens. */
  | { kind: 'hold'; reason: string }
  | { kind: 'refuse'; reason: string };

/** How a delivery goes on after an attempt. */
export type NextState =
  | { kind: 'delivered'; platformMessageId: string | null }
  | { kind: 'failed'; reason: string }
  | { kind: 'refused'; reason: string }
  /** May have been sent, and nobody can tell: a person decides. */
  | { kind: 'unknown'; reason: string }
  /** `mayBeSent`: the attempt's outcome is not known, so the class decides at the next one. */
  | { kind: 'retry'; at: number; reason: string; mayBeSent: boolean }
  /** Waits at the head of its lane; the attempt does not count. */
  | { kind: 'hold'; reason: string };

/** `random` is in [0, 1): jitter, so that many chats do not knock at once. */
export function planAfterSend(
  outcome: AttemptOutcome,
  attempts: number,
  idempotency: ChannelAbilities['idempotency'],
  now: number,
  random: number,
): NextState {
  switch (outcome.kind) {
    case 'sent':
      return { kind: 'delivered', platformMessageId: outcome.platformMessageId };
    case 'rejected':
      return { kind: 'failed', reason: outcome.reason };
    case 'refuse':
      return { kind: 'refused', reason: outcome.reason };
    case 'hold':
      return outcome;
    case 'retry':
      return planRetry(outcome.reason, attempts, outcome.retryAfterMs, false, now, random);
    case 'uncertain':
      if (idempotency === 'none') return { kind: 'unknown', reason: outcome.reason };
      return planRetry(outcome.reason, attempts, null, true, now, random);
    default:
      return assertNever(outcome);
  }
}

/** After asking a `probe` platform about a message whose answer was lost. `send`: it is not there, send it. */
export function planAfterProbe(
  outcome: ProbeOutcome,
  attempts: number,
  now: number,
  random: number,
): NextState | { kind: 'send' } {
  switch (outcome.kind) {
    case 'present':
      return { kind: 'delivered', platformMessageId: outcome.platformMessageId };
    case 'missing':
      return { kind: 'send' };
    case 'cannot-tell':
      return planRetry('the platform cannot tell whether it has the message', attempts, null, true, now, random);
    default:
      return assertNever(outcome);
  }
}

function planRetry(
  reason: string,
  attempts: number,
  retryAfterMs: number | null,
  mayBeSent: boolean,
  now: number,
  random: number,
): NextState {
  if (attempts >= MAX_DELIVERY_ATTEMPTS) return { kind: mayBeSent ? 'unknown' : 'failed', reason };
  const backoff = Math.min(DELIVERY_BACKOFF_MS * 2 ** (attempts - 1), DELIVERY_BACKOFF_MAX_MS);
  const jittered = Math.round(backoff * (0.75 + random / 2));
  return { kind: 'retry', at: now + Math.max(jittered, retryAfterMs ?? 0), reason, mayBeSent };
}

/** What a delivery found open after a restart needs first. Source: architecture §8. */
export function planRecovery(
  row: Pick<DeliveryRow, 'state'>,
  idempotency: ChannelAbilities['idempotency'],
): 'send' | 'probe' | 'unknown' {
  if (row.state !== 'sending') return 'send';
  switch (idempotency) {
    case 'native':
      return 'send';
    case 'probe':
      return 'probe';
    case 'none':
      return 'unknown';
    default:
      return assertNever(idempotency);
  }
}

/** The text of a message; of a question, what a channel without buttons shows. */
export function renderText(body: OutboundContent, of: { messageId: MessageId; author: string }): string {
  switch (body.kind) {
    case 'chat':
    case 'edit':
      return body.content.text;
    case 'question':
      return renderOpen(body.content, of);
    case 'reaction':
      return body.content.emoji;
    case 'request':
      return body.content.action;
    default:
      return assertNever(body);
  }
}
