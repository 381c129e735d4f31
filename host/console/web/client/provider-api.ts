/** What agents think with, over the host's API. Throws ApiFault, HostAwayFault. */
import { answer, api, onTopOf } from './call.ts';
import type { AgentProvider, ProviderChoice, Providers, ProviderTest } from './types.ts';

export function fetchProviders(): Promise<Providers> {
  return answer(api.providers.$get());
}

export function fetchAgentProvider(agentId: string): Promise<AgentProvider> {
  return answer(api.agents[':id'].provider.$get({ param: { id: agentId } }));
}

/** All of the choice. Throws ApiFault 412 when the config changed meanwhile. */
export function setAgentProvider(seen: AgentProvider, choice: ProviderChoice): Promise<AgentProvider> {
  const given = { param: { id: seen.agentId }, header: onTopOf(seen), json: choice };
  return answer(api.agents[':id'].provider.$put(given));
}

/** Null: the service does not say. Throws ApiFault 429: each is a call outside. */
export async function fetchModels(agentId: string, provider: ProviderChoice['provider'], service: string | null) {
  const query = { provider, ...(service === null ? {} : { service }) };
  return (await answer(api.agents[':id'].models.$get({ param: { id: agentId }, query }))).models;
}

/** One real call, which is paid for. Throws ApiFault 429. */
export function testProvider(agentId: string): Promise<ProviderTest> {
  return answer(api.agents[':id'].provider.test.$post({ param: { id: agentId }, json: {} }));
}
