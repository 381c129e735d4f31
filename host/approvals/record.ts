/** One entry of the ledger about an approval; in the caller's transaction. */
import type { Approval } from '../store/approvals.ts';
import type { Ledger, LedgerEntry } from '../store/ledger.ts';

export type ApprovalWord =
  | 'requested'
  | 'joined'
  | 'voted'
  | 'approved'
  | 'rejected'
  | 'expired'
  | 'superseded'
  | 'applied'
  | 'failed'
  | 'settled'
  | 'refused'
  | 'policy';

export function recordApproval(
  { ledger, now }: { ledger: Ledger; now: () => number },
  word: ApprovalWord,
  approval: Pick<Approval, 'id' | 'action' | 'subjectKey' | 'requestHash' | 'requesterSessionId'>,
  actor: string | null,
  detail: LedgerEntry['detail'] = {},
): void {
  const { id, action, subjectKey, requestHash, requesterSessionId } = approval;
  const entry = { kind: `approval.${word}`, sessionId: requesterSessionId, messageId: id, actor };
  ledger.append({ ...entry, detail: { action, subjectKey, requestHash, ...detail } }, now());
}
