/** What the API says of secrets, of the services that get them, and of the vault; never a value. Times are epoch ms. */
import { z } from '@hono/zod-openapi';
import { localNameSchema } from '../../../shared/protocol.ts';
import { MODEL_APIS } from '../../../shared/providers.ts';
import { MAX_PASSPHRASE_LENGTH, MAX_SECRET_BYTES } from '../../vault/limits.ts';
import { agentIdSchema } from './inputs.ts';

const time = z.number().int().nonnegative();

export const secretUseSchema = z
  .object({
    service: z.string(),
    /** Null: every agent that has none of its own. */
    agent: z.object({ id: z.string(), name: z.string() }).nullable(),
    /** Names of agents that think with it now. */
    thinkers: z.array(z.string()),
  })
  .openapi('SecretUse');
export type SecretUse = z.infer<typeof secretUseSchema>;

export const secretSchema = z
  .object({
    name: z.string(),
    uses: z.array(secretUseSchema),
    createdBy: z.object({ id: z.string(), name: z.string() }),
    createdAt: time,
    /** Of its newest value. */
    changedAt: time,
    revision: z.number().int(),
  })
  .openapi('Secret');
export type Secret = z.infer<typeof secretSchema>;

export const secretSetSchema = secretSchema
  .extend({
    isNew: z.boolean(),
    /** The service that gets it for all agents since this call, because it has the same name. */
    assignedTo: z.string().nullable(),
    /** What a person would type next; null: nothing. */
    next: z.string().nullable(),
  })
  .openapi('SecretSet');
export type SecretSet = z.infer<typeof secretSetSchema>;

export const serviceSchema = z
  .object({
    name: z.string(),
    baseUrl: z.string(),
    api: z.enum(MODEL_APIS).nullable(),
    /** Empty: it takes no credential. */
    header: z.string(),
    /** With {} in the place of the secret. */
    headerValue: z.string(),
    isPrivate: z.boolean(),
    /** Every host has it. */
    isKnown: z.boolean(),
    /** Whether requests for it get a secret: those of all agents, of some, of none. */
    secretFor: z.enum(['all', 'some', 'none']),
    /** Null for a known one. */
    createdAt: time.nullable(),
    revision: z.number().int().nullable(),
  })
  .openapi('Service');
export type Service = z.infer<typeof serviceSchema>;

export const secretParams = z.object({ name: localNameSchema });
/** `of`: an agent's id, or `all`. */
export const useParams = z.object({
  name: localNameSchema,
  of: z.union([z.literal('all'), agentIdSchema], { error: 'expected "all" or an agent id (agt_…)' }),
});
/** As long as a value that is refused may be, to say so in words. */
export const secretBody = z.strictObject({ value: z.string().max(4 * MAX_SECRET_BYTES) });
export const useBody = z.strictObject({ secret: localNameSchema });
const passphrase = z.string().max(4 * MAX_PASSPHRASE_LENGTH);
/** Without one: look at the vault's files again. */
export const unlockBody = z.strictObject({ passphrase: passphrase.optional() });
export const passphraseBody = z.strictObject({ passphrase });
export const serviceBody = z.strictObject({
  name: z.string().max(200),
  url: z.string().max(2_000),
  api: z.enum(MODEL_APIS).optional(),
  /** `Name: value` with {} where the secret goes, or `none`; that of its API when absent. */
  header: z.string().max(1_000).optional(),
  private: z.boolean().optional(),
});
