/** Approvals over the API: what waits for an admin, what became of the rest, and deciding. */
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { parseId } from '../../../../shared/ids.ts';
import { type Standing, sees } from '../../../access/console.ts';
import type { AnswerOutcome } from '../../../questions/apply.ts';
import type { Approval } from '../../../store/approvals.ts';
import { newApi, paginate } from '../api.ts';
import * as routes from '../approval-routes.ts';
import { readIfMatch, refuseChange, setEtag } from '../conditions.ts';
import type { ApiParts } from '../ports.ts';
import { presentApproval, presentApprovalDetail } from '../present-approval.ts';
import { notFound, Problem } from '../problem.ts';
import { scopeOf } from '../rights.ts';
import { findSubject } from '../subjects.ts';

export function approvalRoutes(parts: ApiParts) {
  const { decisions, visible } = parts;
  return newApi()
    .openapi(routes.listApprovals, (c) => {
      const { cursor, limit, state, code } = c.req.valid('query');
      const scope = scopeOf(c);
      if (code !== undefined) {
        const found = findByCode(parts, code, c.var.standing);
        const isMeant = found !== null && (state === undefined || state === found.state);
        return c.json({ items: isMeant ? [presentApproval(found, parts)] : [], nextCursor: null }, 200);
      }
      const before = cursor === undefined ? null : parseId('approval', cursor);
      const list = (n: number) =>
        scope === null
          ? decisions.list(n, before, state ?? null)
          : visible.listApprovals(scope, n, before, state ?? null).flatMap((id) => decisions.get(id) ?? []);
      const page = paginate(limit, list, (approval) => approval.id);
      return c.json({ ...page, items: page.items.map((approval) => presentApproval(approval, parts)) }, 200);
    })
    .openapi(routes.getApproval, (c) => {
      return c.json(presentApprovalDetail(findApproval(parts, c.req.valid('param').id), parts), 200);
    })
    .openapi(routes.decideApproval, (c) => {
      const { id } = findApproval(parts, c.req.valid('param').id);
      const { choice, note } = c.req.valid('json');
      readAnswer(decisions.decide(id, { choice, by: c.var.userId, from: null, note: note ?? null }));
      return c.json(presentApproval(findApproval(parts, id), parts), 200);
    })
    .openapi(routes.listApprovalPolicies, (c) => c.json({ items: decisions.policies.list() }, 200))
    .openapi(routes.changeApprovalPolicy, (c) => {
      const { action } = c.req.valid('param');
      const by = { userId: c.var.userId, isMachine: c.var.standing.isMachine };
      const change = decisions.policies.change(action, c.req.valid('json'), readIfMatch(c), by);
      if (change.kind === 'stale') throw refuseChange('approval policy', decisions.policies.get(action));
      if (change.kind === 'refused') {
        throw new Problem(change.reason === 'not_allowed' ? 403 : 400, change.reason, change.words);
      }
      setEtag(c, change.policy);
      return c.json(change.policy, 200);
    });
}

/** A code is no secret; what this person may not see is not there all the same. */
function findByCode(parts: ApiParts, code: string, standing: Standing): Approval | null {
  const approval = parts.decisions.findByCode(code.toUpperCase());
  const subject = approval === null ? null : findSubject(parts, 'approvals', approval.id);
  return subject !== null && sees(standing, subject) ? approval : null;
}

function findApproval({ decisions }: ApiParts, id: string): Approval {
  const approvalId = parseId('approval', id);
  const approval = approvalId === null ? null : decisions.get(approvalId);
  if (approval === null) throw notFound('approval');
  return approval;
}

const STATUS_OF_REFUSAL = {
  unknown: 404,
  not_allowed: 403,
  no_such_option: 400,
  already_answered: 409,
  already_voted: 409,
  too_new: 409,
  changed: 409,
  too_many_tries: 429,
  expired: 410,
  withdrawn: 410,
} as const satisfies Record<string, ContentfulStatusCode>;

/** Nothing when it was accepted. Throws Problem 400, 403, 404, 409, 410. */
export function readAnswer(outcome: AnswerOutcome): void {
  if (outcome.kind === 'accepted') return;
  const { reason, words } = outcome;
  const expected = reason === 'no_such_option' ? { expected: 'the text of one of the options, or its number' } : {};
  throw new Problem(STATUS_OF_REFUSAL[reason], reason, words, expected);
}
