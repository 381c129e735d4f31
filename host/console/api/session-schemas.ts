/** Sessions. Times are epoch milliseconds; `revision` is the ETag. */
import { z } from '@hono/zod-openapi';
import { agentIdSchema, line, pageQuery } from './inputs.ts';
import { revision, time } from './schema-parts.ts';

export const SESSION_STATES = [
  'idle',
  'starting',
  'running',
  'paused',
  'stopping',
  'waiting',
  'failed',
  'quarantined',
] as const;
export type SessionState = (typeof SESSION_STATES)[number];

export const sessionSchema = z
  .object({
    id: z.string(),
    agentId: z.string(),
    agentName: z.string(),
    /** What its agent thinks with now; null: that agent is gone. */
    provider: z.string().nullable(),
    /** Null: one without a model. */
    model: z.string().nullable(),
    chatId: z.string().nullable(),
    channelType: z.string().nullable(),
    title: z.string().nullable(),
    threadId: z.string().nullable(),
    state: z.enum(SESSION_STATES),
    stateReason: z.string().nullable(),
    /** With `waiting` after a failed run: when it tries again. */
    triesAgainAt: time.nullable(),
    typing: z.boolean(),
    /** Messages to people after the reader's mark; counted up to 100. */
    unread: z.number().int(),
    lastMessage: z
      .object({
        text: z.string(),
        at: time,
        direction: z.enum(['in', 'out']),
        /** Also of what comes in: another agent's id, or null for the host's own. */
        author: z.object({ id: z.string().nullable(), name: z.string() }),
      })
      .nullable(),
    /** Whether messages can be posted here: a web or terminal chat. */
    writable: z.boolean(),
    lastActiveAt: time,
    createdAt: time,
    revision,
  })
  .openapi('Session');
export type Session = z.infer<typeof sessionSchema>;

export const sessionsQuery = pageQuery.extend({
  agent: agentIdSchema.optional(),
  state: z.enum(SESSION_STATES).optional(),
});

export const sessionBody = z
  .strictObject({
    agentId: agentIdSchema,
    title: line(200).optional(),
    /** `web` makes a new chat each time; `terminal` is one chat per agent, opened again. */
    channel: z.enum(['web', 'terminal']).optional(),
  })
  .openapi('NewSession');

export const sessionPatchBody = z.strictObject({ title: line(200) }).openapi('SessionChange');

export const readBody = z.strictObject({ position: z.number().int().nonnegative() }).openapi('ReadMark');
