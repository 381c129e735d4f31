/** The providers of this image by name. Each is loaded only when it is used: start-up time is a person's waiting time. */
import { PROVIDER_NAMES, type ProviderName } from '../../shared/providers.ts';
import type { Provider } from './provider.ts';

const PROVIDERS: Readonly<Record<ProviderName, () => Promise<Provider>>> = {
  echo: async () => (await import('./echo/index.ts')).echoProvider,
  demo: async () => (await import('./demo/index.ts')).demoProvider,
  // A bundle of its own: see scripts/lib/build.mjs.
  openai: async () => (await import('./openai/index.ts')).openAiProvider,
  claude: async () => (await import('./claude/index.ts')).claudeProvider,
};

/** Null when this image has no provider of that name. */
export async function loadProvider(name: string): Promise<Provider | null> {
  const known = PROVIDER_NAMES.find((each) => each === name);
  return known === undefined ? null : await PROVIDERS[known]();
}
