/** What the API says of what agents may reach outside, and of what they reached; and what it takes. Times are epoch ms. */
import { z } from '@hono/zod-openapi';
import {
  accessMethodsSchema,
  accessPathSchema,
  accessPortSchema,
  accessServiceSchema,
} from '../../../shared/access.ts';
import { isId } from '../../../shared/ids.ts';
import { EGRESS_KINDS, EGRESS_OUTCOMES } from '../../store/egress-log.ts';
import { agentIdSchema, pageQuery, sessionIdSchema } from './inputs.ts';

const time = z.number().int().nonnegative();
const count = z.number().int().nonnegative();

/** Rules never change: another is made, and this one removed. */
export const accessRuleSchema = z
  .object({
    id: z.string(),
    agentId: z.string(),
    /** A host, or `*.name` for the names below it; null: a service. */
    host: z.string().nullable(),
    service: z.string().nullable(),
    /** Null for a service. */
    port: z.number().int().nullable(),
    /** Null: all. */
    methods: z.array(z.string()).nullable(),
    /** What paths begin with, up to a segment's end; null: all. */
    path: z.string().nullable(),
    /** Lies on this machine or network, as an owner said. */
    isPrivate: z.boolean(),
    /** `https://api.example.com`, `example.com:22`, `service github`. */
    place: z.string(),
    /** Why, in the words of who asked; null when none were given. */
    reason: z.string().nullable(),
    /** Null: allowed by hand. */
    approvalId: z.string().nullable(),
    createdBy: z.object({ id: z.string(), name: z.string() }),
    createdAt: time,
  })
  .openapi('AccessRule');
export type AccessRuleResource = z.infer<typeof accessRuleSchema>;

/** One request that reached the gateway, or several refused alike. */
export const egressEntrySchema = z
  .object({
    id: z.number().int().positive(),
    at: time,
    agentId: z.string(),
    sessionId: z.string(),
    kind: z.enum(EGRESS_KINDS),
    method: z.string(),
    /** Empty: it named none, or the row stands for many. */
    host: z.string(),
    port: count,
    /** Without its query; empty for a tunnel. */
    path: z.string(),
    /** That was connected to; null: none was. */
    address: z.string().nullable(),
    outcome: z.enum(EGRESS_OUTCOMES),
    /** Of the server outside, or of the refusal; null: none came. */
    status: z.number().int().nullable(),
    /** Why it was refused or failed; null when it went well. */
    reason: z.string().nullable(),
    /** The rule, or the service, that let it through. */
    rule: z.string().nullable(),
    bytesOut: count,
    bytesIn: count,
    durationMs: count,
    /** Refused alike within a minute: how often. */
    repeats: z.number().int().positive(),
  })
  .openapi('EgressEntry');
export type EgressEntryResource = z.infer<typeof egressEntrySchema>;

const line = (most: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(most)
    .regex(/^[^\p{Cc}]*$/u, 'expected one line without control characters');

export const accessRuleBody = z
  .strictObject({
    /** A name, or `*.name`; with `private` also an address. */
    host: z.string().trim().min(1).max(260).optional(),
    service: accessServiceSchema.optional(),
    /** Of a host; 443 without it. */
    port: accessPortSchema.optional(),
    /** All without it. */
    methods: accessMethodsSchema.optional(),
    /** All without it. */
    path: accessPathSchema.optional(),
    /** It lies on this machine or network. Owners alone. */
    private: z.boolean().optional(),
    reason: line(1_000).optional(),
  })
  .refine(({ host, service }) => (host === undefined) !== (service === undefined), 'expected a host or a service')
  .refine(({ service, port }) => service === undefined || port === undefined, 'a service has its own port')
  .openapi('NewAccessRule');

export const accessRuleIdSchema = z
  .string()
  .refine((text) => isId('accessRule', text), 'expected an access rule id (rul_…)');

export const egressQuery = pageQuery.extend({
  cursor: z
    .string()
    .regex(/^\d{1,15}$/, 'expected the nextCursor of an earlier page')
    .optional(),
  agent: agentIdSchema.optional(),
  session: sessionIdSchema.optional(),
  outcome: z.enum(EGRESS_OUTCOMES).optional(),
  /** Part of a host or path. */
  q: z
    .string()
    .regex(/^[^\p{Cc}]{1,200}$/u, 'expected up to 200 characters')
    .optional(),
});
