/** The providers of this image by name. Each is loaded only when it is used: start-up time is a person's waiting time. */
import type { Provider } from './provider.ts';

const PROVIDERS: Readonly<Record<string, () => Promise<Provider>>> = {
  echo: async () => (await import('./echo/index.ts')).echoProvider,
  demo: async () => (await import('./demo/index.ts')).demoProvider,
};

export const PROVIDER_NAMES: readonly string[] = Object.keys(PROVIDERS);

/** Null when this image has no provider of that name. */
export async function loadProvider(name: string): Promise<Provider | null> {
  const load = Object.hasOwn(PROVIDERS, name) ? PROVIDERS[name] : undefined;
  return load ? await load() : null;
}
