/** Names of the providers that an agent image can hold. The host refuses others when they are set. */
export const PROVIDER_NAMES = ['demo', 'claude', 'openai', 'echo'] as const;
export type ProviderName = (typeof PROVIDER_NAMES)[number];

/** How hard a model thinks, where it can be told; each provider says it in its own way. */
export const EFFORTS = ['low', 'medium', 'high', 'max'] as const;
export type Effort = (typeof EFFORTS)[number];

/** The protocols of model services: Anthropic's Messages, OpenAI's Chat Completions. */
export const MODEL_APIS = ['anthropic', 'openai'] as const;
export type ModelApi = (typeof MODEL_APIS)[number];

interface ModelProvider {
  /** The service that it uses unless its agent's config names another. */
  service: string;
  /** Which protocols it speaks. */
  apis: readonly ModelApi[];
}

/** Providers that think with a model; the others need none, and no service. */
const MODEL_PROVIDERS: Readonly<Record<string, ModelProvider>> = {
  claude: { service: 'anthropic', apis: ['anthropic'] },
  openai: { service: 'openai', apis: ['openai', 'anthropic'] },
};

/** Null: it needs no model. */
export function findModelProvider(provider: string): ModelProvider | null {
  return Object.hasOwn(MODEL_PROVIDERS, provider) ? (MODEL_PROVIDERS[provider] ?? null) : null;
}

/** The name of the one model service that an agent with this config may use; null: none. */
export function modelServiceOf(config: { provider: string; service: string | null }): string | null {
  const known = findModelProvider(config.provider);
  return known === null ? null : (config.service ?? known.service);
}

/** Shown wherever a person chooses the provider `claude`: what it runs is not Portolan's, and comes under other terms. */
export const CLAUDE_NOTICE =
  'The provider claude runs the Claude Agent SDK of Anthropic PBC (npm: @anthropic-ai/claude-agent-sdk), which is no ' +
  'part of Portolan. This machine installs it from npm when it builds the image, about 370 MB. By using it you accept ' +
  'Anthropic’s terms: https://code.claude.com/docs/en/legal-and-compliance';

/** Where the Claude Agent SDK lies in the image of agents on `claude`. */
export const CLAUDE_FOLDER = '/opt/claude';
