/** What the API says of agents' own images. Times are epoch ms. */
import { z } from '@hono/zod-openapi';
import { BUILD_STATES } from '../../store/image-builds.ts';
import { time } from './schema-parts.ts';

export const buildSchema = z
  .object({
    id: z.string(),
    agentId: z.string(),
    /** The approval that asked for it; null: the host itself, or a person. */
    approvalId: z.string().nullable(),
    image: z.string(),
    packages: z.object({ apt: z.array(z.string()), npm: z.array(z.string()), generation: z.number().int() }),
    state: z.enum(BUILD_STATES),
    /** The last lines of its log, when it failed. */
    failure: z.string().nullable(),
    createdAt: time,
    startedAt: time.nullable(),
    endedAt: time.nullable(),
  })
  .openapi('Build');
export type Build = z.infer<typeof buildSchema>;

/** What the agent's next container is made of. */
export const agentImageSchema = z
  .object({
    agentId: z.string(),
    state: z.enum(['ready', 'waiting', 'failed']),
    /** Null until it is ready. */
    image: z.string().nullable(),
    /** Why it is not ready. */
    reason: z.string().nullable(),
  })
  .openapi('AgentImage');
export type AgentImage = z.infer<typeof agentImageSchema>;
