/** The routes about approvals and their policies, without handlers. */
import { createRoute, z } from '@hono/zod-openapi';
import { APPROVAL_ACTIONS } from '../../approvals/approval.ts';
import * as approvals from './approval-schemas.ts';
import { approvalParams, body, ifMatch, ok } from './route-parts.ts';
import { pageOf } from './schema-parts.ts';

export const listApprovals = createRoute({
  method: 'get',
  path: '/approvals',
  summary: 'Newest first',
  request: { query: approvals.approvalsQuery },
  responses: ok(pageOf(approvals.approvalSchema)),
});
export const getApproval = createRoute({
  method: 'get',
  path: '/approvals/{id}',
  summary: 'With its history',
  request: { params: approvalParams },
  responses: ok(approvals.approvalDetailSchema),
});
export const decideApproval = createRoute({
  method: 'post',
  path: '/approvals/{id}/decide',
  summary: 'Decide, by your roles at this moment; where several must approve, one voice',
  request: { params: approvalParams, body: body(approvals.decisionBody) },
  responses: ok(approvals.approvalSchema),
});
export const listApprovalPolicies = createRoute({
  method: 'get',
  path: '/approval-policies',
  summary: 'For each action: how many people must approve, how long it waits, when the next one is asked',
  responses: ok(z.object({ items: z.array(approvals.approvalPolicySchema) })),
});
export const changeApprovalPolicy = createRoute({
  method: 'patch',
  path: '/approval-policies/{action}',
  summary: 'Owners alone; a higher number of people counts for what waits, too',
  request: {
    params: z.object({ action: z.enum(APPROVAL_ACTIONS) }),
    headers: ifMatch,
    body: body(approvals.approvalPolicyBody),
  },
  responses: ok(approvals.approvalPolicySchema),
});
