/**
 * Which service gets which secret, decided by owners.
 *
 * I1. A secret goes to a service only because an owner said so: by giving both names, or by setting a new secret
 *     under the name of a service, which is said to them.
 * I2. A change and its entry in the ledger are one commit.
 */
import type { AgentGroupId } from '../../shared/ids.ts';
import type { AgentStore } from '../store/agents.ts';
import type { Ledger, LedgerDetail } from '../store/ledger.ts';
import type { SecretUse, SecretUseStore } from '../store/secret-uses.ts';
import type { SecretRow } from '../store/secrets.ts';
import type { SecretValue } from '../vault/secret-value.ts';
import { type Refused, refuse } from '../vault/state.ts';
import type { Vault } from '../vault/vault.ts';
import type { Services } from './services.ts';

interface AssignmentsParts {
  vault: Vault;
  services: Services;
  secretUses: SecretUseStore;
  agents: Pick<AgentStore, 'get'>;
  ledger: Ledger;
  commit: <T>(work: () => T) => T;
  now: () => number;
}

export interface SetSecret {
  kind: 'set';
  secret: SecretRow;
  isNew: boolean;
  /** The service that every agent's requests for get it, since this call. */
  assignedTo: string | null;
}

export class Assignments {
  readonly #parts: AssignmentsParts;

  constructor(parts: AssignmentsParts) {
    this.#parts = parts;
  }

  list(): SecretUse[] {
    return this.#parts.secretUses.list();
  }

  listForSecret(name: string): SecretUse[] {
    return this.#parts.secretUses.listForSecret(name);
  }

  /** A new secret under the name of a service that has none for all agents becomes that (I1). */
  setSecret(name: string, value: SecretValue, by: string): SetSecret | Refused {
    const { vault, services, secretUses, commit } = this.#parts;
    return commit(() => {
      const outcome = vault.set(name, value, by);
      if (outcome.kind === 'refused') return outcome;
      const service = outcome.isNew ? services.get(name) : null;
      const isFor = service !== null && service.header !== '' && secretUses.at(name, null) === null;
      if (isFor) this.#put({ secretName: name, service: name, agentGroupId: null }, by);
      return { ...outcome, assignedTo: isFor ? name : null };
    });
  }

  /** Refusals: `secret_not_found`, `service_not_found`, `no_header`, `agent_not_found`. */
  assign(use: Pick<SecretUse, 'secretName' | 'service' | 'agentGroupId'>, by: string): SecretUse | Refused {
    const { vault, services, secretUses, agents, commit } = this.#parts;
    const { secretName, service: serviceName, agentGroupId } = use;
    return commit(() => {
      const service = services.get(serviceName);
      if (vault.get(secretName) === null) {
        return refuse('secret_not_found', 'There is no such secret.', { next: 'portolan secrets list' });
      }
      if (service === null) {
        return refuse('service_not_found', 'There is no such service.', { next: 'portolan services list' });
      }
      if (service.header === '') {
        return refuse('no_header', `The service ${serviceName} takes no credential.`, {
          expected: 'a service that was added with --header',
          next: 'portolan services list',
        });
      }
      if (agentGroupId !== null && agents.get(agentGroupId) === null) {
        return refuse('agent_not_found', 'There is no such agent.', { next: 'portolan agents' });
      }
      this.#put(use, by);
      const kept = secretUses.listForSecret(secretName).find((one) => isAt(one, serviceName, agentGroupId));
      if (kept === undefined) throw new Error('an assignment that was made is gone');
      return kept;
    });
  }

  /** The secret stays. Whether there was an assignment. */
  unassign(service: string, agentGroupId: AgentGroupId | null, by: string): boolean {
    const { secretUses, commit } = this.#parts;
    return commit(() => {
      const before = secretUses.at(service, agentGroupId);
      if (before === null) return false;
      secretUses.remove(service, agentGroupId);
      this.#record('secret.unassigned', before, by, { service, agent: agentGroupId });
      return true;
    });
  }

  #put({ secretName, service, agentGroupId }: Pick<SecretUse, 'secretName' | 'service' | 'agentGroupId'>, by: string) {
    const { secretUses, now } = this.#parts;
    const before = secretUses.at(service, agentGroupId);
    if (before === secretName) return;
    secretUses.put({ secretName, service, agentGroupId, createdBy: by, createdAt: now() });
    this.#record('secret.assigned', secretName, by, { service, agent: agentGroupId, before });
  }

  #record(kind: string, name: string, actor: string, detail: LedgerDetail): void {
    this.#parts.ledger.append({ kind, sessionId: null, messageId: name, actor, detail }, this.#parts.now());
  }
}

function isAt(use: SecretUse, service: string, agentGroupId: AgentGroupId | null): boolean {
  return use.service === service && use.agentGroupId === agentGroupId;
}
