/** The ledger, and what it says of one message. Times are epoch milliseconds. */
import { z } from '@hono/zod-openapi';
import { agentIdSchema, pageQuery, sessionIdSchema, wholeNumber } from './inputs.ts';
import { time } from './schema-parts.ts';

/** An entry of the ledger. */
export const ledgerEntrySchema = z
  .object({
    position: z.number().int(),
    at: time,
    kind: z.string(),
    sessionId: z.string().nullable(),
    /** What it is about: the id of a message, approval, destination, wiring, chat, agent or person. */
    subject: z.string().nullable(),
    /** Whose doing it was: a person's or an agent's id; null: the host's. */
    actor: z.string().nullable(),
    detail: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
    hash: z.string(),
    /** The same as a sentence. */
    words: z.string(),
  })
  .openapi('LedgerEntry');
export type LedgerEntry = z.infer<typeof ledgerEntrySchema>;

export const ledgerLinkSchema = z
  .object({ position: z.number().int(), hash: z.string(), at: time.nullable() })
  .openapi('LedgerLink');

export const ledgerCheckSchema = z
  .object({
    /** Checked by this request. */
    entries: z.number().int(),
    /** The last entry that holds. */
    head: ledgerLinkSchema,
    /** The first position that does not. */
    brokenAt: z.number().int().nullable(),
    /** What to give as `after`; null: all is checked, or broken. */
    next: z.string().nullable(),
  })
  .openapi('LedgerCheck');
export type LedgerCheck = z.infer<typeof ledgerCheckSchema>;

export const whySchema = z
  .object({
    id: z.string(),
    /** Null for what is no message of a chat: a request, an edit, a reaction. */
    direction: z.enum(['in', 'out']).nullable(),
    state: z.string().nullable(),
    answer: z.string(),
    /** In order; `ground` is what a decision about the message stood on. */
    steps: z.array(
      z.object({ position: z.number().int(), at: time, text: z.string(), sort: z.enum(['decision', 'ground']) }),
    ),
    /** What cannot be told, and why. */
    unknown: z.array(z.string()),
    /** Commands that change it. */
    next: z.array(z.string()),
  })
  .openapi('Why');
export type Why = z.infer<typeof whySchema>;

/** Epoch ms. */
const moment = wholeNumber(0, 8_640_000_000_000_000).optional().openapi({ type: 'integer', minimum: 0 });

const subjectText = z
  .string()
  .regex(/^[^\p{Cc}]{1,300}$/u, 'expected up to 300 characters')
  .optional();

export const ledgerQuery = pageQuery.extend({
  cursor: z
    .string()
    .regex(/^\d{1,15}$/, 'expected the nextCursor of an earlier page')
    .optional(),
  /** A kind, or the beginning of several with its dot: `delivery.`. */
  kind: z
    .string()
    .regex(/^[a-z][a-z_]*\.([a-z_]+)?$/, 'expected a kind like "role.granted", or a beginning like "delivery."')
    .optional(),
  session: sessionIdSchema.optional(),
  agent: agentIdSchema.optional(),
  /** Whose doing it was: a person's or an agent's id. */
  actor: subjectText,
  /** What it is about: the id of a message, approval, destination, wiring, chat, agent or person. */
  subject: subjectText,
  since: moment,
  until: moment,
  /** Somewhere in an entry. */
  q: subjectText,
});

export const ledgerVerifyQuery = z.strictObject({
  /** An entry that holds, or was written down elsewhere; from the first without it. */
  after: z
    .string()
    .regex(/^[1-9]\d{0,14}:[0-9a-f]{64}$/, 'expected <position>:<hash>')
    .optional(),
});
