/** Approvals, and how they are decided. Times are epoch milliseconds; `revision` is the ETag. */
import { z } from '@hono/zod-openapi';
import { MAX_POLICY_MS, MAX_QUORUM, MIN_POLICY_MS } from '../../approvals/policies.ts';
import { APPROVAL_STATES } from '../../store/approvals.ts';
import { choice, hasAny, line, pageQuery } from './inputs.ts';
import { revision, time } from './schema-parts.ts';

/** A decision that the host needs of an admin. */
export const approvalSchema = z
  .object({
    id: z.string(),
    /** A word: what is asked for. */
    action: z.string(),
    /** What people type to name it: `/approve 7K2Q`. Unlike that of any other that is pending. */
    code: z.string(),
    /** All of what is approved. */
    payload: z.record(z.string(), z.unknown()),
    /** What approving does, compared with the time of asking; decided is this, or nothing. */
    consequence: z.array(z.string()),
    /** Why, in the words of the agent that asks. */
    reason: z.string().nullable(),
    /** The conversation it comes from; `isAgent`: its agent asks, and is told how it ends. */
    requester: z
      .object({
        sessionId: z.string(),
        isAgent: z.boolean(),
        /** With `isAgent`: what the agent is called, and the chat that it was asked in. */
        agentName: z.string().nullable(),
        chatName: z.string().nullable(),
      })
      .nullable(),
    /** How many different people must approve. */
    quorum: z.number().int(),
    /** `counts`: whether it counts: while this waits, whether that person may decide now. */
    votes: z.array(
      z.object({ id: z.string(), name: z.string(), choice: z.string(), votedAt: time, counts: z.boolean() }),
    ),
    /** The approval that took its place. */
    supersededBy: z.string().nullable(),
    /** When one more person is asked, if nobody decides; null: everybody who can be was. */
    askNextAt: time.nullable(),
    title: z.string(),
    question: z.string(),
    options: z.array(z.object({ text: z.string(), approves: z.boolean() })),
    state: z.enum(APPROVAL_STATES),
    choice: z.string().nullable(),
    decidedBy: z.object({ id: z.string(), name: z.string() }).nullable(),
    decidedAt: time.nullable(),
    /** Why, in the words of who decided; why nothing is left to decide, when it is superseded. */
    note: z.string().nullable(),
    /** What came of it, in words; null while it is pending or under way. */
    outcome: z.string().nullable(),
    /** Whose admins may decide; null: global admins and owners alone. */
    agentId: z.string().nullable(),
    /** The card in a chat; null: nobody could be asked yet. */
    asked: z.object({ chatId: z.string(), messageId: z.string() }).nullable(),
    expiresAt: time,
    createdAt: time,
  })
  .openapi('Approval');
export type Approval = z.infer<typeof approvalSchema>;

/** With all that happened to it, oldest first, as the ledger has it. */
export const approvalDetailSchema = approvalSchema
  .extend({
    history: z.array(
      z.object({
        at: time,
        /** `approval.requested`, `approval.voted`, `approval.approved`… */
        kind: z.string(),
        by: z.object({ id: z.string(), name: z.string() }).nullable(),
        detail: z.record(z.string(), z.unknown()),
      }),
    ),
  })
  .openapi('ApprovalDetail');
export type ApprovalDetail = z.infer<typeof approvalDetailSchema>;

/** How approvals of one action are decided. */
export const approvalPolicySchema = z
  .object({
    action: z.string(),
    quorum: z.number().int(),
    expiresAfterMs: z.number().int(),
    /** Until one more person is asked. */
    askNextAfterMs: z.number().int(),
    revision,
    /** Why its approvals cannot come about now. */
    warning: z.string().nullable(),
  })
  .openapi('ApprovalPolicy');
export type ApprovalPolicy = z.infer<typeof approvalPolicySchema>;

export const decisionBody = z
  .strictObject({
    /** Also `approve`, when one option approves, and `reject`. */
    choice,
    /** Why: shown on the cards and told to whoever asked. */
    note: line(500).optional(),
  })
  .openapi('Decision');

export const approvalsQuery = pageQuery.extend({
  state: z.enum(APPROVAL_STATES).optional(),
  /** The one that this code names. */
  code: z.string().trim().min(1).max(12).optional(),
});

const policyMs = z.number().int().min(MIN_POLICY_MS).max(MAX_POLICY_MS);

export const approvalPolicyBody = z
  .strictObject({
    quorum: z.number().int().min(1).max(MAX_QUORUM).optional(),
    expiresAfterMs: policyMs.optional(),
    askNextAfterMs: policyMs.optional(),
  })
  .refine(hasAny, 'expected something to change')
  .openapi('ApprovalPolicyChange');
