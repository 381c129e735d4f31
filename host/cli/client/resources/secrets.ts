/** Secrets, and which services they go to. Values go in, and never come out. */
import type { Requests } from '../requests.ts';
import type { Secret, SecretSet, SecretUse } from '../types.ts';

export function secretCalls(requests: Requests) {
  return {
    listSecrets(): Promise<{ items: Secret[] }> {
      return requests.get('/secrets');
    },

    /** The value leaves this process by the Unix socket alone. */
    setSecret(name: string, value: string): Promise<SecretSet> {
      return requests.put(`/secrets/${encodeURIComponent(name)}`, null, { value });
    },

    async removeSecret({ name, revision }: Pick<Secret, 'name' | 'revision'>): Promise<void> {
      await requests.delete(`/secrets/${encodeURIComponent(name)}`, revision);
    },

    /** `of`: an agent's id, or `all`. */
    assignSecret(secret: string, service: string, of: string): Promise<SecretUse> {
      return requests.put(`/services/${encodeURIComponent(service)}/secrets/${of}`, null, { secret });
    },

    async unassignSecret(service: string, of: string): Promise<void> {
      await requests.delete(`/services/${encodeURIComponent(service)}/secrets/${of}`);
    },
  };
}
