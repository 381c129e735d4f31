/** Through which service an agent thinks. */
import type { ContainerConfig } from '../store/agents.ts';

/** Providers that need a model, and the service that each takes unless the config names another. */
const OWN_SERVICE: Readonly<Record<string, string>> = { claude: 'anthropic', openai: 'openai' };

/** The name of the model service that an agent with this config may use; null: it needs no model, and gets none. */
export function modelServiceOf(config: Pick<ContainerConfig, 'provider' | 'service'>): string | null {
  const own = OWN_SERVICE[config.provider];
  return own === undefined ? null : (config.service ?? own);
}
