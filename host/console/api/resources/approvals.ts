/** Approvals over the API: what waits for an admin, what became of the rest, and deciding. */
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { parseId } from '../../../../shared/ids.ts';
import type { AnswerOutcome } from '../../../questions/apply.ts';
import type { Approval } from '../../../store/approvals.ts';
import { newApi, paginate } from '../api.ts';
import type { ApiParts } from '../ports.ts';
import { presentApproval } from '../present.ts';
import { notFound, Problem } from '../problem.ts';
import { scopeOf } from '../rights.ts';
import * as routes from '../routes.ts';

export function approvalRoutes(parts: ApiParts) {
  const { decisions, visible } = parts;
  return newApi()
    .openapi(routes.listApprovals, (c) => {
      const { cursor, limit, state } = c.req.valid('query');
      const before = cursor === undefined ? null : parseId('approval', cursor);
      const scope = scopeOf(c);
      const list = (n: number) =>
        scope === null
          ? decisions.list(n, before, state ?? null)
          : visible.listApprovals(scope, n, before, state ?? null).flatMap((id) => decisions.get(id) ?? []);
      const page = paginate(limit, list, (approval) => approval.id);
      return c.json({ ...page, items: page.items.map((approval) => presentApproval(approval, parts)) }, 200);
    })
    .openapi(routes.getApproval, (c) => {
      return c.json(presentApproval(findApproval(parts, c.req.valid('param').id), parts), 200);
    })
    .openapi(routes.decideApproval, (c) => {
      const { id } = findApproval(parts, c.req.valid('param').id);
      readAnswer(decisions.decide(id, { choice: c.req.valid('json').choice, by: c.var.userId, from: null }));
      return c.json(presentApproval(findApproval(parts, id), parts), 200);
    });
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
