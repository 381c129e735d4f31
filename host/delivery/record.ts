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
  return describeDelivery(session, row, { ...describeRoute(message), ...describeGrant(message, grant ?? null) });
}

/** A row that came to its end without a lane: refused at once, or a request. Null `message`: nothing in it is known. */
export function recordSettled(session: Session, message: OutboundMessage | null, row: DeliveryRow): LedgerEntry {
  return describeDelivery(session, row, message === null ? {} : describeRoute(message));
}

function describeRoute({ body, destination, channelType, platformId, threadId, inReplyTo }: OutboundMessage) {
  const route: LedgerDetail = { destination, channelType, platformId, threadId, inReplyTo };
  if (body.kind === 'request') return { ...route, what: body.content.action };
  return body.kind === 'chat' ? route : { ...route, what: body.kind };
}

/** What allowed the last attempt. A name that the destination had earlier is followed by the one it has now. */
function describeGrant({ destination }: OutboundMessage, grant: Grant | null): LedgerDetail {
  if (grant === null) return {};
  const { rule, destinationId, name, targetId: target } = grant;
  return { rule, destinationId, target, ...(name === destination ? {} : { nameNow: name }) };
}
