import { NativeSelect } from '@mantine/core';
import { useState } from 'react';
import { useAgentList } from '../agents/use-agents.ts';
import { assignSecret } from '../client/secret-api.ts';
import type { Secret } from '../client/types.ts';
import { DialogForm } from '../frame/dialog-form.tsx';
import page from '../frame/page.module.css';
import { SECRETS, SERVICES, useServices } from './use-secrets.ts';

/** Which service gets it, and for whom. */
export function AssignSecret({ secret, onClose }: { secret: Secret; onClose: () => void }) {
  const services = (useServices().data?.items ?? []).filter(({ header }) => header !== '');
  const agents = useAgentList().data?.items ?? [];
  const [named, setNamed] = useState('');
  const [agentId, setAgentId] = useState('');
  const service =
    services.find(({ name }) => name === named) ?? services.find(({ name }) => name === secret.name) ?? services[0];
  return (
    <DialogForm
      title={`Assign ${secret.name}`}
      action="Assign"
      isReady={service !== undefined}
      work={async () =>
        service !== undefined && (await assignSecret(secret.name, service.name, agentId === '' ? null : agentId))
      }
      touches={[SECRETS, SERVICES, ['agents']]}
      onClose={onClose}
    >
      <NativeSelect
        label="To the service"
        data={services.map(({ name }) => name)}
        value={service?.name ?? ''}
        onChange={(event) => setNamed(event.currentTarget.value)}
      />
      <NativeSelect
        label="For requests of"
        data={[
          { value: '', label: 'all agents without their own' },
          ...agents.map(({ id, name }) => ({ value: id, label: name })),
        ]}
        value={agentId}
        onChange={(event) => setAgentId(event.currentTarget.value)}
      />
      {service !== undefined && <p className={page.soft}>It is sent to {service.baseUrl}, and nowhere else.</p>}
    </DialogForm>
  );
}
