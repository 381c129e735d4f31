/** Secrets, services and the vault over the host's API: values go in, and never come out. Throws ApiFault, HostAwayFault. */
import { accept, answer, api, onTopOf } from './call.ts';
import type { Secret, SecretSet, Service, Vault } from './types.ts';

export function fetchSecrets(): Promise<{ items: Secret[] }> {
  return answer(api.secrets.$get());
}

/** A new one, or a new value, which holds from the next request on. */
export function setSecret(name: string, value: string): Promise<SecretSet> {
  return answer(api.secrets[':name'].$put({ param: { name }, json: { value } }));
}

/** With its assignments. Throws ApiFault 412 when it changed meanwhile. */
export async function removeSecret(secret: Secret): Promise<void> {
  await accept(api.secrets[':name'].$delete({ param: { name: secret.name }, header: onTopOf(secret) }));
}

/** `agentId` null: every agent that has none of its own. */
export async function assignSecret(secret: string, service: string, agentId: string | null): Promise<void> {
  const param = { name: service, of: agentId ?? 'all' };
  await accept(api.services[':name'].secrets[':of'].$put({ param, json: { secret } }));
}

export async function unassignSecret(service: string, agentId: string | null): Promise<void> {
  const param = { name: service, of: agentId ?? 'all' };
  await accept(api.services[':name'].secrets[':of'].$delete({ param }));
}

export function fetchServices(): Promise<{ items: Service[] }> {
  return answer(api.services.$get());
}

export interface NewService {
  name: string;
  url: string;
  api?: 'anthropic' | 'openai';
  header?: string;
  private?: boolean;
}

export function addService(service: NewService): Promise<Service> {
  return answer(api.services.$post({ json: service }));
}

/** Of an own one. Throws ApiFault 409 while an agent uses it. */
export async function removeService({ name, revision }: Service): Promise<void> {
  await accept(api.services[':name'].$delete({ param: { name }, header: onTopOf({ revision: revision ?? 0 }) }));
}

export function fetchVault(): Promise<Vault> {
  return answer(api.vault.$get());
}

/** Null: looks at its files again. */
export function unlockVault(passphrase: string | null): Promise<Vault> {
  return answer(api.vault.unlock.$post({ json: passphrase === null ? {} : { passphrase } }));
}

/** Nothing gets a secret until somebody types the passphrase. Throws ApiFault where no passphrase opens it. */
export function lockVault(): Promise<Vault> {
  return answer(api.vault.lock.$post());
}
