/** Owners, admins and members. Times are epoch milliseconds; `revision` is the ETag. */
import { z } from '@hono/zod-openapi';
import { agentIdSchema, line, pageQuery, userIdSchema } from './inputs.ts';
import { revision, time } from './schema-parts.ts';

/** Somebody, with all identities that are linked. */
export const personSchema = z
  .object({
    /** One of the identities; each of them names the person. */
    id: z.string(),
    name: z.string(),
    identities: z.array(z.object({ userId: z.string(), name: z.string(), createdAt: time })),
    roles: z.array(
      z.object({
        role: z.enum(['owner', 'admin', 'member']),
        /** Null: of everything. */
        agentId: z.string().nullable(),
        agentName: z.string().nullable(),
        /** The identity that it was given to. */
        userId: z.string(),
        grantedBy: z.string().nullable(),
        grantedAt: time,
      }),
    ),
    revision,
  })
  .openapi('Person');
export type Person = z.infer<typeof personSchema>;

/** What somebody is given; `of` is an agent, or `all` for everything. */
export const roleParams = z.object({
  id: userIdSchema,
  role: z.enum(['owner', 'admin', 'member']),
  of: z.union([z.literal('all'), agentIdSchema], { error: 'expected "all" or an agent id (agt_…)' }),
});

export const grantBody = z
  .strictObject({
    /** For somebody new: what they are called. Then no If-Match is asked for. */
    name: line(64).optional(),
  })
  .openapi('Grant');

export const peopleQuery = pageQuery.extend({
  /** Of an id, which may be long. */
  cursor: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,800}$/, 'expected the nextCursor of an earlier page')
    .optional(),
  /** In a name or an id. */
  q: z.string().trim().max(100).optional(),
  agent: agentIdSchema.optional(),
  /** `known`: owners, admins and members; `all`: everybody who ever wrote. */
  who: z.enum(['known', 'all']).optional(),
});
