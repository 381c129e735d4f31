/** Agents, and where each may send. Times are epoch milliseconds; `revision` is the ETag. */
import { z } from '@hono/zod-openapi';
import { MAX_INSTRUCTIONS_BYTES } from '../../../shared/limits.ts';
import { localNameSchema } from '../../../shared/protocol.ts';
import { EFFORTS } from '../../../shared/providers.ts';
import {
  effortInput,
  hasAny,
  line,
  modelInput,
  pageQuery,
  providerInput,
  serviceInput,
  timezoneInput,
} from './inputs.ts';
import { revision, time } from './schema-parts.ts';

export const agentSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    /** Its admins alone see its folder and what it thinks with: empty and null for others. */
    folder: z.string(),
    isAdmin: z.boolean(),
    provider: z.string(),
    model: z.string().nullable(),
    /** Null: its provider's own, if it needs any. */
    service: z.string().nullable(),
    effort: z.enum(EFFORTS).nullable(),
    timezone: z.string(),
    revision,
    createdAt: time,
    /** Null while it is there. */
    removedAt: time.nullable(),
  })
  .openapi('Agent');
export type Agent = z.infer<typeof agentSchema>;

/** What went with a removed agent. */
export const agentRemovalSchema = z
  .object({
    agent: agentSchema,
    /** Where its folder is put once its containers have stopped, below the host's home. */
    archivedTo: z.string(),
    wirings: z.number().int(),
    destinations: z.number().int(),
    /** Agents that had it as a destination. */
    pointing: z.number().int(),
    tasks: z.number().int(),
    questions: z.number().int(),
    /** What this host cannot do any more. */
    warning: z.string().nullable(),
  })
  .openapi('AgentRemoval');
export type AgentRemoval = z.infer<typeof agentRemovalSchema>;

export const destinationResourceSchema = z
  .object({
    id: z.string(),
    agentId: z.string(),
    name: z.string(),
    type: z.enum(['channel', 'agent']),
    targetId: z.string(),
    /** Names it had before, newest first: answers under them still arrive. */
    formerNames: z.array(z.string()),
    /** The target's own name; null when it has none. */
    displayName: z.string().nullable(),
    revision,
    createdAt: time,
  })
  .openapi('Destination');
export type Destination = z.infer<typeof destinationResourceSchema>;

export const agentsQuery = pageQuery.extend({
  /** `removed` lists the agents that were removed, and can be restored. */
  state: z.enum(['present', 'removed']).optional(),
});

const agentFields = {
  name: line(64),
  provider: providerInput.optional(),
  model: modelInput.optional(),
  service: serviceInput.optional(),
  effort: effortInput.optional(),
  timezone: timezoneInput.optional(),
};

export const agentBody = z
  .strictObject({
    ...agentFields,
    /** May create agents and decide for others (Unix socket or bearer token only). */
    isAdmin: z.boolean().optional(),
    /** Its AGENTS.md; the template's when absent. */
    instructions: z
      .string()
      .min(1)
      .refine(
        (text) => Buffer.byteLength(text) <= MAX_INSTRUCTIONS_BYTES,
        `expected at most ${MAX_INSTRUCTIONS_BYTES} bytes of UTF-8`,
      )
      .optional(),
  })
  .openapi('NewAgent');

export const agentPatchBody = z
  .strictObject(agentFields)
  .partial()
  .refine(hasAny, 'expected at least one field')
  .openapi('AgentChange');

export const destinationBody = z
  .strictObject({
    name: localNameSchema,
    type: z.enum(['channel', 'agent']),
    /** A chat's id with `channel`, an agent's id with `agent`. */
    targetId: z.string().max(100),
  })
  .openapi('NewDestination');

export const destinationPatchBody = z.strictObject({ name: localNameSchema }).openapi('DestinationChange');
