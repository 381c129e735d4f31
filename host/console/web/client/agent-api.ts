/** The life of agents over the host's API: made, renamed, removed, brought back. Throws ApiFault, HostAwayFault. */
import type { z } from 'zod';
import type { agentBody } from '../../api/agent-schemas.ts';
import { accept, answer, api, MANY, onTopOf } from './call.ts';
import type { Agent, Page } from './types.ts';

export type NewAgent = z.input<typeof agentBody>;

/** Throws ApiFault 409: the name is taken, looks like another's, or is none; what it is to think with does not fit. */
export function createAgent(agent: NewAgent): Promise<Agent> {
  return answer(api.agents.$post({ json: agent }));
}

/** Throws ApiFault 409 as above, 412 when the agent changed meanwhile. */
export function renameAgent(seen: Agent, name: string): Promise<Agent> {
  return answer(api.agents[':id'].$patch({ param: { id: seen.id }, header: onTopOf(seen), json: { name } }));
}

/** With all that leads to it. Throws ApiFault 409 for the only agent, 412 when it changed meanwhile. */
export async function removeAgent(seen: Agent): Promise<void> {
  await accept(api.agents[':id'].$delete({ param: { id: seen.id }, header: onTopOf(seen) }));
}

export function fetchRemovedAgents(): Promise<Page<Agent>> {
  return answer(api.agents.$get({ query: { ...MANY, state: 'removed' } }));
}

/** Throws ApiFault 409 while it is still being removed, and when its name was given to another. */
export function restoreAgent(id: string): Promise<Agent> {
  return answer(api.agents[':id'].restore.$post({ param: { id } }));
}
