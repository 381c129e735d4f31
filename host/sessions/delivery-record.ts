/** What the ledger says about a delivery: where to, by which rule, at which attempt; never what the message says. */
import type { AgentGroupId, SessionId } from '../../shared/ids.ts';
import type { LedgerDetail, LedgerEntry } from '../store/ledger.ts';
import type { DeliveryRow } from './inbox-tables.ts';

/** Longest reason in an entry: a platform's own words may go on. */
const MAX_REASON = 300;

/**
 * An entry about a delivery as its row stands. `put_off`: the attempt did not succeed, and there is another.
 * `more` is what is known of its way; fields without a value are left out.
 */
export function describeDelivery(
  session: { id: SessionId; agentGroupId: AgentGroupId },
  row: DeliveryRow,
  more: LedgerDetail = {},
): LedgerEntry {
  const isOpen = row.state === 'queued' || row.state === 'sending';
  const detail = {
    ...more,
    attempt: row.attempts,
    // Left out where it is the message's own id, which is all but always.
    key: row.idempotencyKey === row.messageOutId ? null : row.idempotencyKey,
    platformMessage: row.platformMessageId,
    reason: row.reason?.slice(0, MAX_REASON) ?? null,
    nextAt: isOpen ? row.nextAttemptAt : null,
  };
  return {
    kind: `delivery.${isOpen ? 'put_off' : row.state}`,
    sessionId: session.id,
    messageId: row.messageOutId,
    actor: session.agentGroupId,
    detail: Object.fromEntries(Object.entries(detail).filter(([, value]) => value !== null)),
  };
}
