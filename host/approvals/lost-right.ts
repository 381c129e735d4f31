/**
 * Who was shown an approval and may not decide it any more: they are told so. Whoever never could decide it learns
 * nothing of it.
 */
import type { UserId } from '../../shared/ids.ts';
import type { Approval } from '../store/approvals.ts';
import type { Ledger } from '../store/ledger.ts';
import type { UserStore } from '../store/users.ts';

/** Entries looked through, about each identity. Higher: a try costs more. Lower: a role lost long ago is forgotten. */
const MAX_LOOKED_BACK = 50;

/** Whether a role with which this person could decide it was taken from them since it was asked. */
export function lostRight(
  { users, ledger }: { users: Pick<UserStore, 'identitiesOf'>; ledger: Pick<Ledger, 'listAbout'> },
  { createdAt, agentGroupId }: Pick<Approval, 'createdAt' | 'agentGroupId'>,
  by: UserId,
): boolean {
  return users
    .identitiesOf(by)
    .flatMap((id) => ledger.listAbout(id, MAX_LOOKED_BACK))
    .some(
      ({ kind, at, detail }) =>
        kind === 'role.revoked' && at >= createdAt && (detail.agent === null || detail.agent === agentGroupId),
    );
}
