import { Button } from '@mantine/core';
import { useState } from 'react';
import { removeService } from '../client/secret-api.ts';
import type { Service } from '../client/types.ts';
import { DialogForm } from '../frame/dialog-form.tsx';
import { Fetched } from '../frame/fetched.tsx';
import page from '../frame/page.module.css';
import { Section } from '../frame/page.tsx';
import { AddService } from './add-service.tsx';
import { describeCredential } from './secret.ts';
import classes from './secrets.module.css';
import { SECRETS, SERVICES, useServices } from './use-secrets.ts';

const SECRET_FOR: Readonly<Record<Service['secretFor'], string>> = {
  all: 'has a secret for all agents',
  some: 'has a secret for some agents',
  none: 'has no secret',
};

/** Places to which a secret goes: own ones, and those that every host knows. */
export function Services() {
  const services = useServices();
  const [isAdding, setIsAdding] = useState(false);
  const [removing, setRemoving] = useState<Service | null>(null);
  return (
    <Section
      title="Services"
      note="Places outside to which the gateway adds a secret. A model service is one that an agent can think with."
    >
      <Fetched query={services} what="services">
        {({ items }) => {
          const own = items.filter(({ isKnown }) => !isKnown);
          const known = items.filter(({ isKnown }) => isKnown);
          return (
            <>
              {own.length === 0 && <p className={page.soft}>None of your own.</p>}
              <ul className={page.list}>
                {own.map((service) => (
                  <ServiceCard key={service.name} service={service} onRemove={() => setRemoving(service)} />
                ))}
              </ul>
              <details className={page.unfold}>
                <summary>{known.length} that every host knows</summary>
                <ul className={page.list}>
                  {known.map((service) => (
                    <ServiceCard key={service.name} service={service} onRemove={() => setRemoving(service)} />
                  ))}
                </ul>
              </details>
            </>
          );
        }}
      </Fetched>
      <div className={classes.actions}>
        <Button size="xs" variant="default" onClick={() => setIsAdding(true)}>
          Add a service
        </Button>
      </div>
      {isAdding && <AddService onClose={() => setIsAdding(false)} />}
      {removing !== null && (
        <DialogForm
          title={`Remove the service ${removing.name}?`}
          action="Remove"
          isRemoval
          work={() => removeService(removing)}
          touches={[SERVICES, SECRETS]}
          onClose={() => setRemoving(null)}
        >
          <p className={page.soft}>
            Its assignments go along; the secrets stay. While an agent uses it, it cannot be removed.
          </p>
        </DialogForm>
      )}
    </Section>
  );
}

function ServiceCard({ service, onRemove }: { service: Service; onRemove: () => void }) {
  const { name, baseUrl, api, isKnown, isPrivate, secretFor, header } = service;
  return (
    <li className={page.card} data-service={name}>
      <div className={classes.head}>
        <b>{name}</b>
        {!isKnown && (
          <Button
            size="compact-xs"
            variant="subtle"
            color="red"
            c="var(--bad)"
            aria-label={`Remove the service ${name}`}
            onClick={onRemove}
          >
            Remove
          </Button>
        )}
      </div>
      <code className={page.code}>{baseUrl}</code>
      <p className={page.soft}>
        {[
          api === null ? null : `models, as ${api === 'openai' ? 'OpenAI' : 'Anthropic'} speaks`,
          isPrivate ? 'on this machine or network' : null,
          describeCredential(service),
          header === '' ? null : SECRET_FOR[secretFor],
        ]
          .filter(Boolean)
          .join(' · ')}
      </p>
    </li>
  );
}
