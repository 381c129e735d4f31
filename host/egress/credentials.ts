/**
 * The header that the gateway adds to a request for a service.
 *
 * I1. An agent's own secret goes before that of all; when its own cannot be opened, it gets none (I11 of the
 *     architecture): falling back would spend what others pay for.
 * I2. Looked up for each request: a new value holds from the next one on.
 */
import type { AgentGroupId } from '../../shared/ids.ts';
import type { SecretUseStore } from '../store/secret-uses.ts';
import type { Vault } from '../vault/vault.ts';
import { fillHeader } from './plan-service.ts';
import type { Service } from './services.ts';

export type Credential =
  | { kind: 'header'; name: string; value: string }
  /** The service takes none. */
  | { kind: 'none' }
  /** Nothing may be sent. `next` is what an owner types. */
  | { kind: 'missing'; why: string; next: string };

export class Credentials {
  readonly #uses: Pick<SecretUseStore, 'at'>;
  readonly #vault: Pick<Vault, 'reveal'>;

  constructor(uses: Pick<SecretUseStore, 'at'>, vault: Pick<Vault, 'reveal'>) {
    this.#uses = uses;
    this.#vault = vault;
  }

  credentialFor(service: Service, agentGroupId: AgentGroupId): Credential {
    if (service.header === '') return { kind: 'none' };
    const secret = this.#uses.at(service.name, agentGroupId) ?? this.#uses.at(service.name, null);
    if (secret === null) {
      // Servers of one's own often ask for no key; one that does says so itself.
      if (service.isPrivate) return { kind: 'none' };
      const why = `the service ${service.name} has no secret for this agent`;
      return { kind: 'missing', why, next: `portolan secrets set ${service.name}` };
    }
    const opened = this.#vault.reveal(secret);
    // I1
    if (opened.kind !== 'open') return { kind: 'missing', why: opened.why, next: opened.next };
    const value = fillHeader(service.headerValue, opened.value.reveal());
    opened.value.destroy();
    return { kind: 'header', name: service.header, value };
  }
}
