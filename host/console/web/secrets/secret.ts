/** Secrets, services and the vault, in words. Pure. */
import type { Look } from '../agents/agent.ts';
import type { Secret, Service, Vault } from '../client/types.ts';
import { assertNever } from '../state/assert.ts';

/** As the host takes names of secrets and services. */
export const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;
export const NAME_HINT = 'small letters, digits and dashes';

export function describeUse({ service, agent }: Secret['uses'][number]): string {
  return agent === null ? `${service}, for all agents without their own` : `${service}, for ${agent.name} alone`;
}

/** What stops working when it goes. `own`: services of this machine or network, which are then asked without one. */
export function describeLoss({ uses }: Pick<Secret, 'uses'>, own: ReadonlySet<string>): string {
  const thinkers = [...new Set(uses.flatMap((use) => use.thinkers))];
  const isOptional = uses.every(({ service }) => own.has(service));
  if (thinkers.length > 0 && isOptional) {
    return `${thinkers.join(', ')} ${thinkers.length === 1 ? 'goes' : 'go'} on without a key, as far as the server asks for none.`;
  }
  const services = [...new Set(uses.map(({ service }) => service))];
  if (thinkers.length > 0) return `${thinkers.join(', ')} cannot think any more, until another is assigned.`;
  if (services.length > 0) return `Requests for ${services.join(', ')} are refused, until another is assigned.`;
  return 'No service gets it: nothing else changes.';
}

export function describeVault({ state, source }: Pick<Vault, 'state' | 'source'>): Look {
  switch (state) {
    case 'empty':
      return { label: 'empty: the first secret makes its key', tone: 'quiet' };
    case 'open':
      return { label: source === null ? 'open' : `open, ${SOURCES[source]}`, tone: 'good' };
    case 'locked':
      return { label: 'locked: models and services get no secret', tone: 'bad' };
    case 'unusable':
      return { label: 'unusable', tone: 'bad' };
    default:
      return assertNever(state);
  }
}

const SOURCES: Readonly<Record<NonNullable<Vault['source']>, string>> = {
  environment: 'with a key from the environment',
  passphrase: 'with a passphrase',
  file: 'with a key in a file',
};

/** Whether it answers nothing for want of a secret: one of this machine or network may do without. */
export function lacksKey(service: Service | undefined): boolean {
  return service !== undefined && service.header !== '' && service.secretFor === 'none' && !service.isPrivate;
}

/** How its credential travels. */
export function describeCredential({ header, headerValue }: Pick<Service, 'header' | 'headerValue'>): string {
  return header === '' ? 'takes no credential' : `${header}: ${headerValue.replace('{}', '•••')}`;
}
