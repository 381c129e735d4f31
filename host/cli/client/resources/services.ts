/** Places to which the gateway adds a secret. */
import type { Requests } from '../requests.ts';
import type { Service } from '../types.ts';

export function serviceCalls(requests: Requests) {
  return {
    listServices(): Promise<{ items: Service[] }> {
      return requests.get('/services');
    },

    addService(service: {
      name: string;
      url: string;
      api?: 'anthropic' | 'openai';
      header?: string;
      private: boolean;
    }): Promise<Service> {
      return requests.post('/services', service);
    },

    async removeService({ name, revision }: Pick<Service, 'name' | 'revision'>): Promise<void> {
      await requests.delete(`/services/${encodeURIComponent(name)}`, revision ?? undefined);
    },
  };
}
