/** What an agent is to think with, while it is being filled in. Pure. */
import type { AgentProvider, ProviderChoice, Providers } from '../client/types.ts';

export type KnownProvider = Providers['providers'][number];

/** `service` null: none, or not chosen; an empty `model`: the provider's own choice. */
export interface ChoiceDraft {
  provider: string;
  service: string | null;
  model: string;
  effort: AgentProvider['effort'];
}

/** What every agent can begin with: it needs no model and no key. */
export const FIRST_CHOICE: ChoiceDraft = { provider: 'demo', service: null, model: '', effort: null };

/**
 * Another provider: a model is of one service, and a service of the providers that speak its language. A service that
 * came with the provider `before`, and was not chosen, goes with it.
 */
export function switchProvider(
  draft: ChoiceDraft,
  before: KnownProvider | undefined,
  next: KnownProvider,
): ChoiceDraft {
  const { service } = draft;
  const keeps = service !== null && service !== before?.defaultService && next.services.includes(service);
  return keeps
    ? { ...draft, provider: next.name }
    : { ...draft, provider: next.name, service: next.defaultService, model: '' };
}

/** As the API takes it; null: something that is needed is missing. */
export function readChoice(
  { provider, service, model, effort }: ChoiceDraft,
  known: KnownProvider | undefined,
): Required<ProviderChoice> | null {
  if (known === undefined) return null;
  // The names of providers that the host lists are those that it takes.
  const name = provider as ProviderChoice['provider'];
  if (!known.needsModel) return { provider: name, model: null, service: null, effort: null };
  if (known.defaultModel === null && model.trim() === '') return null;
  return {
    provider: name,
    model: model.trim() === '' ? null : model.trim(),
    service: service === known.defaultService ? null : service,
    effort,
  };
}

/** Whose call asks a service for its models, where it is asked for no agent: one that uses it, else any; null: nobody's. */
export function findAsker({ agents }: Providers, service: string): string | null {
  return (agents.find((agent) => agent.service === service) ?? agents[0])?.agentId ?? null;
}

/** A provider that talks to the service; null: there is none. */
export function findSpeaker({ providers }: Providers, service: string): ProviderChoice['provider'] | null {
  const speaker = providers.find(({ services }) => services.includes(service));
  return speaker === undefined ? null : (speaker.name as ProviderChoice['provider']);
}
