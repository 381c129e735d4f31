/** Names of the providers that an agent image can hold. The host refuses others when they are set. */
export const PROVIDER_NAMES = ['demo', 'echo'] as const;
export type ProviderName = (typeof PROVIDER_NAMES)[number];

/** How hard a model thinks, where it can be told; each provider says it in its own way. */
export const EFFORTS = ['low', 'medium', 'high', 'max'] as const;
export type Effort = (typeof EFFORTS)[number];

/** The protocols of model services: Anthropic's Messages, OpenAI's Chat Completions. */
export const MODEL_APIS = ['anthropic', 'openai'] as const;
export type ModelApi = (typeof MODEL_APIS)[number];
