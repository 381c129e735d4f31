/** What the ledger says about a row on its way: which destination, which rule, which attempt. */
import { describeDelivery } from '../sessions/delivery-record.ts';
import type { DeliveryRow } from '../sessions/inbox-tables.ts';
import type { LedgerDetail, LedgerEntry } from '../store/ledger.ts';
import type { Session } from '../store/sessions.ts';
import type { Grant } from './authority.ts';
import type { LaneItem } from './lane.ts';
import type { OutboundMessage } from './plan.ts';

/** Null: nothing was decided that is not recorded already; it waits its turn, or goes on being sent. */
export function recordAttempt(session: Session, { message, row, grant }: LaneItem): LedgerEntry | null {
  const isOpen = row.state === 'queued' || row.state === 'sending';
  if (isOpen && (row.attempts === 0 || row.nextAttemptAt === null)) return null;
  // One that is refused now may have been allowed before.
  const isAllowed = grant !== undefined && row.state !== 'refused';
  return describeDelivery(session, row, isAllowed ? describeGrant(message, grant) : describeClaim(message));
}

/** A row that came to its end without a lane: refused at once, or a request. Null `message`: nothing in it is known. */
export function recordSettled(session: Session, message: OutboundMessage | null, row: DeliveryRow): LedgerEntry {
  return describeDelivery(session, row, message === null ? {} : describeClaim(message));
}

/** Where the row says that it goes: its container's words, which nothing has confirmed. */
function describeClaim(message: OutboundMessage): LedgerDetail {
  const { channelType, platformId } = message;
  return { ...describeRow(message), channelType, platformId };
}

/** What allowed the last attempt: the target's own row says which chat or agent that is. */
function describeGrant(message: OutboundMessage, { rule, destinationId, name, targetId: target }: Grant): LedgerDetail {
  // One that the destination had earlier is followed by the name it has now.
  const renamed = name === message.destination ? {} : { nameNow: name };
  return { ...describeRow(message), rule, destinationId, target, ...renamed };
}

function describeRow({ body, destination, threadId, inReplyTo }: OutboundMessage): LedgerDetail {
  const row: LedgerDetail = { destination, threadId, inReplyTo };
  if (body.kind === 'request') return { ...row, what: body.content.action };
  return body.kind === 'chat' ? row : { ...row, what: body.kind };
}
