/** Names of the providers that an agent image can hold. The host refuses others when they are set. */
export const PROVIDER_NAMES = ['demo', 'echo'] as const;
export type ProviderName = (typeof PROVIDER_NAMES)[number];
