import { useQuery } from '@tanstack/react-query';
import { fetchSecrets, fetchServices, fetchVault } from '../client/secret-api.ts';

/** What nobody tells the page of. Higher: it is shown late. Lower: needless calls. */
const LOOK_AGAIN_MS = 5_000;

export const SECRETS = ['secrets'];
export const SERVICES = ['services'];
export const VAULT = ['vault'];

/** Names and where they are used; for owners. */
export function useSecrets(enabled = true) {
  return useQuery({ queryKey: SECRETS, queryFn: fetchSecrets, staleTime: 0, refetchInterval: LOOK_AGAIN_MS, enabled });
}

export function useServices() {
  return useQuery({ queryKey: SERVICES, queryFn: fetchServices, staleTime: 0 });
}

export function useVault() {
  return useQuery({ queryKey: VAULT, queryFn: fetchVault, staleTime: 0, refetchInterval: LOOK_AGAIN_MS });
}
