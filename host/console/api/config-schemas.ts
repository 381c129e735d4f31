/** Agents' configs and mounts. Times are epoch ms; `revision` is the config's, its ETag. */
import { z } from '@hono/zod-openapi';
import { EFFORTS } from '../../../shared/providers.ts';
import { CPUS, MEMORY_MB, PIDS } from '../../agents/config/limits.ts';
import { MOUNT_NAME } from '../../agents/mounts/plan.ts';
import { effortInput, hasAny, modelInput, providerInput, serviceInput, timezoneInput, wholeNumber } from './inputs.ts';
import { revision, time } from './schema-parts.ts';

const author = z.object({ id: z.string(), name: z.string() });

const mountSchema = z.object({
  name: z.string(),
  /** On the machine, as it was given. */
  path: z.string(),
  isReadOnly: z.boolean(),
  /** Inside the agent's containers. */
  containerPath: z.string(),
});

/** What a config is made of. */
const contentSchema = z.object({
  provider: z.string(),
  model: z.string().nullable(),
  /** Null: the provider's own. */
  service: z.string().nullable(),
  /** Null: as the model does by itself. */
  effort: z.enum(EFFORTS).nullable(),
  timezone: z.string(),
  /** Null: the host's default. */
  resources: z.object({
    memoryMb: z.number().nullable(),
    cpus: z.number().nullable(),
    pids: z.number().nullable(),
  }),
  packages: z.object({ apt: z.array(z.string()), npm: z.array(z.string()), rebuilds: z.number().int() }),
  mcpServers: z.array(
    z.object({
      name: z.string(),
      command: z.string(),
      args: z.array(z.string()),
      env: z.record(z.string(), z.string()),
      /** All of it as a shell would take it, in one reading. */
      commandLine: z.string(),
    }),
  ),
  mounts: z.array(mountSchema),
});

/** Who made this revision, when and why. */
const changeFields = {
  revision,
  changedAt: time,
  /** A person, an agent, or the host. */
  changedBy: author,
  /** The approval that it carried out; null without one. */
  approvalId: z.string().nullable(),
  reason: z.string(),
};

export const configSchema = z
  .object({
    agentId: z.string(),
    agentName: z.string(),
    ...changeFields,
    ...contentSchema.shape,
    /** How MCP servers came up, as containers last said in their own words; null: nothing was said. */
    mcpReports: z.array(
      z.object({ name: z.string(), problem: z.string().nullable(), tools: z.number().int(), reportedAt: time }),
    ),
    /** Of the agent's next container. */
    image: z.object({ state: z.enum(['ready', 'waiting', 'failed']), reason: z.string().nullable() }),
  })
  .openapi('AgentConfig');

export const configRevisionSchema = z
  .object({ agentId: z.string(), ...changeFields, ...contentSchema.shape })
  .openapi('AgentConfigRevision');

export const configChangeSchema = z
  .object({
    ...changeFields,
    /** One line each, compared with the revision before; empty for the first. */
    changes: z.array(z.string()),
  })
  .openapi('AgentConfigChange');

export const configDiffSchema = z
  .object({
    from: revision,
    to: revision,
    changes: z.array(
      z.object({ what: z.string(), before: z.string().nullable(), after: z.string().nullable(), line: z.string() }),
    ),
  })
  .openapi('AgentConfigDiff');

/** With what the allowlist says of it today. */
export const mountStatusSchema = mountSchema
  .extend({
    /** Null: it may not be mounted now, and the agent's containers do not start. */
    mountedAs: z.object({ realPath: z.string(), isReadOnly: z.boolean() }).nullable(),
    why: z.string().nullable(),
  })
  .openapi('AgentMount');

export const allowedMountsSchema = z
  .object({
    path: z.string(),
    state: z.enum(['used', 'absent', 'unusable']),
    why: z.string().nullable(),
    folders: z.array(z.object({ path: z.string(), isReadOnly: z.boolean() })),
  })
  .openapi('AllowedMounts');

export type AgentConfig = z.infer<typeof configSchema>;
export type AgentConfigRevision = z.infer<typeof configRevisionSchema>;
export type AgentConfigChange = z.infer<typeof configChangeSchema>;
export type AgentConfigDiff = z.infer<typeof configDiffSchema>;
export type AgentMount = z.infer<typeof mountStatusSchema>;
export type AllowedMounts = z.infer<typeof allowedMountsSchema>;

/** A resource of a container; null takes it back to the host's default. */
const configFields = {
  provider: providerInput.optional(),
  model: modelInput.optional(),
  service: serviceInput.optional(),
  effort: effortInput.optional(),
  timezone: timezoneInput.optional(),
  memoryMb: z.number().int().min(MEMORY_MB.least).max(MEMORY_MB.most).nullable().optional(),
  cpus: z.number().min(CPUS.least).max(CPUS.most).nullable().optional(),
  pids: z.number().int().min(PIDS.least).max(PIDS.most).nullable().optional(),
};

export const configPatchBody = z
  .strictObject(configFields)
  .refine(hasAny, 'expected at least one field')
  .openapi('AgentConfigPatch');

const configRevision = z.number().int().positive();

export const rollbackBody = z.strictObject({ revision: configRevision }).openapi('AgentConfigRollback');

export const configRevisionParam = wholeNumber(1, Number.MAX_SAFE_INTEGER).openapi({ type: 'integer', minimum: 1 });

/** The last change when neither is given; `to` is the present revision without it. */
export const configDiffQuery = z.strictObject({
  from: configRevisionParam.optional(),
  to: configRevisionParam.optional(),
});

export const mountBody = z
  .strictObject({
    name: z.string().regex(MOUNT_NAME, 'expected 1 to 63 of a–z, 0–9 and "-", starting with a letter or digit'),
    /** A folder of the machine that the allowlist allows. */
    path: z.string().min(1).max(1_024),
    /** Read-only without it. */
    write: z.boolean().optional(),
  })
  .openapi('NewMount');

export const mountNameParam = z.string().regex(MOUNT_NAME, 'expected the name of a mount');
