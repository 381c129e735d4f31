/** What the API says of what agents think with. */
import { z } from '@hono/zod-openapi';
import { EFFORTS, MODEL_APIS, PROVIDER_NAMES } from '../../../shared/providers.ts';
import * as inputs from './inputs.ts';

const api = z.enum(MODEL_APIS);

/** What a provider is, on this host. */
const providerSchema = z
  .object({
    name: z.string(),
    /** False: it thinks without a model, a service and a key. */
    needsModel: z.boolean(),
    /** Null: none is taken unless one is named. */
    defaultModel: z.string().nullable(),
    /** Null: it needs none. */
    defaultService: z.string().nullable(),
    /** Names of the services that it can talk to. */
    services: z.array(z.string()),
    /** Terms that whoever chooses it should know. */
    notice: z.string().nullable(),
  })
  .openapi('Provider');

const keySchema = z.object({
  /** `given`: the gateway adds it. `not_taken`: the service takes none. `not_needed`: there is no model. */
  state: z.enum(['given', 'not_taken', 'not_needed', 'missing', 'no_service']),
  /** What is missing; null when nothing is. */
  why: z.string().nullable(),
  /** What to type then. */
  next: z.string().nullable(),
});

export const agentProviderSchema = z
  .object({
    agentId: z.string(),
    agentName: z.string(),
    /** The config's, its ETag. */
    revision: z.number().int(),
    provider: z.string(),
    model: z.string().nullable(),
    effort: z.enum(EFFORTS).nullable(),
    /** The model service in use: the config's, or its provider's own; null: none. */
    service: z.string().nullable(),
    api: api.nullable(),
    key: keySchema,
    /** Of its next container. */
    image: z.object({ state: z.enum(['ready', 'waiting', 'failed']), reason: z.string().nullable() }),
    /** False: its tools run as the user of the host. */
    isConfined: z.boolean(),
  })
  .openapi('AgentProvider');

export const providersSchema = z
  .object({
    providers: z.array(providerSchema),
    services: z.array(z.object({ name: z.string(), api, isPrivate: z.boolean() })),
    /** Those that the caller administers. */
    agents: z.array(agentProviderSchema),
  })
  .openapi('Providers');

/** Replaces all of the choice: what is not named is the provider's own. */
export const providerBody = z
  .strictObject({
    provider: z.enum(PROVIDER_NAMES, { error: `expected one of ${PROVIDER_NAMES.join(', ')}` }),
    model: inputs.modelInput.optional(),
    service: inputs.serviceInput.optional(),
    effort: inputs.effortInput.optional(),
  })
  .openapi('ProviderChoice');

/** Of what the agent would be set to; what is not named is as it is. */
export const modelsQuery = z.object({
  provider: z.enum(PROVIDER_NAMES).optional(),
  service: inputs.serviceInput.unwrap().optional(),
});

/** Null: the service does not say, or not in time. */
export const modelsSchema = z.object({ models: z.array(z.string()).nullable() }).openapi('ServiceModels');

export const providerTestSchema = z
  .object({
    ok: z.boolean(),
    /** A word for programs: works, bad_key, no_key, unknown_model, rate_limited, overloaded, over_budget… */
    code: z.string(),
    text: z.string(),
    /** In the server's own words. */
    said: z.string().nullable(),
    next: z.string().nullable(),
    /** What the service lists, when the model is one that it does not know. */
    models: z.array(z.string()),
  })
  .openapi('ProviderTest');

export type AgentProvider = z.infer<typeof agentProviderSchema>;
export type Providers = z.infer<typeof providersSchema>;
export type ProviderTest = z.infer<typeof providerTestSchema>;
export type ServiceModels = z.infer<typeof modelsSchema>;
