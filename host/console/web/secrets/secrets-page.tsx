import { Button } from '@mantine/core';
import { useState } from 'react';
import type { Secret } from '../client/types.ts';
import { Fetched } from '../frame/fetched.tsx';
import page from '../frame/page.module.css';
import { Page, Section } from '../frame/page.tsx';
import { AssignSecret } from './assign-secret.tsx';
import { RemoveSecret, UnassignSecret } from './remove-secret.tsx';
import { SecretCard } from './secret-card.tsx';
import { Services } from './services.tsx';
import { SetSecret } from './set-secret.tsx';
import { useSecrets } from './use-secrets.ts';
import { VaultLine } from './vault-line.tsx';

export type Asking =
  | { kind: 'set'; secret: Secret | null }
  | { kind: 'remove' | 'assign'; secret: Secret }
  | { kind: 'unassign'; use: Secret['uses'][number] };

/** What services are given, by name; no value is ever shown. */
export function SecretsPage() {
  const secrets = useSecrets();
  const [asking, setAsking] = useState<Asking | null>(null);
  const close = () => setAsking(null);
  return (
    <Page
      title="Secrets"
      about="Keys and tokens that the gateway adds to requests for a service. No agent sees one, and nobody is shown a value again."
      actions={
        <Button size="sm" onClick={() => setAsking({ kind: 'set', secret: null })}>
          Set a secret
        </Button>
      }
    >
      <VaultLine />
      <Section title="Names">
        <Fetched query={secrets} what="secrets">
          {({ items }) =>
            items.length === 0 ? (
              <p className={page.soft}>
                None yet. One with the name of a service, such as “anthropic” or “openai”, goes to that service by
                itself.
              </p>
            ) : (
              <ul className={page.list}>
                {items.map((secret) => (
                  <li key={secret.name}>
                    <SecretCard secret={secret} onAsk={setAsking} />
                  </li>
                ))}
              </ul>
            )
          }
        </Fetched>
      </Section>
      <Services />
      {asking?.kind === 'set' && <SetSecret secret={asking.secret} onClose={close} />}
      {asking?.kind === 'assign' && <AssignSecret secret={asking.secret} onClose={close} />}
      {asking?.kind === 'unassign' && <UnassignSecret use={asking.use} onClose={close} />}
      {asking?.kind === 'remove' && <RemoveSecret secret={asking.secret} onClose={close} />}
    </Page>
  );
}
