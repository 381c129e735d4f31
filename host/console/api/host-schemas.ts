/** The host itself, what was turned away or refused, and its events. Times are epoch milliseconds. */
import { z } from '@hono/zod-openapi';
import { position, sessionIdSchema } from './inputs.ts';
import { time } from './schema-parts.ts';
import { vaultSchema } from './vault-schemas.ts';

export const statusSchema = z
  .object({
    version: z.string(),
    protocolVersion: z.number().int(),
    installId: z.string(),
    home: z.string(),
    pid: z.number().int(),
    startedAt: time,
    driver: z.string(),
    engine: z.object({ ok: z.boolean(), detail: z.string().nullable() }),
    sessions: z.object({
      running: z.number().int(),
      paused: z.number().int(),
      idle: z.number().int(),
      failed: z.number().int(),
      quarantined: z.number().int(),
    }),
    /** Sessions that wait for a container; deliveries that are not at their end, and those that should be. */
    queue: z.object({ waiting: z.number().int(), deliveries: z.number().int(), overdue: z.number().int() }),
    memoryBytes: z.number().int(),
    /** Ways out of containers: how many are there and how many are missing, what is on its way, and requests that the log had no room for. */
    gateway: z.object({
      sockets: z.number().int(),
      missing: z.number().int(),
      connections: z.number().int(),
      open: z.number().int(),
      unrecorded: z.number().int(),
    }),
    /** Whether models and services get their secrets. */
    vault: vaultSchema,
  })
  .openapi('Status');
export type Status = z.infer<typeof statusSchema>;

export const droppedSchema = z
  .object({
    channelType: z.string(),
    platformId: z.string(),
    senderId: z.string(),
    /** A machine word, stable for scripts. */
    reason: z.string(),
    /** The same in words. */
    why: z.string(),
    count: z.number().int(),
    firstAt: time,
    lastAt: time,
  })
  .openapi('DroppedMessages');
export type Dropped = z.infer<typeof droppedSchema>;

/** What an agent wanted to send or to have done, and was refused. */
export const refusalSchema = z
  .object({
    /** Its place in the ledger. */
    position: z.number().int(),
    at: time,
    agentId: z.string().nullable(),
    agentName: z.string().nullable(),
    sessionId: z.string().nullable(),
    messageId: z.string().nullable(),
    /** The agent's own name for where it wanted to send; null when it named nothing, or asked the host. */
    destination: z.string().nullable(),
    /** The place that the row claimed, as the container wrote it. */
    channelType: z.string().nullable(),
    platformId: z.string().nullable(),
    threadId: z.string().nullable(),
    reason: z.string(),
  })
  .openapi('Refusal');
export type Refusal = z.infer<typeof refusalSchema>;

export const eventsQuery = z.strictObject({ after: position, session: sessionIdSchema.optional() });
