/**
 * What an agent thinks with: a provider, and for those that need one a model, reached through a service. Which of
 * them fit together. Pure.
 */
import type { Effort, ModelApi } from '../../../shared/providers.ts';
import { findModelProvider, PROVIDER_NAMES } from '../../../shared/providers.ts';

/** The part of an agent's config that says so. */
export interface Choice {
  provider: string;
  model: string | null;
  service: string | null;
  effort: Effort | null;
}

interface ServiceFacts {
  name: string;
  /** Null: it is no model service. */
  api: ModelApi | null;
}

/** A word for programs, a sentence for people, and what to type next. */
export interface ChoiceRefused {
  kind: 'refused';
  code: 'no_service_taken' | 'unknown_service' | 'no_model_service' | 'wrong_api' | 'model_needed';
  why: string;
  expected: string;
  next: string;
}

export type ChoicePlan = { kind: 'fits'; choice: Choice } | ChoiceRefused;

/**
 * What a provider is set to when no model is named. `sonnet` is the Claude Agent SDK's own alias, which follows the
 * newest of its kind (November 2026). Providers for any server have none: no name is known everywhere.
 */
const DEFAULT_MODELS: Readonly<Record<string, string>> = { claude: 'sonnet' };

/** Servers that people run on their own machine, and where these listen unless told otherwise (November 2026). */
const LOCAL_SERVERS: Readonly<Record<string, string>> = {
  ollama: 'http://127.0.0.1:11434/v1',
  vllm: 'http://127.0.0.1:8000/v1',
  'llama-cpp': 'http://127.0.0.1:8080/v1',
  'lm-studio': 'http://127.0.0.1:1234/v1',
};

const API_NAMES: Readonly<Record<ModelApi, string>> = {
  anthropic: 'Anthropic’s Messages API',
  openai: 'OpenAI’s Chat Completions API',
};

/** Null: it has none, or needs none. */
export function defaultModelOf(provider: string): string | null {
  return Object.hasOwn(DEFAULT_MODELS, provider) ? (DEFAULT_MODELS[provider] ?? null) : null;
}

/**
 * The choice that a change comes to. A model, a service and an effort belong to their provider: another provider
 * begins without them.
 */
export function mergeChoice(now: Choice, given: Partial<Choice>): Choice {
  const isOther = given.provider !== undefined && given.provider !== now.provider;
  const base = isOther ? { provider: now.provider, model: null, service: null, effort: null } : pickChoice(now);
  const merged = { ...base, ...given };
  return { ...merged, model: merged.model ?? defaultModelOf(merged.provider) };
}

/** Of a whole config. */
export function pickChoice({ provider, model, service, effort }: Choice): Choice {
  return { provider, model, service, effort };
}

/** Whether a choice fits together; `services` are all that this host knows. */
export function planChoice(choice: Choice, services: readonly ServiceFacts[]): ChoicePlan {
  const { provider, model } = choice;
  const known = findModelProvider(provider);
  if (known === null) {
    if (choice.service === null) return { kind: 'fits', choice };
    return {
      kind: 'refused',
      code: 'no_service_taken',
      why: `The provider ${provider} thinks without a model, and so through no service.`,
      expected: `no service with ${provider}`,
      next: 'portolan provider list',
    };
  }
  const fitting = services.filter(({ api }) => api !== null && known.apis.includes(api)).map(({ name }) => name);
  const expected = `a service that speaks ${known.apis.map((api) => API_NAMES[api]).join(' or ')}: ${fitting.join(', ')}`;
  const name = choice.service ?? known.service;
  const service = services.find((one) => one.name === name);
  if (service === undefined) {
    const why = `There is no service "${name}" on this host.`;
    const local = Object.hasOwn(LOCAL_SERVERS, name) && known.apis.includes('openai') ? LOCAL_SERVERS[name] : undefined;
    const place =
      local === undefined
        ? `--url https://…/v1 --api ${known.apis[0] ?? 'openai'}`
        : `--url ${local} --api openai --private`;
    const next = `portolan services add ${name} ${place}`;
    return { kind: 'refused', code: 'unknown_service', why, expected, next };
  }
  if (service.api === null) {
    const why = `${name} is a service, but not one of models.`;
    return { kind: 'refused', code: 'no_model_service', why, expected, next: 'portolan provider list' };
  }
  if (!known.apis.includes(service.api)) {
    const why = `The provider ${provider} cannot talk to ${name}, which speaks ${API_NAMES[service.api]}.`;
    const other = PROVIDER_NAMES.find((one) => speaks(one, service.api));
    const next =
      other === undefined ? 'portolan provider list' : `portolan provider set <agent> ${other} --service ${name}`;
    return { kind: 'refused', code: 'wrong_api', why, expected, next };
  }
  if (model === null) {
    return {
      kind: 'refused',
      code: 'model_needed',
      why: `The provider ${provider} has no model of its own: name one that ${name} has.`,
      expected: '--model with a name that the service knows',
      next: `portolan provider set <agent> ${provider}${choice.service === null ? '' : ` --service ${name}`} --model <model>`,
    };
  }
  return { kind: 'fits', choice };
}

function speaks(provider: string, api: ModelApi | null): boolean {
  return api !== null && (findModelProvider(provider)?.apis.includes(api) ?? false);
}
