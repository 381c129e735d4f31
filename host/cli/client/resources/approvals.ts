/** What waits for a decision, and how such are decided. */
import type { Requests } from '../requests.ts';
import type { Approval, ApprovalDetail, ApprovalPolicy, Page } from '../types.ts';

export function approvalCalls(requests: Requests) {
  return {
    listApprovals(
      query: { state?: string | undefined; code?: string | undefined },
      limit: number,
    ): Promise<Page<Approval>> {
      return requests.list('/approvals', query, limit);
    },

    readApproval(id: string): Promise<ApprovalDetail> {
      return requests.get(`/approvals/${encodeURIComponent(id)}`);
    },

    /** `note`: why, for whoever asked. */
    decideApproval(id: string, choice: string, note: string | undefined): Promise<Approval> {
      const body = note === undefined ? { choice } : { choice, note };
      return requests.post(`/approvals/${encodeURIComponent(id)}/decide`, body);
    },

    listApprovalPolicies(): Promise<{ items: ApprovalPolicy[] }> {
      return requests.get('/approval-policies');
    },

    /** On top of what was seen: one that changed meanwhile stays as it is, and the call is refused. */
    changeApprovalPolicy(
      { action, revision }: Pick<ApprovalPolicy, 'action' | 'revision'>,
      patch: Partial<Pick<ApprovalPolicy, 'quorum' | 'expiresAfterMs' | 'askNextAfterMs'>>,
    ): Promise<ApprovalPolicy> {
      return requests.patch(`/approval-policies/${encodeURIComponent(action)}`, revision, patch);
    },
  };
}
